//! A short name for a random key.

use std::fmt;

use sha2::{Digest, Sha256};

/// Keeps a fingerprint from being the hash of the same bytes computed anywhere
/// else. Fingerprints stand in journals and reports: a change of this label
/// makes every one of them unrecognisable.
const LABEL: &[u8] = b"fernet key fingerprint 1\0";
const PLACE_LABEL: &[u8] = b"place fingerprint 1\0";

/// Sixteen hexadecimal digits that name a key without revealing it: the first
/// eight bytes of the SHA-256 of a label and the key's 32 bytes.
///
/// A random key can have one, for the only way back from the fingerprint is to
/// try every key there is, and there are 2²⁵⁶ of them. A password can't: people
/// choose passwords from a set small enough to go through, so whoever saw its
/// fingerprint could find it by guessing. That is why only
/// [`FernetKey`](crate::FernetKey) makes fingerprints of secrets.
///
/// Two different keys share one with a probability of 2⁻⁶⁴, which is enough to
/// tell the few keys of an installation apart; where being the same key has
/// consequences, compare the keys.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 8]);

impl Fingerprint {
    /// The fingerprint of where something is, which is no secret but may be long, or
    /// have characters that not everything takes. Never of a password or a URL with one.
    pub fn of_place(place: &str) -> Fingerprint {
        Fingerprint::of(PLACE_LABEL, place.as_bytes())
    }

    /// The fingerprint of a key that was drawn at random.
    pub(crate) fn of_random_key(key: &[u8; 32]) -> Fingerprint {
        Fingerprint::of(LABEL, key)
    }

    fn of(label: &[u8], bytes: &[u8]) -> Fingerprint {
        let digest = Sha256::new()
            .chain_update(label)
            .chain_update(bytes)
            .finalize();
        let mut first_bytes = [0; 8];
        for (first, byte) in first_bytes.iter_mut().zip(digest) {
            *first = byte;
        }
        Fingerprint(first_bytes)
    }
}

/// Sixteen lower-case hexadecimal digits.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

/// The same as [`Display`](fmt::Display).
impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_stable_and_prints_sixteen_digits() {
        // Computed apart from this code, with Python's hashlib.
        let fingerprint = Fingerprint::of_random_key(&[0x11; 32]);
        assert_eq!(fingerprint.to_string(), "435f4897e40b8991");
        assert_eq!(format!("{fingerprint:?}"), fingerprint.to_string());
        assert_eq!(
            Fingerprint([0, 0, 0, 0, 0, 0, 0, 1]).to_string(),
            "0000000000000001"
        );
    }

    #[test]
    fn differs_between_keys() {
        let mut other = [0x11; 32];
        other[31] ^= 1;
        assert_ne!(
            Fingerprint::of_random_key(&[0x11; 32]),
            Fingerprint::of_random_key(&other)
        );
    }
}
