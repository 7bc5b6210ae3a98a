//! The secret of an OAuth client, as somebody pastes it.

mod error;

use std::fmt;

pub use self::error::{ClientSecretError, ClientSecretWarning, ForbiddenCharacter};
use crate::SecretValue;

/// The secret of an OAuth client: visible ASCII characters, 4096 at most.
///
/// OAuth has the space as well (RFC 6749, appendix A.2), but no issuer makes a secret
/// with one, and a text with one is more likely a sentence or two secrets.
///
/// It does not print, is wiped when dropped, and can't be cloned: share it by
/// reference, so that there is one copy to wipe.
#[derive(PartialEq, Eq)]
pub struct ClientSecret {
    value: SecretValue,
}

/// A client's secret that was read from text, and what was odd about that text.
#[derive(Debug)]
pub struct ParsedClientSecret {
    /// The secret.
    pub secret: ClientSecret,
    /// What was put right, so that somebody can be told.
    pub warnings: Vec<ClientSecretWarning>,
}

impl ClientSecret {
    /// How many bytes it may have.
    pub const LONGEST_BYTES: usize = 4096;

    /// Reads a pasted or piped secret. One line end after it is left out, with a
    /// warning. Wiping `text` is up to the caller.
    ///
    /// # Errors
    /// When there is nothing, too much, or a character that no such secret has.
    pub fn parse(text: &[u8]) -> Result<ParsedClientSecret, ClientSecretError> {
        let (secret, warnings) = match without_line_end(text) {
            Some(secret) => (secret, vec![ClientSecretWarning::LineEnd]),
            None => (text, Vec::new()),
        };
        if secret.is_empty() {
            return Err(ClientSecretError::Empty);
        }
        // All bytes before the first forbidden one are characters of one byte.
        for (position, byte) in (1..).zip(secret) {
            if let Some(character) = ForbiddenCharacter::of(*byte) {
                return Err(ClientSecretError::Forbidden {
                    character,
                    position,
                });
            }
        }
        if secret.len() > ClientSecret::LONGEST_BYTES {
            return Err(ClientSecretError::TooLong);
        }
        let value = SecretValue::from(secret);
        let secret = ClientSecret { value };
        Ok(ParsedClientSecret { secret, warnings })
    }

    /// The value as a store is to hold it: the secret, without a line end.
    pub fn value(&self) -> &SecretValue {
        &self.value
    }
}

/// What comes before the last line end; none where there isn't one.
fn without_line_end(text: &[u8]) -> Option<&[u8]> {
    text.strip_suffix(b"\r\n")
        .or_else(|| text.strip_suffix(b"\n"))
}

/// The value as a store is to hold it.
impl From<ClientSecret> for SecretValue {
    fn from(secret: ClientSecret) -> SecretValue {
        secret.value
    }
}

/// `ClientSecret`. Its length would help to guess it.
impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> ParsedClientSecret {
        ClientSecret::parse(text.as_bytes()).unwrap()
    }

    fn error(text: impl AsRef<[u8]>) -> ClientSecretError {
        ClientSecret::parse(text.as_ref()).unwrap_err()
    }

    #[test]
    fn every_visible_character_is_kept() {
        let visible: String = ('!'..='~').collect();
        let parsed = parsed(&visible);
        assert!(parsed.secret.value() == &SecretValue::from(visible.as_bytes()));
        assert_eq!(parsed.warnings, []);
    }

    #[test]
    fn one_line_end_is_left_out_and_told() {
        for text in ["hunter2\n", "hunter2\r\n"] {
            let parsed = parsed(text);
            assert!(SecretValue::from(parsed.secret) == SecretValue::from(b"hunter2".as_slice()));
            assert_eq!(parsed.warnings, [ClientSecretWarning::LineEnd]);
        }
    }

    #[test]
    fn nothing_is_no_secret() {
        for text in ["", "\n", "\r\n"] {
            assert_eq!(error(text), ClientSecretError::Empty);
        }
    }

    #[test]
    fn a_forbidden_character_is_told_by_kind_and_place() {
        use ForbiddenCharacter::{Control, LineBreak, NotAscii, Space, Tab};
        for (text, character, position) in [
            (b" hunter2".as_slice(), Space, 1),
            (b"hunter2 ", Space, 8),
            (b"hun\tter2", Tab, 4),
            (b"hunter2\n\n", LineBreak, 8),
            (b"hunter2\r", LineBreak, 8),
            (b"hunter2\r\r\n", LineBreak, 8),
            (b"hunter2\nhunter3\n", LineBreak, 8),
            (b"hunter2\0", Control, 8),
            (b"\x1b[200~hunter2", Control, 1),
            (b"hunter2\x7f", Control, 8),
            ("hunt\u{e9}r2".as_bytes(), NotAscii, 5),
            ("\u{feff}hunter2".as_bytes(), NotAscii, 1),
            ("hunter2\u{a0}".as_bytes(), NotAscii, 8),
            (b"hunter2\xff", NotAscii, 8),
        ] {
            let expected = ClientSecretError::Forbidden {
                character,
                position,
            };
            assert_eq!(error(text), expected);
        }
    }

    #[test]
    fn what_is_wrong_with_it_is_said_with_the_way_out() {
        let error = error("hunter 2");
        assert_eq!(
            error.to_string(),
            "the client secret has a space at position `7`"
        );
        assert_eq!(
            error.hint(),
            "give the secret alone, without what stood before or after it"
        );
        assert_eq!(
            ClientSecretWarning::LineEnd.to_string(),
            "a line end after the client secret was left out: it is not part of it"
        );
    }

    #[test]
    fn the_longest_is_4096_bytes() {
        let longest = "x".repeat(ClientSecret::LONGEST_BYTES);
        assert_eq!(parsed(&longest).warnings, []);
        let warnings = parsed(&format!("{longest}\r\n")).warnings;
        assert_eq!(warnings, [ClientSecretWarning::LineEnd]);
        assert_eq!(error(format!("{longest}x")), ClientSecretError::TooLong);
    }

    #[test]
    fn nothing_of_it_is_printed() {
        let parsed = parsed("hunter2\n");
        let printed = format!("{:?} {parsed:?}", parsed.secret);
        assert_eq!(
            printed,
            "ClientSecret ParsedClientSecret { secret: ClientSecret, warnings: [LineEnd] }"
        );
        for text in ["hunter2 x", "hunter2\u{e9}", "hunter2\nx"] {
            let refused = error(text);
            let printed = format!("{refused} {refused:?} {}", refused.hint());
            assert!(!printed.contains("hunter2"), "{printed}");
        }
    }
}
