//! Sending traffic: the values into the `.env` file, a restart, a record of it.

use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use secret::{SecretValue, VersionNumber};

use super::LocalServices;
use super::describe::Found;
use super::records::{Record, RevisionRecord};
use crate::local::env_file::EnvFile;
use crate::{Binding, Bound, Error, Reference};

/// Between two questions whether the service is ready.
const POLL: Duration = Duration::from_millis(100);

/// What one variable is to be.
struct Target {
    binding: Binding,
    number: VersionNumber,
    value: SecretValue,
}

impl LocalServices {
    pub(super) async fn send_traffic(&self, service: &str, revision: &str) -> Result<(), Error> {
        let _at_service = self.lock_service(service).await?;
        let locked = self.folder.lock().await?;
        let record = self.records()?.of(service);
        let Some(found) = record.revision(revision) else {
            return self.be_where_it_is(service, revision, &record).await;
        };
        // A rotation changes one variable: the revision was made of what served before.
        if self.differences(found, &record)? > 1 {
            return Err(Error::Overtaken {
                service: service.to_owned(),
                revision: revision.to_owned(),
            });
        }
        let targets = self.targets(&record, found)?;
        let is_restarted = self.write_values(service, revision, &targets)?;
        // A restart takes long, and may itself look into the store.
        drop(locked);
        if is_restarted {
            self.restart(service, &targets).await?;
        }
        self.wait_until_ready(service, &targets).await?;
        let _locked = self.folder.lock().await?;
        self.settle(service, revision, &targets)
    }

    /// The revision that serves while nobody has made one is in no record.
    async fn be_where_it_is(
        &self,
        service: &str,
        revision: &str,
        record: &Record,
    ) -> Result<(), Error> {
        if record.serving.is_some() || record.serving_name(service) != revision {
            return Err(Error::NoSuchRevision {
                service: service.to_owned(),
                revision: revision.to_owned(),
            });
        }
        self.wait_until_ready(service, &[]).await
    }

    /// The values that a revision reads if it starts now.
    fn targets(&self, record: &Record, revision: &RevisionRecord) -> Result<Vec<Target>, Error> {
        // What has started goes on, whatever became of its versions.
        let has_started =
            record.serving.as_ref() == Some(&revision.name) && record.under_way.is_none();
        let mut targets = Vec::new();
        for (variable, bound) in &revision.bindings {
            let secret = &bound.secret;
            let binding = Binding {
                variable: variable.clone(),
                secret: secret.clone(),
            };
            let read = match bound.bound {
                Bound::Inline => {
                    self.check_still_inline(revision, &binding)?;
                    continue;
                }
                Bound::Latest => self.store.read(secret, Reference::Latest)?,
                // What is in the file is what the service starts with, whoever starts it.
                Bound::Pinned(number)
                    if has_started || self.find(&binding)?.held == Some(number) =>
                {
                    self.store.peek(secret, number)?
                }
                Bound::Pinned(number) => self.store.read(secret, Reference::Number(number))?,
            };
            targets.push(Target {
                binding,
                number: read.version,
                value: read.value,
            });
        }
        Ok(targets)
    }

    fn check_still_inline(
        &self,
        revision: &RevisionRecord,
        binding: &Binding,
    ) -> Result<(), Error> {
        if self.find(binding)?.held.is_none() {
            return Ok(());
        }
        Err(Error::InlineValueGone {
            revision: revision.name.clone(),
            variable: binding.variable.clone(),
        })
    }

