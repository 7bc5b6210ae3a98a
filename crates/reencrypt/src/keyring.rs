//! The keys of a run: the new one, and the old ones it replaces.

use fernet::Fernet;
use secrecy::ExposeSecret;
use secret::{FernetKey, Fingerprint, python_base64};
use zeroize::Zeroizing;

use crate::token::{Cell, Token, Unreadable};

/// The keys that may open a token. A token's MAC opens under one key only, so
/// the key that opens it is the key that it is under.
pub struct Keyring {
    /// The new key first, if there is one.
    keys: Vec<(Fingerprint, Fernet)>,
    has_new_key: bool,
}

/// The keys make no rotation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// The new key is one of the old keys.
    #[error("the old key and the new key are the same key (`{0}`)")]
    SameKey(Fingerprint),
    /// No key at all.
    #[error("no key was given")]
    NoKey,
}

/// A cell that a key opened.
pub(crate) struct Opened {
    /// The position of the key in the keyring.
    pub(crate) key: usize,
    pub(crate) plaintext: Zeroizing<Vec<u8>>,
    /// Seconds since 1970, proven by the MAC.
    pub(crate) issued_at: u64,
}

impl Keyring {
    /// The keys of a re-encryption. An old key given twice counts once.
    pub fn for_rotation(old: &[FernetKey], new: &FernetKey) -> Result<Keyring, KeyringError> {
        if old.is_empty() {
            return Err(KeyringError::NoKey);
        }
        if old.contains(new) {
            return Err(KeyringError::SameKey(new.fingerprint()));
        }
        Ok(Keyring::new(old, Some(new)))
    }

    /// The keys of a survey, where any one is enough.
    pub fn for_survey(old: &[FernetKey], new: Option<&FernetKey>) -> Result<Keyring, KeyringError> {
        match new {
            Some(new) if old.contains(new) => Err(KeyringError::SameKey(new.fingerprint())),
            None if old.is_empty() => Err(KeyringError::NoKey),
            _ => Ok(Keyring::new(old, new)),
        }
    }

    fn new(old: &[FernetKey], new: Option<&FernetKey>) -> Keyring {
        // With room for all: a vector that grows leaves copies of its keys behind.
        let mut keys: Vec<(Fingerprint, Fernet)> = Vec::with_capacity(old.len() + 1);
        for key in new.into_iter().chain(old) {
            if keys.iter().all(|(known, _)| *known != key.fingerprint()) {
                keys.push((key.fingerprint(), cipher(key)));
            }
        }
        Keyring {
            keys,
            has_new_key: new.is_some(),
        }
    }

    /// The fingerprint of every key, the new one first.
    pub fn fingerprints(&self) -> Vec<Fingerprint> {
        self.keys
            .iter()
            .map(|(fingerprint, _)| *fingerprint)
            .collect()
    }

    /// The new key's fingerprint, if there is a new key.
    pub fn new_key(&self) -> Option<Fingerprint> {
        let (first, _) = self.keys.first()?;
        self.has_new_key.then_some(*first)
    }

    /// The old keys' fingerprints.
    pub fn old_keys(&self) -> Vec<Fingerprint> {
        self.fingerprints().split_off(usize::from(self.has_new_key))
    }

    /// The position of the new key in a keyring that has one.
    pub(crate) const NEW: usize = 0;

    /// Opens a cell with the key that it is under. The key at position `guess` is
    /// tried first: most cells are under the key of the cell before them.
    pub(crate) fn open(&self, cell: &Cell, guess: usize) -> Result<Opened, Unreadable> {
        let opened = Token::as_it_stands(cell).and_then(|token| self.try_keys(&token, guess));
        match opened {
            Some(opened) => Ok(opened),
            None => self
                .try_keys(&Token::read(cell)?, guess)
                .ok_or(Unreadable::NoKeyOpensIt),
        }
    }

    fn try_keys(&self, token: &Token<'_>, guess: usize) -> Option<Opened> {
        // `fernet` refuses a token from the future even where no time-to-live is
        // asked for; Python doesn't. So it is told that it is then.
        let now = token.issued_at.saturating_sub(60);
        let others = (0..self.keys.len()).filter(|key| *key != guess);
        std::iter::once(guess).chain(others).find_map(|key| {
            let (_, cipher) = self.keys.get(key)?;
            let plaintext = cipher.decrypt_at_time(&token.text, None, now).ok()?;
            Some(Opened {
                key,
                plaintext: Zeroizing::new(plaintext),
                issued_at: token.issued_at,
            })
        })
    }

