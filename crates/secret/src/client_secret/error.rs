//! What can be wrong with a pasted secret, told without showing it.

use std::fmt;

use thiserror::Error;

use super::ClientSecret;

/// Why a text is not the secret of an OAuth client.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ClientSecretError {
    /// Nothing, or a line end only.
    #[error("the client secret is empty")]
    Empty,
    /// A character that no such secret has.
    #[error("the client secret has {character} at position `{position}`")]
    Forbidden {
        /// Of which kind it is.
        character: ForbiddenCharacter,
        /// Where the first one is: in characters, from 1 on.
        position: usize,
    },
    /// More than [`ClientSecret::LONGEST_BYTES`] bytes.
    #[error(
        "the client secret is longer than `{}` bytes",
        ClientSecret::LONGEST_BYTES
    )]
    TooLong,
}

impl ClientSecretError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            ClientSecretError::Empty => "paste the secret alone, or give it by standard input",
            ClientSecretError::Forbidden { character, .. } => match character {
                ForbiddenCharacter::Space | ForbiddenCharacter::Tab => {
                    "give the secret alone, without what stood before or after it"
                }
                ForbiddenCharacter::LineBreak => "give the secret alone, on one line",
                ForbiddenCharacter::Control => "type or paste it anew, without other keys",
                ForbiddenCharacter::NotAscii => {
                    "mail and word processors change quotes and hyphens, and add characters that \
                     are not seen: copy the secret from where it was issued"
                }
            },
            ClientSecretError::TooLong => "was a whole file given, or a mail?",
        }
    }
}

/// A kind of character that isn't in a client's secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForbiddenCharacter {
    /// A space.
    Space,
    /// A tab.
    Tab,
    /// A line feed or a carriage return, except for the one at the end.
    LineBreak,
    /// Another control character, often that of an arrow key.
    Control,
    /// A character outside ASCII, or a byte that is none.
    NotAscii,
}

impl ForbiddenCharacter {
    pub(super) fn of(byte: u8) -> Option<ForbiddenCharacter> {
        match byte {
            b'!'..=b'~' => None,
            b' ' => Some(ForbiddenCharacter::Space),
            b'\t' => Some(ForbiddenCharacter::Tab),
            b'\n' | b'\r' => Some(ForbiddenCharacter::LineBreak),
            0..=0x1f | 0x7f => Some(ForbiddenCharacter::Control),
            0x80.. => Some(ForbiddenCharacter::NotAscii),
        }
    }
}

/// `a space`, `a line break` and so on.
impl fmt::Display for ForbiddenCharacter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ForbiddenCharacter::Space => "a space",
            ForbiddenCharacter::Tab => "a tab",
            ForbiddenCharacter::LineBreak => "a line break",
            ForbiddenCharacter::Control => "a control character",
            ForbiddenCharacter::NotAscii => "a character outside ASCII",
        })
    }
}

/// What was odd about a pasted secret, and has been put right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientSecretWarning {
    /// A line end after it, which is not part of it.
    LineEnd,
}

impl fmt::Display for ClientSecretWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ClientSecretWarning::LineEnd => {
                "a line end after the client secret was left out: it is not part of it"
            }
        })
    }
}
