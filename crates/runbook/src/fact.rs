//! What a step finds out and later steps need: names and numbers, never a secret.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Something worth knowing after a crash. There is no variant for free text or
/// for bytes: a value of a secret has no way in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// The number of a version in the store.
    Version(u64),
    /// How many there were.
    Count(u64),
    /// What names a random key.
    Fingerprint(Fingerprint),
    /// When.
    Time(Timestamp),
    /// What something is called: a revision, a backup, a role.
    Name(Name),
}

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

/// The facts of a run so far. A later fact replaces an earlier one of its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts(BTreeMap<String, Fact>);

/// A step needs a fact that no step has recorded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the journal doesn't tell the {name}")]
pub struct MissingFact {
    /// The fact's name.
    pub name: &'static str,
}

impl Facts {
    pub(crate) fn insert(&mut self, name: String, fact: Fact) {
        self.0.insert(name, fact);
    }

    /// Every fact by its name, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Fact)> {
        self.0.iter().map(|(name, fact)| (name.as_str(), fact))
    }

    /// A fact of any kind.
    pub fn get(&self, name: &str) -> Option<&Fact> {
        self.0.get(name)
    }

    /// The number of a version.
    pub fn version(&self, name: &'static str) -> Result<u64, MissingFact> {
        match self.get(name) {
            Some(Fact::Version(number)) => Ok(*number),
            _ => Err(MissingFact { name }),
        }
    }

    /// A count.
    pub fn count(&self, name: &'static str) -> Result<u64, MissingFact> {
        match self.get(name) {
            Some(Fact::Count(count)) => Ok(*count),
            _ => Err(MissingFact { name }),
        }
    }

    /// A time.
    pub fn time(&self, name: &'static str) -> Result<Timestamp, MissingFact> {
        match self.get(name) {
            Some(Fact::Time(time)) => Ok(*time),
            _ => Err(MissingFact { name }),
        }
    }

    /// A name.
    pub fn name(&self, name: &'static str) -> Result<&str, MissingFact> {
        match self.get(name) {
            Some(Fact::Name(text)) => Ok(&text.0),
            _ => Err(MissingFact { name }),
        }
    }

    /// A fingerprint.
    pub fn fingerprint(&self, name: &'static str) -> Result<&Fingerprint, MissingFact> {
        match self.get(name) {
            Some(Fact::Fingerprint(fingerprint)) => Ok(fingerprint),
            _ => Err(MissingFact { name }),
        }
    }
}

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

/// A URL, a token, or 43 characters of base64, which are a key without its padding.
fn may_be_secret(text: &str) -> bool {
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"-_/".contains(&byte);
    let mixed = text.bytes().any(|byte| byte.is_ascii_uppercase())
        && text.bytes().any(|byte| byte.is_ascii_lowercase());
    let longest_run = text.bytes().fold((0, 0), |(longest, run), byte| {
        let run = if is_base64(byte) { run + 1 } else { 0 };
        (longest.max(run), run)
    });
    text.contains("://") || text.contains("gAAAAA") || (mixed && longest_run.0 >= 43)
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

/// As a report shows it.
impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fact::Version(number) | Fact::Count(number) => number.fmt(f),
            Fact::Fingerprint(fingerprint) => fingerprint.fmt(f),
            Fact::Time(time) => write!(f, "{time:.0}"),
            Fact::Name(name) => name.fmt(f),
        }
    }
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

    #[test]
    fn a_fact_is_read_as_what_it_is_and_as_nothing_else() {
        let digits = "435f4897e40b8991";
        let fingerprint = Fingerprint::new(digits).unwrap();
        let time = Timestamp::from_second(1_715_000_000).unwrap();
        let mut facts = Facts::default();
        for (name, fact) in [
            ("version", Fact::Version(3)),
            ("count", Fact::Count(4)),
            ("time", Fact::Time(time)),
            ("name", Fact::Name(Name::new("handler-1").unwrap())),
            ("fingerprint", Fact::Fingerprint(fingerprint.clone())),
        ] {
            facts.insert(name.to_owned(), fact);
        }
        assert_eq!(facts.version("version").unwrap(), 3);
        assert_eq!(facts.count("count").unwrap(), 4);
        assert_eq!(facts.time("time").unwrap(), time);
        assert_eq!(facts.name("name").unwrap(), "handler-1");
        let read = facts.fingerprint("fingerprint").unwrap();
        assert_eq!((read, read.as_str()), (&fingerprint, digits));
        assert_eq!(read.to_string(), digits);
        for other in ["version", "nothing"] {
            assert!(facts.count(other).is_err(), "{other}");
            assert!(facts.time(other).is_err(), "{other}");
            assert!(facts.name(other).is_err(), "{other}");
            assert!(facts.fingerprint(other).is_err(), "{other}");
        }
        assert!(facts.version("count").is_err());
        assert_eq!(facts.iter().count(), 5);
    }

    #[test]
    fn a_fact_survives_its_json() {
        for fact in [
            Fact::Version(3),
            Fact::Count(0),
            Fact::Fingerprint(Fingerprint::new("435f4897e40b8991").unwrap()),
            Fact::Time(Timestamp::from_second(1_715_000_000).unwrap()),
            Fact::Name(Name::new("handler-1").unwrap()),
        ] {
            let json = serde_json::to_string(&fact).unwrap();
            assert_eq!(serde_json::from_str::<Fact>(&json).unwrap(), fact, "{json}");
        }
        assert!(serde_json::from_str::<Fact>(r#"{"name":"a secret!"}"#).is_err());
    }
}
