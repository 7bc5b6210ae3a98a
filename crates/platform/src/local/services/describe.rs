//! What a service reads, by its `.env` file, the store and the records.

use std::num::NonZeroU64;

use secret::VersionNumber;

use super::LocalServices;
use super::records::{Record, RevisionRecord};
use crate::local::env_file::EnvFile;
use crate::{Binding, Bound, Error, Revision, Service};

/// Which version's value the `.env` file holds for a binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The version with the value that is there; none if no version has it.
    pub(super) held: Option<VersionNumber>,
    /// The newest version, whatever its state.
    pub(super) latest: Option<VersionNumber>,
}

impl Found {
    /// What that amounts to, with no record to go by. A value that an older
    /// version has is as good as pinned: whoever retires that version must see it.
    pub(super) fn bound(self) -> Bound {
        match self.held {
            None => Bound::Inline,
            held if held == self.latest => Bound::Latest,
            Some(held) => Bound::Pinned(held),
        }
    }
}

impl LocalServices {
    /// Looks for the value of a binding among the versions of its secret.
    pub(super) fn find(&self, binding: &Binding) -> Result<Found, Error> {
        let value = EnvFile::read(&self.env_file)?.value(&binding.variable)?;
        Ok(Found {
            held: self.store.find(&binding.secret, &value)?,
            latest: self.store.latest(&binding.secret)?,
        })
    }

    /// Whether two versions of a secret have one value.
    pub(super) fn same_value(
        &self,
        secret: &str,
        one: VersionNumber,
        other: VersionNumber,
    ) -> Result<bool, Error> {
        if one == other {
            return Ok(true);
        }
        let value = |number| self.store.peek(secret, number);
        match (value(one), value(other)) {
            (Ok(one), Ok(other)) => Ok(one.value == other.value),
            // What was destroyed or lost is nobody's value.
            (Err(error), _) | (_, Err(error)) if error.is_without_value() => Ok(false),
            (Err(error), _) | (_, Err(error)) => Err(error),
        }
    }

    /// The service as its files tell, without asking whether it is up.
    pub(in crate::local) fn look(
        &self,
        service: &str,
        binding: &Binding,
    ) -> Result<Service, Error> {
        let found = self.find(binding)?;
        let record = self.records()?.of(service);
        let serving = record.serving_revision();
        let recorded = serving.and_then(|serving| serving.bound(binding));
        let is_as_recorded = match recorded {
            None => true,
            Some(bound) => self.agrees(binding, bound, found, &record)?,
        };
        let has_started = self.has_started_with(binding, found, &record)?;
        let ready = is_as_recorded && has_started && record.under_way.is_none();
        let serving = if is_as_recorded {
            Revision {
                name: record.serving_name(service),
                bound: match recorded {
                    Some(Bound::Pinned(pinned)) => Bound::Pinned(pinned),
                    // Versions may have been added since; the file holds what it holds.
                    _ => found.bound(),
                },
            }
        } else {
            Revision {
                name: format!("{service}-unrecorded"),
                bound: found.held.map_or(Bound::Inline, Bound::Pinned),
            }
        };
        let mut revisions: Vec<Revision> = record
            .revisions
            .iter()
            .filter(|revision| revision.name != serving.name)
            .map(|revision| revision.described(binding, found.bound()))
            .collect();
        revisions.insert(0, serving.clone());
        Ok(Service {
            serving: serving.name,
            bound: serving.bound,
            ready,
            is_unsettled: !ready && !self.folder.is_service_locked(service)?,
            revisions,
        })
    }

    /// What a revision is made of that differs in this binding: what serves, with what the
    /// `.env` file holds by now for the other variables. People may have edited that, or the
    /// change of another secret was cut off.
    pub(super) fn base(
        &self,
        service: &str,
        binding: &Binding,
        record: &Record,
    ) -> Result<RevisionRecord, Error> {
        let serving = record.serving_revision().cloned();
        let mut base = serving.ok_or_else(|| Error::NoSuchRevision {
            service: service.to_owned(),
            revision: record.serving_name(service),
        })?;
        for other in base.other_bindings(binding) {
            let found = self.find(&other)?;
            let recorded = base.bound(&other).unwrap_or(found.bound());
            if !self.agrees(&other, recorded, found, record)? {
                base.bind(&other, found.held.map_or(Bound::Inline, Bound::Pinned));
            }
        }
        Ok(base)
    }

    /// How many variables of a revision have another value in the `.env` file.
    pub(super) fn differences(
        &self,
        revision: &RevisionRecord,
        record: &Record,
    ) -> Result<usize, Error> {
        let mut differences = 0;
        for (binding, bound) in revision.all_bindings() {
            let found = self.find(&binding)?;
            differences += usize::from(!self.agrees(&binding, bound, found, record)?);
        }
        Ok(differences)
    }

    /// Whether the `.env` file holds what a revision with this binding would read.
    fn agrees(
        &self,
        binding: &Binding,
        bound: Bound,
        found: Found,
        record: &Record,
    ) -> Result<bool, Error> {
        match (bound, found.held) {
            (Bound::Pinned(pinned), Some(held)) => self.same_value(&binding.secret, pinned, held),
            (Bound::Pinned(_), None) => Ok(false),
            // It read what was the latest version when it started.
            (Bound::Latest, Some(held)) => Ok(found.latest == Some(held)
                || record.running.get(&binding.variable) == Some(&Some(NonZeroU64::from(held)))),
            (Bound::Latest, None) => Ok(false),
            (Bound::Inline, None) => Ok(true),
            (Bound::Inline, Some(_)) => Ok(record.running.get(&binding.variable) == Some(&None)),
        }
    }

    /// Whether the service was restarted since the value came to be there.
    pub(super) fn has_started_with(
        &self,
        binding: &Binding,
        found: Found,
        record: &Record,
    ) -> Result<bool, Error> {
        match (record.running.get(&binding.variable), found.held) {
            (None, _) | (Some(None), None) => Ok(true),
            (Some(Some(running)), Some(held)) => {
                self.same_value(&binding.secret, (*running).into(), held)
            }
            (Some(None), Some(_)) | (Some(Some(_)), None) => Ok(false),
        }
    }
}
