//! Names and fingerprints: the only texts that come into a journal from outside.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What something is called: up to 200 letters, digits and `. _ - / :` of ASCII.
///
/// What has the shape of a Fernet key, of a token or of a URL with a login is
/// refused, lest a mistake writes one into a journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// A text that is no [`Name`]. It isn't quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a name has up to 200 letters, digits and `.`, `_`, `-`, `/`, `:`, and not the shape of a key"
)]
pub struct NotAName;

/// Sixteen lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint(String);

impl Name {
    /// Takes a text for a name.
    ///
    /// # Errors
    ///
    /// [`NotAName`].
    pub fn new(text: impl Into<String>) -> Result<Name, NotAName> {
        let text = text.into();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/:".contains(&byte);
        let is_plain = !text.is_empty() && text.len() <= 200 && text.bytes().all(plain);
        if is_plain && !may_be_secret(&text) {
            Ok(Name(text))
        } else {
            Err(NotAName)
        }
    }

    /// The name of somebody whose name isn't known.
    pub fn unknown() -> Name {
        Name("unknown".to_owned())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Fingerprint {
    /// Takes sixteen hexadecimal digits for a fingerprint.
    ///
    /// # Errors
    ///
    /// [`NotAName`].
    pub fn new(digits: impl Into<String>) -> Result<Fingerprint, NotAName> {
        let digits = digits.into();
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if digits.len() == 16 && digits.bytes().all(is_digit) {
            Ok(Fingerprint(digits))
        } else {
            Err(NotAName)
        }
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = NotAName;
    fn try_from(text: String) -> Result<Name, NotAName> {
        Name::new(text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> String {
        name.0
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = NotAName;
    fn try_from(digits: String) -> Result<Fingerprint, NotAName> {
        Fingerprint::new(digits)
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> String {
        fingerprint.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A URL, a token, or 43 characters of base64, which are a key without its padding.
fn may_be_secret(text: &str) -> bool {
    let is_base64 = |letter: char| letter.is_ascii_alphanumeric() || "-_/".contains(letter);
    let mut runs = text.split(|letter| !is_base64(letter));
    let is_mixed = text.contains(|letter: char| letter.is_ascii_uppercase())
        && text.contains(|letter: char| letter.is_ascii_lowercase());
    text.contains("://") || text.contains("gAAAAA") || (is_mixed && runs.any(|run| run.len() >= 43))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_names() {
        for name in [
            "marketplace-handler-00003-lih",
            "20261123T020501Z.sqlite",
            "a/b:c",
        ] {
            assert_eq!(Name::new(name).unwrap().as_str(), name);
        }
        let long = "x".repeat(201);
        for text in ["", "two words", "line\n", "ü", "a=b", long.as_str()] {
            assert_eq!(Name::new(text), Err(NotAName), "{text}");
        }
    }

    #[test]
    fn what_looks_like_a_secret_is_no_name() {
        for text in [
            "EREREREREREREREREREREUtLS0tLS0tLS0tLS0tLS0s",
            "EREREREREREREREREREREUtLS0tLS0tLS0tLS0tLS0s=",
            "postgresql://u:pw/db",
            "gAAAAABmOtKA",
        ] {
            assert_eq!(Name::new(text), Err(NotAName), "{text}");
        }
    }

    #[test]
    fn letters_of_one_case_are_no_key() {
        for name in ["a".repeat(43), "A".repeat(43), "0a1b2c3d".repeat(8)] {
            assert!(Name::new(name.as_str()).is_ok(), "{name}");
        }
    }
}
