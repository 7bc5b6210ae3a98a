//! A Fernet token as it lies in a cell: read as leniently as Python does, written canonical.
//!
//! The format is <https://github.com/fernet/spec/blob/master/Spec.md>: version
//! `0x80`, issue time (64-bit seconds, big-endian), initialisation vector (16
//! bytes), ciphertext (multiple of 16 bytes), HMAC-SHA-256 (32 bytes), the whole
//! in URL-safe base64.

use std::borrow::Cow;
use std::fmt;

use secret::python_base64;

/// The text of a cell, as bytes: what lies there need be neither a token nor UTF-8.
#[derive(Clone, PartialEq, Eq, diesel::deserialize::FromSqlRow)]
pub(crate) struct Cell(pub(crate) Vec<u8>);

/// A cell is ciphertext at best and a secret stored in the clear at worst.
impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cell({} bytes)", self.0.len())
    }
}

/// The first byte of every token.
const VERSION: u8 = 0x80;
/// Base64 characters that hold version and issue time: 9 bytes.
const TIME_END_IN_BASE64: usize = 12;
/// The bytes that are not ciphertext: version, issue time, vector, MAC.
const OVERHEAD: usize = 1 + 8 + 16 + 32;
/// The cipher's block: the ciphertext is one block or more.
const BLOCK: usize = 16;

/// A cell of a token's form; whose key opens it is not yet known.
pub(crate) struct Token<'a> {
    /// In canonical base64, as `fernet` wants it.
    pub(crate) text: Cow<'a, str>,
    /// Seconds since 1970; what the token says, before its MAC is checked.
    pub(crate) issued_at: u64,
}

/// Why a cell can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unreadable {
    /// An empty string: the service fails on it, unlike on a null.
    EmptyString,
    /// Not base64, even to Python's lenient reader.
    NotBase64,
    /// Fewer bytes than the shortest token, or part of a cipher block.
    WrongLength,
    /// The first byte isn't a Fernet version, so this was never encrypted.
    NotAToken,
    /// None of the given keys opens it: another key's token, or a damaged one.
    NoKeyOpensIt,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unreadable::EmptyString => "an empty string",
            Unreadable::NotBase64 => "not base64, so never encrypted or damaged",
            Unreadable::WrongLength => "not a token's length, so truncated or never encrypted",
            Unreadable::NotAToken => "not a Fernet token, so never encrypted",
            Unreadable::NoKeyOpensIt => {
                "a token that none of the given keys opens: under another key, or damaged"
            }
        })
    }
}

impl Token<'_> {
    /// Takes the cell for what the service writes, which nearly all cells are,
    /// and leaves it to `fernet` to refuse it if it is anything else: reading
    /// leniently costs a decoding and an encoding more.
    pub(crate) fn as_it_stands(cell: &Cell) -> Option<Token<'_>> {
        // `fernet` doesn't mind missing padding; the service does.
        let has_its_padding = cell.0.len().is_multiple_of(4);
        let start = python_base64::decode(cell.0.get(..TIME_END_IN_BASE64)?).ok()?;
        Some(Token {
            issued_at: issue_time(&start)?,
            text: Cow::Borrowed(
                std::str::from_utf8(&cell.0)
                    .ok()
                    .filter(|_| has_its_padding)?,
            ),
        })
    }

    /// Reads the form of a token as Python's `urlsafe_b64decode` would.
    pub(crate) fn read(cell: &Cell) -> Result<Token<'_>, Unreadable> {
        if cell.0.is_empty() {
            return Err(Unreadable::EmptyString);
        }
        let bytes = python_base64::decode(&cell.0).map_err(|_| Unreadable::NotBase64)?;
        if bytes.first().is_some_and(|version| *version != VERSION) {
            return Err(Unreadable::NotAToken);
        }
        if bytes.len() < OVERHEAD + BLOCK || !(bytes.len() - OVERHEAD).is_multiple_of(BLOCK) {
            return Err(Unreadable::WrongLength);
        }
        Ok(Token {
            issued_at: issue_time(&bytes).ok_or(Unreadable::WrongLength)?,
            text: Cow::Owned(python_base64::encode(&bytes).to_string()),
        })
    }
}