    /// Encrypts under the new key, with the token's issue time kept.
    #[expect(
        clippy::indexing_slicing,
        reason = "only a keyring with a new key seals"
    )]
    pub(crate) fn seal(&self, opened: &Opened) -> Cell {
        let (_, cipher) = &self.keys[Keyring::NEW];
        Cell(
            cipher
                .encrypt_at_time(&opened.plaintext, opened.issued_at)
                .into_bytes(),
        )
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where a key becomes a cipher"
)]
pub(crate) fn cipher(key: &FernetKey) -> Fernet {
    let text = python_base64::encode(key.expose_secret());
    #[expect(
        clippy::expect_used,
        reason = "32 bytes, encoded on the line above, are a Fernet key"
    )]
    Fernet::new(&text).expect("32 bytes make a key")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key is not copied but on purpose.
    fn copy(key: &FernetKey) -> FernetKey {
        FernetKey::parse(key.to_text().as_bytes()).unwrap().key
    }

    fn names(keys: &[&FernetKey]) -> Vec<Fingerprint> {
        keys.iter().map(|key| key.fingerprint()).collect()
    }

    #[test]
    fn the_new_key_comes_first_and_no_key_twice() {
        let [old, older, new] = [(); 3].map(|()| FernetKey::generate());
        let olds = [copy(&old), copy(&older), copy(&old)];
        let keyring = Keyring::for_rotation(&olds, &new).ok().unwrap();
        assert_eq!(keyring.fingerprints(), names(&[&new, &old, &older]));
        assert_eq!(keyring.new_key(), Some(new.fingerprint()));
        assert_eq!(keyring.old_keys(), names(&[&old, &older]));
        let keyring = Keyring::for_survey(&olds, None).ok().unwrap();
        assert_eq!(keyring.new_key(), None);
        assert_eq!(keyring.old_keys(), names(&[&old, &older]));
    }

    #[test]
    fn any_one_key_is_enough_for_a_survey() {
        let key = FernetKey::generate();
        assert!(Keyring::for_survey(&[], Some(&key)).is_ok());
        assert!(Keyring::for_survey(std::slice::from_ref(&key), None).is_ok());
        assert_eq!(
            Keyring::for_survey(&[], None).err(),
            Some(KeyringError::NoKey)
        );
        let same = Some(KeyringError::SameKey(key.fingerprint()));
        assert_eq!(Keyring::for_survey(&[copy(&key)], Some(&key)).err(), same);
    }

    #[test]
    fn a_rotation_needs_another_key_than_the_old_ones() {
        let key = FernetKey::generate();
        let no_key = Some(KeyringError::NoKey);
        assert_eq!(Keyring::for_rotation(&[], &key).err(), no_key);
        let same = Some(KeyringError::SameKey(key.fingerprint()));
        assert_eq!(
            Keyring::for_rotation(&[FernetKey::generate(), copy(&key)], &key).err(),
            same
        );
    }

    #[test]
    fn a_cell_is_opened_by_its_own_key_whatever_the_guess() {
        let [old, new] = [(); 2].map(|()| FernetKey::generate());
        let keyring = Keyring::for_rotation(std::slice::from_ref(&old), &new)
            .ok()
            .unwrap();
        let under_old = Cell(cipher(&old).encrypt_at_time(b"plain", 7).into_bytes());
        for guess in 0..3 {
            let opened = keyring.open(&under_old, guess).ok().unwrap();
            assert_eq!((opened.key, opened.issued_at), (1, 7));
            assert_eq!(*opened.plaintext, b"plain");
            let sealed = keyring.seal(&opened);
            let opened = keyring.open(&sealed, guess).ok().unwrap();
            assert_eq!((opened.key, opened.issued_at), (Keyring::NEW, 7));
            assert_eq!(*opened.plaintext, b"plain");
        }
        let foreign = cipher(&FernetKey::generate()).encrypt(b"plain");
        let refused = keyring.open(&Cell(foreign.into_bytes()), 0).err();
        assert_eq!(refused, Some(Unreadable::NoKeyOpensIt));
    }
}
