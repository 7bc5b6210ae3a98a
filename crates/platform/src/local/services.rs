//! Services that read a `.env` file when they start.

mod cut_over;
mod describe;
mod records;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use secret::SecretValue;

use self::records::{Records, RevisionRecord};
use super::ServiceSettings;
use super::command::ServiceCommand;
use super::env_file::EnvFile;
use super::folder::{Locked, StoreFolder};
use super::store::LocalStore;
use crate::{Binding, Bound, Error, Kept, Reference, SecretStore as _, Service, Services};

/// How long `describe` waits for a service's word that it is ready.
const LOOK: Duration = Duration::from_secs(10);

/// For what a change takes beside the commands.
const MARGIN: Duration = Duration::from_secs(10);

/// Services whose only configuration is a `.env` file.
///
/// That file is the truth. A revision is a record of which versions are to be in
/// it, and traffic goes to a revision when its values are there and the service
/// was restarted since.
#[derive(Clone)]
pub(super) struct LocalServices {
    pub(super) folder: StoreFolder,
    pub(super) store: LocalStore,
    pub(super) env_file: PathBuf,
    pub(super) settings: BTreeMap<String, ServiceSettings>,
}

impl LocalServices {
    fn settings(&self, service: &str) -> Result<&ServiceSettings, Error> {
        let found = self.settings.get(service);
        found.ok_or_else(|| Error::NoSuchService {
            service: service.to_owned(),
        })
    }

    fn records_path(&self) -> PathBuf {
        self.folder.path().join("services.json")
    }

    fn records(&self) -> Result<Records, Error> {
        Records::read(&self.records_path())
    }

    /// The right to change a service: waited for as long as somebody else's change may take,
    /// its restart and its way to readiness.
    async fn lock_service(&self, service: &str) -> Result<Locked, Error> {
        let patience = self.settings(service)?.timeout * 2 + MARGIN;
        self.folder.lock_service(service, patience).await
    }

    /// Forgets the revisions whose names aren't like this.
    async fn retain(&self, service: &str, stays: impl Fn(&str) -> bool) -> Result<(), Error> {
        let goes = |revision: &RevisionRecord| !stays(&revision.name);
        if !self.records()?.of(service).revisions.iter().any(goes) {
            return Ok(());
        }
        let _locked = self.folder.lock().await?;
        let mut records = self.records()?;
        let mut record = records.of(service);
        let serving = [&record.serving, &record.under_way];
        if let Some(serving) = serving.into_iter().flatten().find(|name| !stays(name)) {
            return Err(Error::RevisionServes {
                service: service.to_owned(),
                revision: serving.clone(),
            });
        }
        record.revisions.retain(|revision| stays(&revision.name));
        records.services.insert(service.to_owned(), record);
        records.write(&self.records_path())
    }

    fn check_commands(&self, service: &str) -> Result<(), Error> {
        let settings = self.settings(service)?;
        for (purpose, words) in [("restart", &settings.restart), ("ready", &settings.ready)] {
            if let Some(words) = words {
                self.command(service, purpose, words, Vec::new()).check()?;
            }
        }
        Ok(())
    }

    fn command(
        &self,
        service: &str,
        purpose: &'static str,
        words: &[String],
        withheld: Vec<String>,
    ) -> ServiceCommand {
        ServiceCommand {
            service: service.to_owned(),
            purpose,
            words: words.to_vec(),
            withheld,
            is_shown: purpose == "restart",
        }
    }
}

#[async_trait(?Send)]
impl Services for LocalServices {
    async fn describe(&self, service: &str, binding: &Binding) -> Result<Service, Error> {
        let settings = self.settings(service)?;
        let mut described = self.look(service, binding)?;
        if let Some(ready) = &settings.ready
            && (described.ready || described.is_unsettled)
        {
            let command = self.command(service, "ready", ready, vec![binding.variable.clone()]);
            let is_up = match command.run(settings.timeout.min(LOOK)).await {
                Ok(status) => status.success(),
                Err(Error::CommandTimeout { .. }) => false,
                Err(error) => return Err(error),
            };
            described.ready &= is_up;
            described.is_unsettled &= is_up;
        }
        Ok(described)
    }

    async fn describe_at_rest(&self, service: &str, binding: &Binding) -> Result<Service, Error> {
        self.settings(service)?;
        if self.folder.is_service_locked(service)? {
            match self.lock_service(service).await {
                // It is still under way, and told as that.
                Err(Error::ServiceBusy { .. }) => {}
                waited => drop(waited?),
            }
        }
        self.describe(service, binding).await
    }

    async fn check_changeable(&self, service: &str, binding: &Binding) -> Result<(), Error> {
        self.check_commands(service)?;
        let env = EnvFile::read(&self.env_file)?;
        env.check_replaceable(&binding.variable)?;
        env.check_writable()
    }

    async fn check_value(
        &self,
        service: &str,
        variable: &str,
        value: &SecretValue,
    ) -> Result<(), Error> {
        self.settings(service)?;
        EnvFile::read(&self.env_file)?.with(variable, value)?;
        Ok(())
    }

    async fn inline_value(&self, service: &str, variable: &str) -> Result<SecretValue, Error> {
        self.settings(service)?;
        EnvFile::read(&self.env_file)?.value(variable)
    }

    async fn prepare(&self, service: &str, binding: &Binding, to: Bound) -> Result<String, Error> {
        self.settings(service)?;
        let reference = match to {
            Bound::Latest => Reference::Latest,
            Bound::Pinned(number) => Reference::Number(number),
            Bound::Inline => {
                return Err(Error::InlineRevision {
                    service: service.to_owned(),
                    variable: binding.variable.clone(),
                });
            }
        };
        // All that a cutover would need, so that it fails now and not then.
        let read = self.store.access(&binding.secret, reference).await?;
        let env = EnvFile::read(&self.env_file)?;
        env.with(&binding.variable, &read.value)?;
        self.check_commands(service)?;
        let _at_service = self.lock_service(service).await?;
        let _locked = self.folder.lock().await?;
        env.check_writable()?;
        let mut records = self.records()?;
        let mut record = records.of(service);
        let found = self.find(binding)?;
        record.adopt(service, binding, found.bound(), found.held);
        let mut next = self.base(service, binding, &record)?;
        next.bind(binding, to);
        let name = record.make(service, next.bindings);
        if record != records.of(service) {
            records.services.insert(service.to_owned(), record);
            records.write(&self.records_path())?;
        }
        Ok(name)
    }

    async fn cut_over(&self, service: &str, revision: &str) -> Result<(), Error> {
        self.send_traffic(service, revision).await
    }

    async fn discard(&self, service: &str, revision: &str) -> Result<Option<Kept>, Error> {
        self.settings(service)?;
        self.retain(service, |name| name != revision).await?;
        Ok(None)
    }

    async fn discard_others(&self, service: &str) -> Result<Option<Kept>, Error> {
        self.settings(service)?;
        let _at_service = self.lock_service(service).await?;
        let record = self.records()?.of(service);
        self.retain(service, |name| Some(name) == record.serving.as_deref())
            .await?;
        Ok(None)
    }
}
