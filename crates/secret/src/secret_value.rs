//! The value of one version of a secret, whatever it holds.

use std::fmt;

use secrecy::{ExposeSecret, SecretBox};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{DatabaseUrl, DatabaseUrlError, FernetKey, FernetKeyError, ParsedFernetKey};

/// The bytes of one version of a secret, as a store holds them: line ends,
/// white space and all.
///
/// It does not print, not even its length, is wiped when dropped, and can't be
/// cloned: share it by reference, so that there is one copy to wipe. The bytes
/// come out through [`ExposeSecret`].
pub struct SecretValue {
    bytes: SecretBox<[u8]>,
}

impl SecretValue {
    /// Takes bytes over; the buffer that they came in is wiped.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "whoever gives the buffer away can't forget to wipe it"
    )]
    pub fn new(bytes: Zeroizing<Vec<u8>>) -> SecretValue {
        SecretValue::from(bytes.as_slice())
    }

    /// Whether there are no bytes at all.
    #[expect(clippy::disallowed_methods, reason = "the bytes are not looked at")]
    pub fn is_empty(&self) -> bool {
        self.expose_secret().is_empty()
    }

    /// The value as a Fernet key, read as the service reads it.
    ///
    /// # Errors
    /// When it isn't one; the variant says what it seems to be instead.
    #[expect(clippy::disallowed_methods, reason = "the key is as secret")]
    pub fn fernet_key(&self) -> Result<ParsedFernetKey, FernetKeyError> {
        FernetKey::parse(self.expose_secret())
    }

    /// The value as the id of an OAuth client, which is kept like a secret and is none:
    /// up to 200 letters, digits and `.`, `_`, `-`, `:`, `/`, perhaps with a line's end.
    #[expect(clippy::disallowed_methods, reason = "a client's id is no secret")]
    pub fn client_id(&self) -> Option<String> {
        let id = std::str::from_utf8(self.expose_secret()).ok()?.trim_end();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:/".contains(&byte);
        let is_id = (1..=200).contains(&id.len()) && id.bytes().all(is_plain);
        is_id.then(|| id.to_owned())
    }

    /// The value as a database URL; none where it isn't UTF-8.
    ///
    /// # Errors
    /// When the service would not read it.
    #[expect(clippy::disallowed_methods, reason = "the URL is as secret")]
    pub fn database_url(&self) -> Option<Result<DatabaseUrl, DatabaseUrlError>> {
        let text = std::str::from_utf8(self.expose_secret()).ok()?;
        Some(DatabaseUrl::parse(text))
    }
}

/// A copy. Wiping the bytes that it is made of is up to the caller.
impl From<&[u8]> for SecretValue {
    fn from(bytes: &[u8]) -> SecretValue {
        // A box of exactly their size: a vector that shrank would leave a copy.
        SecretValue {
            bytes: SecretBox::new(bytes.into()),
        }
    }
}

/// The key's canonical text, as the store is to hold it.
impl From<&FernetKey> for SecretValue {
    fn from(key: &FernetKey) -> SecretValue {
        SecretValue::from(key.to_text().as_bytes())
    }
}

/// The whole URL, as the store is to hold it.
impl From<&DatabaseUrl> for SecretValue {
    #[expect(clippy::disallowed_methods, reason = "the value is as secret")]
    fn from(url: &DatabaseUrl) -> SecretValue {
        SecretValue::from(url.expose_secret().as_bytes())
    }
}

/// The bytes.
impl ExposeSecret<[u8]> for SecretValue {
    #[expect(
        clippy::disallowed_methods,
        reason = "the seam itself: callers need a reason"
    )]
    fn expose_secret(&self) -> &[u8] {
        self.bytes.expose_secret()
    }
}

/// In constant time for values of one length.
impl PartialEq for SecretValue {
    #[expect(
        clippy::disallowed_methods,
        reason = "comparing two values shows neither"
    )]
    fn eq(&self, other: &SecretValue) -> bool {
        self.expose_secret().ct_eq(other.expose_secret()).into()
    }
}

impl Eq for SecretValue {}

/// `SecretValue`. A password's length helps to guess it.
impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretValue")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(bytes: &[u8]) -> SecretValue {
        SecretValue::new(Zeroizing::new(bytes.to_vec()))
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test looks at a test value")]
    fn keeps_every_byte() {
        for bytes in [b"".as_slice(), b"hunter2\r\n", b" \0\xff "] {
            assert_eq!(value(bytes).expose_secret(), bytes);
            assert_eq!(value(bytes).is_empty(), bytes.is_empty());
        }
    }

    #[test]
    fn compares_whole_values() {
        assert_eq!(value(b"hunter2"), value(b"hunter2"));
        for other in [b"hunter3".as_slice(), b"hunter", b"hunter2\n", b""] {
            assert_ne!(value(b"hunter2"), value(other));
        }
    }

    #[test]
    fn prints_nothing_of_itself() {
        assert_eq!(format!("{:?}", value(b"hunter2")), "SecretValue");
        assert_eq!(
            format!("{:#?}", Some(value(b""))),
            "Some(\n    SecretValue,\n)"
        );
    }

    #[test]
    fn reads_the_id_of_a_client_and_nothing_else() {
        let longest = "a".repeat(200);
        for id in ["a", "agent-1.dev_eu:x/Y", &longest] {
            assert_eq!(value(id.as_bytes()).client_id().as_deref(), Some(id));
            let with_line_end = format!("{id}\n");
            let read = value(with_line_end.as_bytes()).client_id();
            assert_eq!(read.as_deref(), Some(id));
        }
        let too_long = "a".repeat(201);
        for other in ["", "\n", "two words", "a;b", "ü", &too_long] {
            assert_eq!(value(other.as_bytes()).client_id(), None, "{other:?}");
        }
        assert_eq!(value(b"\xff").client_id(), None);
    }

    #[test]
    fn carries_a_fernet_key() {
        let key = FernetKey::generate();
        let value = SecretValue::from(&key);
        let read_back = value.fernet_key().unwrap();
        assert_eq!(read_back.key, key);
        assert_eq!(read_back.warnings, []);
        assert_eq!(
            SecretValue::from(b"".as_slice()).fernet_key().unwrap_err(),
            FernetKeyError::Empty
        );
    }
}
