//! A password of a database role.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::python_base64;

/// Bytes of a password that is made here: 256 bits, as many as SCRAM-SHA-256 uses.
const RANDOM_BYTES: usize = 32;

/// What a derived password is for. Never to be changed: the passwords of idle roles
/// that are in place now could not be found again.
const IDLE_ROLE: &[u8] = b"password of an idle database role, 1\0";

/// A password of a database role, decoded: as a person would type it.
///
/// It does not print in any way, is wiped when dropped, and can't be cloned. The
/// text comes out through [`ExposeSecret`].
pub struct Password {
    text: SecretString,
}

impl Password {
    /// A new password of 256 bits from the operating system's random numbers, in
    /// letters, digits, `-` and `_`: nothing that a URL has to encode.
    ///
    /// # Panics
    /// When the operating system has no random numbers to give.
    pub fn generate() -> Password {
        let mut bytes = Zeroizing::new([0; RANDOM_BYTES]);
        #[expect(
            clippy::expect_used,
            reason = "there is no going on without random numbers, nor a way to mend it"
        )]
        getrandom::fill(bytes.as_mut_slice()).expect("random numbers");
        Password::from_bytes(bytes.as_slice())
    }

    /// A password that exists already; none where there is no character.
    pub(crate) fn from_text(text: &str) -> Option<Password> {
        (!text.is_empty()).then(|| Password {
            text: SecretString::from(text),
        })
    }

    /// The password of `role` while it is not in use and another role, whose password
    /// this is, is: the HMAC-SHA256 of the role's name under this password.
    ///
    /// Whoever holds the URL in use can find it, at any time. Whoever holds an older
    /// one can't. It is as hard to guess as this password is.
    #[expect(
        clippy::disallowed_methods,
        reason = "the derived password is as secret"
    )]
    pub fn derive_for_idle(&self, role: &str) -> Password {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
        let mut hmac = Hmac::<Sha256>::new_from_slice(self.expose_secret().as_bytes())
            .expect("a key of any length");
        hmac.update(IDLE_ROLE);
        hmac.update(role.as_bytes());
        let bytes = Zeroizing::new(<[u8; RANDOM_BYTES]>::from(hmac.finalize().into_bytes()));
        Password::from_bytes(bytes.as_slice())
    }

    /// What a Postgres server keeps of the password, with a new salt each time:
    /// enough to check a login, not to log in.
    #[expect(
        clippy::disallowed_methods,
        reason = "a verifier is made of the password, and doesn't tell it"
    )]
    pub fn scram_verifier(&self) -> ScramVerifier {
        // The library's own buffers are out of reach, and not wiped.
        let text = postgres_protocol::password::scram_sha_256(self.expose_secret().as_bytes());
        ScramVerifier {
            text: SecretString::from(text),
        }
    }

    fn from_bytes(bytes: &[u8]) -> Password {
        let text = python_base64::encode(bytes);
        Password {
            text: SecretString::from(text.trim_end_matches('=')),
        }
    }
}

/// The text, decoded.
impl ExposeSecret<str> for Password {
    #[expect(
        clippy::disallowed_methods,
        reason = "the seam itself: callers need a reason"
    )]
    fn expose_secret(&self) -> &str {
        self.text.expose_secret()
    }
}

/// In constant time for passwords of one length.
impl PartialEq for Password {
    #[expect(
        clippy::disallowed_methods,
        reason = "comparing two passwords shows neither"
    )]
    fn eq(&self, other: &Password) -> bool {
        let (one, other) = (self.expose_secret(), other.expose_secret());
        one.as_bytes().ct_eq(other.as_bytes()).into()
    }
}

impl Eq for Password {}

/// A password's verifier, as `ALTER ROLE … PASSWORD` takes it and the server keeps it:
/// `SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>`.
///
/// A password that people chose can be guessed from it, so it does not print either.
pub struct ScramVerifier {
    text: SecretString,
}

/// The text: letters, digits and `$:+/=-`, so no quote and no backslash.
impl ExposeSecret<str> for ScramVerifier {
    #[expect(
        clippy::disallowed_methods,
        reason = "the seam itself: callers need a reason"
    )]
    fn expose_secret(&self) -> &str {
        self.text.expose_secret()
    }
}

/// `ScramVerifier`.
impl fmt::Debug for ScramVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScramVerifier")
    }
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "tests look at passwords of their own"
)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::from_text(text).unwrap()
    }

    #[test]
    fn a_generated_password_needs_no_encoding_and_is_never_the_same() {
        let mut seen = std::collections::HashSet::new();
        for _ in 0..200 {
            let password = Password::generate();
            let text = password.expose_secret();
            assert!(text.len() == 43, "256 bits are 43 characters");
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            assert!(text.bytes().all(plain), "a character to encode");
            assert!(seen.insert(text.to_owned()), "twice the same");
        }
    }

    /// Known from elsewhere, for the derivation may never change:
    /// `base64.urlsafe_b64encode(hmac.digest(b"hunter2", b"password of an idle
    /// database role, 1\0insights_b", "sha256"))`.
    #[test]
    fn the_password_of_an_idle_role_is_the_same_for_ever() {
        let derived = password("hunter2").derive_for_idle("insights_b");
        let expected = "bDu8wrCs68HmcMTkA9_gFcmh2OXVwe6g0SsfO-oJWVk";
        assert!(derived.expose_secret() == expected, "another derivation");
    }

    #[test]
    fn the_password_of_an_idle_role_depends_on_both() {
        let derived = password("hunter2").derive_for_idle("insights");
        for (text, role) in [
            ("hunter3", "insights"),
            ("hunter2", "insights_b"),
            ("hunter2", ""),
        ] {
            let other = password(text).derive_for_idle(role);
            assert!(derived != other, "the same for {role}");
        }
        assert!(derived != password("hunter2"), "no derivation at all");
    }

    #[test]
    fn a_verifier_needs_no_quoting_and_has_a_salt_of_its_own() {
        let password = password("p@ss'w\\rd ü");
        let one = password.scram_verifier();
        let text = one.expose_secret();
        assert!(text.starts_with("SCRAM-SHA-256$4096:"), "another form");
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"$:+/=-".contains(&byte);
        assert!(text.bytes().all(plain), "a character to quote");
        let other = password.scram_verifier();
        assert!(text != other.expose_secret(), "twice the same salt");
        assert_eq!(format!("{one:?}"), "ScramVerifier");
    }

    #[test]
    fn an_empty_password_is_none() {
        assert!(Password::from_text("").is_none());
    }
}
