//! What a step finds out and later steps need: names and numbers, never a secret.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::name::{Fingerprint, Name};

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
            Some(Fact::Name(text)) => Ok(text.as_str()),
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
