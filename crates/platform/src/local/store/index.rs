//! `versions.json`: which versions a secret has, without their values.

use std::num::NonZeroU64;
use std::path::Path;

use jiff::Timestamp;
use secret::VersionNumber;
use serde::{Deserialize, Serialize};

use crate::local::record::{self, FORMAT};
use crate::{Error, Reference, Version, VersionState};

/// The versions of one secret, the oldest first.
#[derive(Debug)]
pub(super) struct Index(Vec<Version>);

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Text {
    format: u64,
    versions: Vec<Entry>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    number: NonZeroU64,
    #[serde(with = "StateText")]
    state: VersionState,
    created_at: Timestamp,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "VersionState", rename_all = "lowercase")]
enum StateText {
    Enabled,
    Disabled,
    Destroyed,
}

impl Index {
    /// Reads it; a secret without one has no versions.
    pub(super) fn read(path: &Path) -> Result<Index, Error> {
        let Some(text) = record::read::<Text>(path)? else {
            return Ok(Index(Vec::new()));
        };
        let versions: Vec<Version> = text.versions.into_iter().map(Version::from).collect();
        if !versions.is_sorted_by(|one, next| one.number < next.number) {
            return Err(Error::Damaged {
                path: path.to_owned(),
                what: "its numbers are not in order",
                line: 1,
            });
        }
        // The next one would take its place.
        let last = NonZeroU64::MAX.into();
        if versions.last().is_some_and(|newest| newest.number == last) {
            return Err(Error::Damaged {
                path: path.to_owned(),
                what: "there is no number after its last one",
                line: 1,
            });
        }
        Ok(Index(versions))
    }

    pub(super) fn write(&self, path: &Path) -> Result<(), Error> {
        let text = Text {
            format: FORMAT,
            versions: self.0.iter().map(Entry::from).collect(),
        };
        record::write(path, &text)
    }

    pub(super) fn newest_first(&self) -> impl Iterator<Item = &Version> {
        self.0.iter().rev()
    }

    pub(super) fn newest(&self) -> Option<&Version> {
        self.0.last()
    }

    pub(super) fn find(&self, secret: &str, reference: Reference) -> Result<Version, Error> {
        let found = match reference {
            Reference::Latest => self.newest(),
            Reference::Number(number) => self.0.iter().find(|version| version.number == number),
        };
        found.cloned().ok_or_else(|| Error::NoSuchVersion {
            secret: secret.to_owned(),
            reference,
        })
    }

    pub(super) fn has(&self, number: VersionNumber) -> bool {
        self.0.iter().any(|version| version.number == number)
    }

    /// A version that isn't in the record, enabled: nobody knows of another state.
    pub(super) fn adopt(&mut self, number: VersionNumber, created_at: Timestamp) {
        let before = self.0.iter().filter(|version| version.number < number);
        let version = Version {
            number,
            state: VersionState::Enabled,
            created_at,
        };
        self.0.insert(before.count(), version);
    }

    /// A new version, enabled. Destroyed ones are kept so that no number comes twice.
    pub(super) fn add(&mut self, created_at: Timestamp) -> VersionNumber {
        let one = VersionNumber::from(NonZeroU64::MIN);
        let next = |newest: &Version| NonZeroU64::from(newest.number).saturating_add(1).into();
        let number = self.newest().map_or(one, next);
        self.0.push(Version {
            number,
            state: VersionState::Enabled,
            created_at,
        });
        number
    }

    pub(super) fn set_state(&mut self, number: VersionNumber, to: VersionState) {
        for version in &mut self.0 {
            if version.number == number {
                version.state = to;
            }
        }
    }
}

impl From<Entry> for Version {
    fn from(entry: Entry) -> Version {
        Version {
            number: entry.number.into(),
            state: entry.state,
            created_at: entry.created_at,
        }
    }
}

impl From<&Version> for Entry {
    fn from(version: &Version) -> Entry {
        Entry {
            number: version.number.into(),
            state: version.state,
            created_at: version.created_at,
        }
    }
}
