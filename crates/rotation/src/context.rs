//! What steps work on: the platform, the database, and the candidate in memory.

mod rehearsal;

use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::{try_join, try_join_all};
use platform::{Binding, Bound, Platform, Reference, Service, Version, VersionState};
use runbook::Facts;
use secret::{SecretValue, VersionNumber, Versioned};

pub(crate) use self::rehearsal::in_use;
use crate::database_login::is_role_gone;
use crate::error::Error;
use crate::facts;
use crate::material::{Found, Material};
use crate::secrets::Role;

/// Everything that the steps of one rotation reach.
pub struct Context {
    /// Where the secret and its consumers live.
    pub platform: Platform,
    /// The secret in the store.
    pub store: Store,
    /// The services that read it.
    pub consumers: Vec<Consumer>,
    /// What sort of value it is, and what depends on it beside the services.
    pub material: Material,
    /// A backup older than this doesn't count.
    pub backup_max_age: Duration,
    /// How long the old version is kept after the verification.
    pub soak: Duration,
    /// The folder of the run, for what is written beside its journal.
    pub run_folder: PathBuf,
    /// Who is told, by the settings' name for them.
    pub contacts: Vec<(String, String)>,
    /// The new value, from its generation until it is read back from the store.
    pub candidate: Option<SecretValue>,
}

/// The secret as the store and the services call it.
#[derive(Clone, Debug)]
pub struct Store {
    /// Its name in the store.
    pub name: String,
    /// The environment variable in which its consumers read it.
    pub variable: String,
    /// The setting that renames it in the store.
    pub setting: &'static str,
}

/// A service that reads the secret.
#[derive(Clone, Debug)]
pub struct Consumer {
    /// What it is for.
    pub role: Role,
    /// What the platform calls it.
    pub service: String,
}

impl Store {
    /// The variable in which services read it, and the secret.
    pub fn binding(&self) -> Binding {
        Binding {
            variable: self.variable.clone(),
            secret: self.name.clone(),
        }
    }

    /// What a service that is bound like this reads, be it from the store or from its own
    /// configuration.
    pub(crate) async fn value_in_use(
        &self,
        platform: &Platform,
        service: &str,
        bound: Bound,
    ) -> Result<SecretValue, Error> {
        Ok(match reference(bound) {
            Some(reference) => platform.store.access(&self.name, reference).await?.value,
            None => {
                let services = &platform.services;
                services.inline_value(service, &self.variable).await?
            }
        })
    }
}

impl Context {
    pub(crate) fn binding(&self) -> Binding {
        self.store.binding()
    }

    pub(crate) async fn describe(&self, consumer: &Consumer) -> Result<Service, Error> {
        let services = &self.platform.services;
        Ok(services
            .describe(&consumer.service, &self.binding())
            .await?)
    }

    /// The same, once other runs' changes of it are over.
    pub(crate) async fn describe_at_rest(&self, consumer: &Consumer) -> Result<Service, Error> {
        let (services, binding) = (&self.platform.services, self.binding());
        let described = services.describe_at_rest(&consumer.service, &binding);
        Ok(described.await?)
    }

    /// The value of an enabled version.
    pub(crate) async fn value(&self, version: VersionNumber) -> Result<SecretValue, Error> {
        let (store, reference) = (&self.platform.store, Reference::Number(version));
        Ok(store.access(&self.store.name, reference).await?.value)
    }

    /// Refuses a value that can't be this secret's. `place` is where it was found.
    pub(crate) fn check_form(&self, value: &SecretValue, place: &str) -> Result<(), Error> {
        self.material.check_form(self.found(value, place))
    }

