//! What can be wrong with the text of a key, told without showing it.

use std::fmt;

use thiserror::Error;

/// Why a text is not a Fernet key. Positions count characters from 1, bytes if
/// the text is not UTF-8.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum FernetKeyError {
    /// Nothing, or white space only.
    #[error("the key is empty")]
    Empty,
    /// Quotes at the start or the end, also as Python prints bytes: `b'…'`.
    #[error("the key is in quotes")]
    Quoted,
    /// 64 hexadecimal digits: 32 bytes, but not in base64.
    #[error("the key is written in hexadecimal, not in base64")]
    Hexadecimal,
    /// Characters that neither base64 alphabet has.
    #[error("the key holds what is not base64 at {}", Positions(.positions))]
    OutsideAlphabet {
        /// Where they are, the first of them first.
        positions: Vec<usize>,
    },
    /// Something follows a `=`: a second key, or a value after its name.
    #[error("the key goes on after the `=` at position `{position}`")]
    PaddingInside {
        /// Where the first `=` is.
        position: usize,
    },
    /// A whole key without the `=` it ends with.
    #[error("the key has lost the `=` at its end")]
    MissingPadding,
    /// Base64 of the text of a key.
    #[error("the key is encoded twice: it is the base64 of a key's text")]
    DoubleEncoded,
    /// Something that a key encrypted.
    #[error("this is a Fernet token, which a key has encrypted, not a key")]
    FernetToken,
    /// Base64 of fewer than 32 bytes.
    #[error("the key is too short: it decodes to `{bytes}` bytes and a Fernet key has `32`")]
    TooShort {
        /// How many bytes there are.
        bytes: usize,
    },
    /// Base64 of more than 32 bytes.
    #[error("the key is too long: it decodes to `{bytes}` bytes and a Fernet key has `32`")]
    TooLong {
        /// How many bytes there are.
        bytes: usize,
    },
}

impl FernetKeyError {
    /// What to do about it, where there is more to say than the message does.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            FernetKeyError::Empty => Some("a Fernet key is 44 characters, the last of them a `=`"),
            FernetKeyError::Quoted => {
                Some("remove the quotes, and the `b` that Python prints before the quotes of bytes")
            }
            FernetKeyError::Hexadecimal => {
                Some("write the 32 bytes in base64, with the URL-safe alphabet")
            }
            FernetKeyError::OutsideAlphabet { .. } => Some(
                "remove what is there: the service ignores such characters or fails on them, \
                 depending on which they are",
            ),
            FernetKeyError::PaddingInside { .. } => {
                Some("give one key alone, without a name before it or another key after it")
            }
            FernetKeyError::MissingPadding => Some("add a `=` to its end"),
            FernetKeyError::DoubleEncoded => Some("decode it once; Kubernetes encodes so"),
            FernetKeyError::FernetToken => {
                Some("give the key, 44 characters long; a token stands in a table's column")
            }
            FernetKeyError::TooShort { .. } => Some("was it cut off when it was copied?"),
            FernetKeyError::TooLong { .. } => None,
        }
    }
}

/// `position 1`, `positions 1, 3`, and so on, the first few of them.
struct Positions<'a>(&'a [usize]);

impl fmt::Display for Positions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 5;
        f.write_str(if self.0.len() == 1 {
            "position "
        } else {
            "positions "
        })?;
        for (index, position) in self.0.iter().take(SHOWN).enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}`{position}`")?;
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// What is odd about a key that the service nevertheless reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FernetKeyWarning {
    /// White space around the key or inside it, often a newline at the end.
    WhiteSpace,
    /// More than one `=` at the end.
    ExcessPadding,
}

impl fmt::Display for FernetKeyWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FernetKeyWarning::WhiteSpace => {
                "the key has white space around or inside it, which the service accepts too; \
                 better store it without"
            }
            FernetKeyWarning::ExcessPadding => {
                "the key ends in more than one `=`, which the service accepts too; \
                 better store it with one"
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_read_well() {
        let message = |positions: &[usize]| {
            FernetKeyError::OutsideAlphabet {
                positions: positions.to_vec(),
            }
            .to_string()
        };
        assert_eq!(
            message(&[7]),
            "the key holds what is not base64 at position `7`"
        );
        assert_eq!(
            message(&[1, 44]),
            "the key holds what is not base64 at positions `1`, `44`"
        );
        assert_eq!(
            message(&[1, 2, 3, 4, 5, 6, 7]),
            "the key holds what is not base64 at positions `1`, `2`, `3`, `4`, `5` and 2 more",
        );
    }

    #[test]
    fn the_hint_says_what_to_do() {
        assert_eq!(
            FernetKeyError::MissingPadding.hint(),
            Some("add a `=` to its end")
        );
        assert_eq!(FernetKeyError::TooLong { bytes: 33 }.hint(), None);
    }

    #[test]
    fn warnings_say_that_the_service_accepts_it() {
        for warning in [
            FernetKeyWarning::WhiteSpace,
            FernetKeyWarning::ExcessPadding,
        ] {
            assert!(warning.to_string().contains("the service accepts too"));
        }
    }
}
