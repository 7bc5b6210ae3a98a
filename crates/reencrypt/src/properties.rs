//! What holds whatever a cell holds: for the fuzz target of `tests/fuzz`, and for the test
//! that gives the same properties the cells that fuzzing found.

#[cfg(test)]
#[path = "../../../tests/fuzz/replay.rs"]
mod replay;

use std::sync::LazyLock;

use secret::{FernetKey, python_base64};
use zeroize::Zeroizing;

use crate::keyring::{Keyring, Opened};
use crate::token::{Cell, Token, Unreadable};

/// The keys of the tests' tokens, the new one first.
const KEYS: [&str; 2] = [
    "IiIiIiIiIiIiIiIiIiIiInh4eHh4eHh4eHh4eHh4eHg=",
    "EREREREREREREREREREREUtLS0tLS0tLS0tLS0tLS0s=",
];

/// None where the keys above are none.
static KEYRING: LazyLock<Option<Keyring>> = LazyLock::new(|| {
    let [new, old] = KEYS.map(|key| FernetKey::parse(key.as_bytes()).map(|parsed| parsed.key));
    Keyring::for_rotation(&[old.ok()?], &new.ok()?).ok()
});

/// A cell of an encrypted column. Its bytes are a plaintext, too.
pub fn token(bytes: &[u8]) {
    let Some(keyring) = KEYRING.as_ref() else {
        unreachable!("the keys are keys");
    };
    let cell = Cell(bytes.to_vec());
    has_the_form_that_was_read(&cell);
    opens_as_its_canonical_form_does(keyring, &cell);
    if let Ok(opened) = keyring.open(&cell, Keyring::NEW) {
        survives_its_sealing(keyring, &opened);
    }
    let time = bytes
        .first_chunk()
        .map_or(0, |time| u64::from_be_bytes(*time));
    let made_up = Opened {
        key: 1,
        plaintext: Zeroizing::new(bytes.to_vec()),
        issued_at: time,
    };
    survives_its_sealing(keyring, &made_up);
    assert!(format!("{cell:?}") == format!("Cell({} bytes)", bytes.len()));
}

fn has_the_form_that_was_read(cell: &Cell) {
    let decoded = python_base64::decode(&cell.0);
    let token = match (Token::read(cell), decoded) {
        (Ok(token), Ok(decoded)) => {
            let written = python_base64::encode(&decoded);
            assert!(token.text == written.as_str(), "not what Python reads");
            assert!(decoded.first() == Some(&0x80), "another version");
            let ciphertext = decoded.len().checked_sub(1 + 8 + 16 + 32);
            assert!(
                ciphertext.is_some_and(|length| length > 0 && length.is_multiple_of(16)),
                "another length"
            );
            token
        }
        (Ok(_), Err(_)) => unreachable!("Python reads no base64 there"),
        (Err(Unreadable::EmptyString), _) => return assert!(cell.0.is_empty()),
        (Err(reason), decoded) => {
            return assert!(
                (reason == Unreadable::NotBase64) == decoded.is_err(),
                "another reason"
            );
        }
    };
    let time = python_base64::decode(token.text.as_bytes());
    let time = time
        .ok()
        .and_then(|bytes| bytes.get(1..)?.first_chunk().copied());
    assert!(
        time.map(u64::from_be_bytes) == Some(token.issued_at),
        "another time"
    );
    if let Some(as_it_stands) = Token::as_it_stands(cell) {
        assert!(as_it_stands.issued_at == token.issued_at, "two times");
    }
}

/// The short way to a token and the lenient one lead to the same, whichever key is tried
/// first.
fn opens_as_its_canonical_form_does(keyring: &Keyring, cell: &Cell) {
    let expected = match Token::read(cell) {
        Ok(token) => keyring.open(&Cell(token.text.as_bytes().to_vec()), Keyring::NEW),
        Err(reason) => Err(reason),
    };
    for guess in [0, 1, usize::MAX] {
        let opened = keyring.open(cell, guess);
        assert!(
            match (&expected, &opened) {
                (Ok(one), Ok(other)) => one.key == other.key && is_same(one, other),
                (Err(one), Err(other)) => one == other,
                _ => false,
            },
            "it opens otherwise"
        );
    }
}

fn survives_its_sealing(keyring: &Keyring, opened: &Opened) {
    let sealed = keyring.seal(opened);
    assert!(
        Token::read(&sealed).is_ok_and(|token| token.text.as_bytes() == sealed.0),
        "what is written is not canonical"
    );
    assert!(
        Token::as_it_stands(&sealed).is_some(),
        "it is read the long way"
    );
    let read_back = keyring.open(&sealed, 1);
    assert!(
        read_back.is_ok_and(|read| read.key == Keyring::NEW && is_same(&read, opened)),
        "what is sealed is not what was opened"
    );
}

fn is_same(one: &Opened, other: &Opened) -> bool {
    one.plaintext == other.plaintext && one.issued_at == other.issued_at
}

#[cfg(test)]
mod tests {
    use super::replay;

    #[test]
    fn the_properties_of_tokens_hold_for_the_corpus() {
        replay::replay("token", super::token);
    }
}