    pub(crate) fn found<'a>(&'a self, value: &'a SecretValue, place: &'a str) -> Found<'a> {
        let secret = &self.store.name;
        Found {
            value,
            secret,
            place,
        }
    }

    /// Every consumer as it is now; they are asked side by side.
    pub(crate) async fn describe_all(&self) -> Result<Vec<(&Consumer, Service)>, Error> {
        self.of_each(async |consumer| self.describe(consumer).await)
            .await
    }

    /// The same, once other runs' changes of them are over.
    pub(crate) async fn describe_all_at_rest(&self) -> Result<Vec<(&Consumer, Service)>, Error> {
        self.of_each(async |consumer| self.describe_at_rest(consumer).await)
            .await
    }

    async fn of_each(
        &self,
        describe: impl AsyncFn(&Consumer) -> Result<Service, Error>,
    ) -> Result<Vec<(&Consumer, Service)>, Error> {
        let describe = &describe;
        let consumers = self.consumers.iter();
        try_join_all(consumers.map(async |consumer| Ok((consumer, describe(consumer).await?))))
            .await
    }

    /// What a consumer that is bound like this reads from the store now, with its version.
    pub(crate) async fn stored_in_use(
        &self,
        consumer: &Consumer,
        bound: Bound,
    ) -> Result<Versioned<SecretValue>, Error> {
        let reference = reference(bound).ok_or_else(|| self.not_in_store(consumer))?;
        let store = &self.platform.store;
        Ok(store.access(&self.store.name, reference).await?)
    }

    /// What a consumer that is bound like this reads now, be it from the store or from its own
    /// configuration.
    pub(crate) async fn value_in_use(
        &self,
        consumer: &Consumer,
        bound: Bound,
    ) -> Result<SecretValue, Error> {
        let service = &consumer.service;
        self.store
            .value_in_use(&self.platform, service, bound)
            .await
    }

    /// Refuses a version other than the one that those before read, if there were any.
    pub(crate) fn expect_same_version(
        &self,
        one: Option<VersionNumber>,
        other: VersionNumber,
    ) -> Result<(), Error> {
        match one {
            Some(one) if one != other => Err(Error::DifferentVersions {
                secret: self.store.name.clone(),
                one,
                other,
            }),
            _ => Ok(()),
        }
    }

    /// The version that all of these read; none where they read no store.
    pub(crate) async fn version_in_use(
        &self,
        described: &[(&Consumer, Service)],
    ) -> Result<Option<VersionNumber>, Error> {
        let mut in_use = None;
        for (consumer, service) in described {
            let version = match service.bound {
                Bound::Inline => continue,
                Bound::Pinned(version) => version,
                Bound::Latest => self.stored_in_use(consumer, Bound::Latest).await?.version,
            };
            self.expect_same_version(in_use, version)?;
            in_use = Some(version);
        }
        Ok(in_use)
    }

    pub(crate) fn not_in_store(&self, consumer: &Consumer) -> Error {
        Error::NotInStore {
            secret: self.store.name.clone(),
            service: consumer.service.clone(),
        }
    }

    /// The value of a version, if that is enabled.
    pub(crate) async fn enabled_value(
        &self,
        version: VersionNumber,
    ) -> Result<Option<SecretValue>, Error> {
        match self.value(version).await {
            Ok(value) => Ok(Some(value)),
            Err(Error::Platform(error)) if error.is_without_value() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether two versions are enabled and have one value.
    pub(crate) async fn has_value_of(
        &self,
        one: VersionNumber,
        other: VersionNumber,
    ) -> Result<bool, Error> {
        let (one, other) = (self.enabled_value(one), self.enabled_value(other));
        let (one, other) = try_join(one, other).await?;
        Ok(one.is_some() && one == other)
    }

    /// All versions, the newest first.
    pub(crate) async fn versions(&self) -> Result<Vec<Version>, Error> {
        Ok(self.platform.store.versions(&self.store.name).await?)
    }

    pub(crate) async fn is_enabled(&self, version: VersionNumber) -> Result<bool, Error> {
        Ok(self.state(version).await? == VersionState::Enabled)
    }

    pub(crate) async fn state(&self, version: VersionNumber) -> Result<VersionState, Error> {
        self.state_in(&self.versions().await?, version)
    }

    /// The same, by versions that were asked for before.
    pub(crate) fn state_in(
        &self,
        versions: &[Version],
        version: VersionNumber,
    ) -> Result<VersionState, Error> {
        let found = versions.iter().find(|found| found.number == version);
        found
            .map(|found| found.state)
            .ok_or_else(|| Error::VersionGone {
                secret: self.store.name.clone(),
                version,
            })
    }

    /// Refuses while a revision that serves, or can be routed to, reads the version,
    /// or anything else needs its value.
    ///
    /// Which version is the latest may have been asked before: one that was and isn't any
    /// more is only refused for longer.
    pub(crate) async fn refuse_if_needed(
        &mut self,
        version: VersionNumber,
        latest: Option<VersionNumber>,
    ) -> Result<(), Error> {
        for (consumer, service) in self.describe_all().await? {
            if let Some(revision) = service.readers_of(version, latest).next() {
                return Err(Error::StillRead {
                    secret: self.store.name.clone(),
                    version,
                    service: consumer.service.clone(),
                    revision: revision.name.clone(),
                });
            }
        }
        if !self.material.is_needed_beside_services() {
            return Ok(());
        }
        let value = self.value(version).await?;
        let found = Found {
            value: &value,
            secret: &self.store.name,
            place: &format!("version {version}"),
        };
        match self.material.refuse_if_needed(found, version).await {
            Err(Error::Platform(_))
                if matches!(self.material, Material::Login(_))
                    && is_role_gone(self, found).await =>
            {
                Ok(())
            }
            refused => refused,
        }
    }

    /// Moves what needs the value of one version, beside the services, over to another.
    pub(crate) async fn move_over(
        &mut self,
        from: VersionNumber,
        to: VersionNumber,
    ) -> Result<(), Error> {
        if !self.material.is_moved_over() {
            return Ok(());
        }
        let (value_from, value_to) = try_join(self.value(from), self.value(to)).await?;
        let secret = &self.store.name;
        let from = Found {
            value: &value_from,
            secret,
            place: &format!("version {from}"),
        };
        let to = Found {
            value: &value_to,
            secret,
            place: &format!("version {to}"),
        };
        self.material.move_over(from, to).await
    }
}

/// The old version, from the journal.
pub(crate) fn old_version(facts: &Facts) -> Result<VersionNumber, Error> {
    version_number(facts.version(facts::OLD_VERSION)?)
}

/// The new version, from the journal.
pub(crate) fn new_version(facts: &Facts) -> Result<VersionNumber, Error> {
    version_number(facts.version(facts::NEW_VERSION)?)
}

fn version_number(number: u64) -> Result<VersionNumber, Error> {
    VersionNumber::new(number).ok_or(Error::NoVersion)
}

/// The version that whoever is bound like this reads; none where that isn't the store's.
fn reference(bound: Bound) -> Option<Reference> {
    match bound {
        Bound::Latest => Some(Reference::Latest),
        Bound::Pinned(version) => Some(Reference::Number(version)),
        Bound::Inline => None,
    }
}