    /// Writes what differs, and tells whether the service has to be restarted.
    /// That it has to is on record before the first byte is written.
    fn write_values(
        &self,
        service: &str,
        revision: &str,
        targets: &[Target],
    ) -> Result<bool, Error> {
        let env = EnvFile::read(&self.env_file)?;
        let mut edited = None;
        let mut records = self.records()?;
        let mut record = records.of(service);
        let mut is_restarted = record.under_way.is_some();
        for target in targets {
            let binding = &target.binding;
            if env.value(&binding.variable)? != target.value {
                let held = self.find(binding)?.held.map(NonZeroU64::from);
                self.note_running(&mut records.services, service, &binding.variable, held);
                let next = edited.as_ref().unwrap_or(&env);
                edited = Some(next.with(&binding.variable, &target.value)?);
                is_restarted = true;
            }
            let found = Found {
                held: Some(target.number),
                latest: None,
            };
            is_restarted |= !self.has_started_with(binding, found, &record)?;
        }
        if is_restarted {
            record.under_way = Some(revision.to_owned());
            records.services.insert(service.to_owned(), record);
        }
        if records != self.records()? {
            records.write(&self.records_path())?;
        }
        match edited {
            Some(edited) => env.replace_with(&edited)?,
            None => env.remove_unfinished()?,
        }
        Ok(is_restarted)
    }

    /// Other services may read the same variable: they run with what was there
    /// until they are restarted, too.
    fn note_running(
        &self,
        services: &mut std::collections::BTreeMap<String, Record>,
        changed: &str,
        variable: &str,
        held: Option<NonZeroU64>,
    ) {
        for other in self.settings.keys().filter(|other| *other != changed) {
            let running = &mut services.entry(other.clone()).or_default().running;
            running.entry(variable.to_owned()).or_insert(held);
        }
    }

    async fn restart(&self, service: &str, targets: &[Target]) -> Result<(), Error> {
        let settings = self.settings(service)?;
        let Some(words) = &settings.restart else {
            return Ok(());
        };
        let command = self.command(service, "restart", words, variables(targets));
        let status = command.clone().run(settings.timeout).await?;
        if status.success() {
            Ok(())
        } else {
            Err(command.failed(status))
        }
    }

    async fn wait_until_ready(&self, service: &str, targets: &[Target]) -> Result<(), Error> {
        let settings = self.settings(service)?;
        let Some(words) = &settings.ready else {
            return Ok(());
        };
        let limit = settings.timeout;
        let command = self.command(service, "ready", words, variables(targets));
        let started = Instant::now();
        loop {
            let left = limit.saturating_sub(started.elapsed());
            match command.clone().run(left.max(POLL)).await {
                Ok(status) if status.success() => return Ok(()),
                Ok(_) | Err(Error::CommandTimeout { .. }) => {}
                Err(error) => return Err(error),
            }
            if started.elapsed() >= limit {
                return Err(Error::NotReady {
                    service: service.to_owned(),
                    limit,
                });
            }
            tokio::time::sleep(POLL).await;
        }
    }

    fn settle(&self, service: &str, revision: &str, targets: &[Target]) -> Result<(), Error> {
        let mut records = self.records()?;
        let before = records.of(service);
        let mut record = before.clone();
        record.serving = Some(revision.to_owned());
        record.under_way = None;
        for target in targets {
            let variable = target.binding.variable.clone();
            record.running.insert(variable, Some(target.number.into()));
        }
        if record == before {
            return Ok(());
        }
        records.services.insert(service.to_owned(), record);
        records.write(&self.records_path())
    }
}

fn variables(targets: &[Target]) -> Vec<String> {
    let names = targets.iter().map(|target| &target.binding.variable);
    names.cloned().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::local::folder::StoreFolder;
    use crate::local::store::LocalStore;

    /// A restart is watched; whether the service is ready is asked ten times a second.
    #[test]
    fn what_a_restart_prints_is_shown_and_what_a_question_prints_is_not() {
        let place = tempfile::tempdir().unwrap();
        let folder = StoreFolder::at(&place.path().join("store")).unwrap();
        let services = LocalServices {
            store: LocalStore::new(folder.clone()),
            folder,
            env_file: place.path().join(".env"),
            settings: BTreeMap::new(),
        };
        for (purpose, is_shown) in [("restart", true), ("ready", false)] {
            let command = services.command("handler", purpose, &[], Vec::new());
            assert_eq!(command.is_shown, is_shown, "{purpose}");
        }
    }
}
