//! A Fernet key, and what can be wrong with the text of one.

mod error;
mod lookalike;
mod text;

use std::fmt;

use secrecy::{ExposeSecret, SecretBox};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

pub use self::error::{FernetKeyError, FernetKeyWarning};
use crate::{Fingerprint, python_base64};

/// The 32 bytes of a [Fernet](https://github.com/fernet/spec/blob/master/Spec.md)
/// key: 16 that sign and 16 that encrypt.
///
/// It does not print, is wiped when dropped, compares in constant time, and
/// can't be cloned: share it by reference, so that there is one copy to wipe.
pub struct FernetKey {
    bytes: SecretBox<[u8; 32]>,
    fingerprint: Fingerprint,
}

/// A key that was read from text, and what was odd about that text.
#[derive(Debug)]
pub struct ParsedFernetKey {
    /// The key.
    pub key: FernetKey,
    /// What the service accepts too, but should be stored otherwise.
    pub warnings: Vec<FernetKeyWarning>,
}

impl FernetKey {
    /// A new key from the operating system's random numbers.
    ///
    /// # Panics
    /// When the operating system has no random numbers to give.
    pub fn generate() -> FernetKey {
        // The crate's own buffers of it are out of reach, and not wiped.
        let text = Zeroizing::new(fernet::Fernet::generate_key());
        #[expect(
            clippy::expect_used,
            reason = "`generate_key` writes what `parse` reads"
        )]
        let parsed = FernetKey::parse(text.as_bytes()).expect("a generated key is a key");
        parsed.key
    }

    /// Reads a key as the service does, with Python's lenient base64 (see
    /// [`python_base64`]), but refuses what is more likely a mistake than a key.
    ///
    /// White space and too much padding give a warning; the standard alphabet
    /// beside the URL-safe one, and last bits that belong to no byte, give none.
    ///
    /// # Errors
    /// When `text` is not a key; the variant says what it seems to be instead.
    pub fn parse(text: &[u8]) -> Result<ParsedFernetKey, FernetKeyError> {
        text::read(text)
    }

    /// Whether `text` may be a key or hold one, so that it must not be shown:
    /// for a command line on which someone typed a key instead of a file's name.
    ///
    /// Generous: a long path without a dot passes for a key too.
    pub fn looks_like_key(text: &[u8]) -> bool {
        lookalike::looks_like_key(text)
    }

    /// The key's public name.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The key as canonical base64url, 44 characters without a newline: what a
    /// key file or the secret store is to hold.
    #[expect(
        clippy::disallowed_methods,
        reason = "the text is as secret, and wiped as well"
    )]
    pub fn to_text(&self) -> Zeroizing<String> {
        python_base64::encode(self.expose_secret())
    }

    fn from_bytes(bytes: &[u8; 32]) -> FernetKey {
        FernetKey {
            bytes: SecretBox::init_with_mut(|key: &mut [u8; 32]| key.copy_from_slice(bytes)),
            fingerprint: Fingerprint::of_random_key(bytes),
        }
    }
}

/// The 32 bytes, for the cipher.
impl ExposeSecret<[u8; 32]> for FernetKey {
    #[expect(
        clippy::disallowed_methods,
        reason = "the seam itself: callers need a reason"
    )]
    fn expose_secret(&self) -> &[u8; 32] {
        self.bytes.expose_secret()
    }
}

/// In constant time: how long it takes says nothing about either key.
impl PartialEq for FernetKey {
    #[expect(
        clippy::disallowed_methods,
        reason = "comparing two keys shows neither"
    )]
    fn eq(&self, other: &FernetKey) -> bool {
        self.expose_secret().ct_eq(other.expose_secret()).into()
    }
}

impl Eq for FernetKey {}

/// `FernetKey(<fingerprint>)`.
impl fmt::Debug for FernetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FernetKey({})", self.fingerprint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "EREREREREREREREREREREUtLS0tLS0tLS0tLS0tLS0s=";

    fn key(text: &str) -> FernetKey {
        FernetKey::parse(text.as_bytes()).unwrap().key
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test looks at a test key")]
    fn reads_and_writes_the_keys_of_the_fixtures() {
        let expected = include_str!("../../../tests/fixtures/expected.json");
        let vectors = include_str!("../../../tests/fixtures/fernet_vectors.json");
        for fixture in [expected, vectors] {
            let fixture: serde_json::Value = serde_json::from_str(fixture).unwrap();
            let keys = fixture["keys"].as_object().unwrap();
            assert!(keys.len() >= 2);
            for text in keys.values().map(|key| key.as_str().unwrap()) {
                let parsed = FernetKey::parse(text.as_bytes()).unwrap();
                assert_eq!(parsed.warnings, []);
                assert_eq!(*parsed.key.to_text(), text);
                assert!(FernetKey::looks_like_key(text.as_bytes()));
            }
        }
        let bytes = [[0x11; 16], [0x4b; 16]].concat();
        assert_eq!(key(KEY).expose_secret().as_slice(), bytes);
    }

    #[test]
    fn the_name_of_a_file_does_not_look_like_a_key() {
        assert!(FernetKey::looks_like_key(KEY.as_bytes()));
        assert!(!FernetKey::looks_like_key(b"keys/new.key"));
    }

    #[test]
    fn opens_a_token_with_the_fernet_crate() {
        let key = FernetKey::generate();
        let fernet = fernet::Fernet::new(&key.to_text()).unwrap();
        let token = fernet.encrypt(b"plaintext");
        assert_eq!(fernet.decrypt(&token).unwrap(), b"plaintext");
    }

    #[test]
    fn generated_keys_differ_and_survive_their_text() {
        let (one, other) = (FernetKey::generate(), FernetKey::generate());
        assert_ne!(one, other);
        assert_ne!(one.fingerprint(), other.fingerprint());
        let read_back = key(&one.to_text());
        assert_eq!(read_back, one);
        assert_eq!(read_back.fingerprint(), one.fingerprint());
    }

    #[test]
    fn prints_its_fingerprint_only() {
        let parsed = FernetKey::parse(format!("{KEY}\n").as_bytes()).unwrap();
        let fingerprint = parsed.key.fingerprint();
        assert_eq!(
            format!("{:?}", parsed.key),
            format!("FernetKey({fingerprint})")
        );
        assert_eq!(
            format!("{parsed:?}"),
            format!("ParsedFernetKey {{ key: FernetKey({fingerprint}), warnings: [WhiteSpace] }}"),
        );
    }
}
