//! `services.json`: the revisions that were made, and which of them serves.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::path::Path;

use secret::VersionNumber;
use serde::{Deserialize, Serialize};

use crate::local::record::{self, FORMAT};
use crate::{Binding, Bound, Error, Revision};

/// What is known of every service. It holds names and numbers, never a value.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Records {
    format: u64,
    pub(super) services: BTreeMap<String, Record>,
}

/// What is known of one service.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    /// The revision that all traffic went to when that was last settled; none
    /// before the first revision is made.
    pub(super) serving: Option<String>,
    /// The revision that the traffic is on its way to: the service may have been
    /// restarted with it, or not.
    pub(super) under_way: Option<String>,
    /// The versions that the service read at its last start, by variable; none for
    /// a value that was in no store.
    pub(super) running: BTreeMap<String, Option<NonZeroU64>>,
    /// How many revisions were ever made: their names are not used twice.
    pub(super) made: u64,
    pub(super) revisions: Vec<RevisionRecord>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RevisionRecord {
    pub(super) name: String,
    /// By variable.
    pub(super) bindings: BTreeMap<String, BindingRecord>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BindingRecord {
    pub(super) secret: String,
    #[serde(with = "BoundText")]
    pub(super) bound: Bound,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Bound", rename_all = "lowercase")]
enum BoundText {
    Latest,
    Pinned(#[serde(with = "number")] VersionNumber),
    Inline,
}

mod number {
    use super::{Deserialize, NonZeroU64, Serialize, VersionNumber};

    pub(super) fn serialize<S: serde::Serializer>(
        number: &VersionNumber,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        NonZeroU64::from(*number).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<VersionNumber, D::Error> {
        NonZeroU64::deserialize(deserializer).map(VersionNumber::from)
    }
}

impl Records {
    pub(super) fn read(path: &Path) -> Result<Records, Error> {
        let found = record::read(path)?.unwrap_or_else(|| Records {
            format: FORMAT,
            services: BTreeMap::new(),
        });
        // The next revision would have a name that another has.
        if found.services.values().any(|one| one.made == u64::MAX) {
            return Err(Error::Damaged {
                path: path.to_owned(),
                what: "no number is left for another revision",
                line: 1,
            });
        }
        Ok(found)
    }

    pub(super) fn write(&self, path: &Path) -> Result<(), Error> {
        record::write(path, self)
    }

    pub(super) fn of(&self, service: &str) -> Record {
        self.services.get(service).cloned().unwrap_or_default()
    }
}

impl Record {
    /// The name of the serving revision; that of one that nobody made ends in `-0`.
    pub(super) fn serving_name(&self, service: &str) -> String {
        let unmade = || format!("{service}-0");
        self.serving.clone().unwrap_or_else(unmade)
    }

    pub(super) fn revision(&self, name: &str) -> Option<&RevisionRecord> {
        self.revisions.iter().find(|revision| revision.name == name)
    }

    pub(super) fn serving_revision(&self) -> Option<&RevisionRecord> {
        self.revision(self.serving.as_deref()?)
    }

    /// Adds what is now found out about a binding that no revision was made for
    /// yet: all of them have had it like this.
    pub(super) fn adopt(
        &mut self,
        service: &str,
        binding: &Binding,
        bound: Bound,
        held: Option<VersionNumber>,
    ) {
        if self.serving.is_none() {
            let name = self.serving_name(service);
            self.serving = Some(name.clone());
            self.revisions.push(RevisionRecord {
                name,
                bindings: BTreeMap::new(),
            });
        }
        for revision in &mut self.revisions {
            if revision.bound(binding).is_none() {
                revision.bind(binding, bound);
            }
        }
        let running = self.running.entry(binding.variable.clone());
        running.or_insert(held.map(NonZeroU64::from));
    }

    /// Makes a revision, or gives the one that has these very bindings already.
    pub(super) fn make(
        &mut self,
        service: &str,
        bindings: BTreeMap<String, BindingRecord>,
    ) -> String {
        let is_same = |revision: &&RevisionRecord| revision.bindings == bindings;
        // What serves comes first: nothing has to be sent elsewhere then.
        let found = self.serving_revision().filter(is_same);
        if let Some(found) = found.or_else(|| self.revisions.iter().find(is_same)) {
            return found.name.clone();
        }
        self.made += 1;
        let name = format!("{service}-{}", self.made);
        self.revisions.push(RevisionRecord {
            name: name.clone(),
            bindings,
        });
        name
    }
}

impl RevisionRecord {
    /// What it reads; none if it was made without looking at this binding.
    pub(super) fn bound(&self, binding: &Binding) -> Option<Bound> {
        let found = self.bindings.get(&binding.variable)?;
        (found.secret == binding.secret).then_some(found.bound)
    }

    pub(super) fn all_bindings(&self) -> impl Iterator<Item = (Binding, Bound)> {
        self.bindings.iter().map(|(variable, record)| {
            let binding = Binding {
                variable: variable.clone(),
                secret: record.secret.clone(),
            };
            (binding, record.bound)
        })
    }

    /// Those of the variables that this binding isn't about.
    pub(super) fn other_bindings(&self, binding: &Binding) -> Vec<Binding> {
        let all = self.all_bindings().map(|(other, _)| other);
        all.filter(|other| other.variable != binding.variable)
            .collect()
    }

    pub(super) fn bind(&mut self, binding: &Binding, bound: Bound) {
        let secret = binding.secret.clone();
        let record = BindingRecord { secret, bound };
        self.bindings.insert(binding.variable.clone(), record);
    }

    pub(super) fn described(&self, binding: &Binding, otherwise: Bound) -> Revision {
        Revision {
            name: self.name.clone(),
            bound: self.bound(binding).unwrap_or(otherwise),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_numbers_are_at_their_end_the_record_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("services.json");
        let made = |made: u64| {
            let records = Records {
                format: FORMAT,
                services: BTreeMap::from([(
                    "handler".to_owned(),
                    Record {
                        made,
                        ..Record::default()
                    },
                )]),
            };
            records.write(&path).unwrap();
            Records::read(&path)
        };
        assert!(matches!(made(u64::MAX), Err(Error::Damaged { .. })));
        let mut last = made(u64::MAX - 1).unwrap().of("handler");
        let name = last.make("handler", BTreeMap::new());
        assert_eq!(name, format!("handler-{}", u64::MAX));
    }
}