/// The issue time in the first bytes of a token.
fn issue_time(start: &[u8]) -> Option<u64> {
    start
        .get(1..)?
        .first_chunk()
        .map(|time| u64::from_be_bytes(*time))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 73 bytes: the shortest token there is, here of 16 May 2024.
    fn shortest() -> Vec<u8> {
        let mut bytes = vec![0x55; OVERHEAD + BLOCK];
        bytes[0] = VERSION;
        bytes[1..9].copy_from_slice(&1_715_000_000_u64.to_be_bytes());
        bytes
    }

    fn read(bytes: &[u8]) -> Result<(String, u64), Unreadable> {
        let cell = Cell(bytes.to_vec());
        Token::read(&cell).map(|token| (token.text.into_owned(), token.issued_at))
    }

    #[test]
    fn reading_as_it_stands_and_reading_leniently_agree() {
        for extra_blocks in 0..4 {
            let mut bytes = shortest();
            bytes.extend(vec![0xAA; extra_blocks * BLOCK]);
            let text = python_base64::encode(&bytes);
            let expected = Ok((text.to_string(), 1_715_000_000));
            assert_eq!(read(text.as_bytes()), expected);
            let cell = Cell(text.as_bytes().to_vec());
            let as_it_stands = Token::as_it_stands(&cell).unwrap();
            assert_eq!(as_it_stands.text, text.as_str());
            assert_eq!(as_it_stands.issued_at, 1_715_000_000);
            let with_newline = format!("{}\n", text.as_str());
            assert_eq!(read(with_newline.as_bytes()), expected);
            let standard_alphabet = text.replace('-', "+").replace('_', "/");
            assert_eq!(read(standard_alphabet.as_bytes()), expected);
        }
    }

    #[test]
    fn bits_beyond_the_last_byte_are_written_back_as_zero() {
        let text = python_base64::encode(&shortest());
        let stray = text.replace("VQ==", "VR==");
        assert_ne!(stray, text.as_str());
        assert_eq!(
            read(stray.as_bytes()),
            Ok((text.to_string(), 1_715_000_000))
        );
    }

    #[test]
    fn a_token_without_its_padding_does_not_stand() {
        let text = python_base64::encode(&shortest());
        let unpadded = text.trim_end_matches('=');
        assert!(Token::as_it_stands(&Cell(unpadded.as_bytes().to_vec())).is_none());
        assert_eq!(read(unpadded.as_bytes()), Err(Unreadable::NotBase64));
    }

    #[test]
    fn each_reason_is_told_apart() {
        let mut never = shortest();
        never[0] = 0x7f;
        let truncated = &shortest()[..OVERHEAD + BLOCK - 1];
        for (cell, reason) in [
            (String::new(), Unreadable::EmptyString),
            ("p".to_owned(), Unreadable::NotBase64),
            ("hunter2hunter2=".to_owned(), Unreadable::NotBase64),
            (" \n".to_owned(), Unreadable::WrongLength),
            ("gAAA".to_owned(), Unreadable::WrongLength),
            (
                python_base64::encode(&never).to_string(),
                Unreadable::NotAToken,
            ),
            (
                python_base64::encode(truncated).to_string(),
                Unreadable::WrongLength,
            ),
        ] {
            assert_eq!(read(cell.as_bytes()), Err(reason), "{cell:?}");
        }
    }

    #[test]
    fn a_cell_does_not_print_what_it_holds() {
        assert_eq!(format!("{:?}", Cell(b"a secret".to_vec())), "Cell(8 bytes)");
    }

    #[test]
    fn each_reason_why_a_cell_cannot_be_read_is_told_in_words_of_its_own() {
        let reasons = [
            Unreadable::EmptyString,
            Unreadable::NotBase64,
            Unreadable::WrongLength,
            Unreadable::NotAToken,
            Unreadable::NoKeyOpensIt,
        ];
        let words = reasons.map(|reason| reason.to_string());
        assert!(words.iter().all(|words| !words.is_empty()));
        let others: std::collections::BTreeSet<_> = words.iter().collect();
        assert_eq!(others.len(), reasons.len(), "{words:?}");
    }
}
