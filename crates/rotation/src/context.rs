//! What steps work on: the platform, the database, and the candidate in memory.

use std::time::Duration;

use platform::{Binding, Bound, Platform, Reference, Service, VersionState};
use runbook::Facts;
use secret::{FernetKey, SecretValue, VersionNumber, Versioned};

use crate::database::Database;
use crate::error::Error;
use crate::facts;
use crate::secrets::Role;

/// Everything that the steps of one rotation reach.
pub struct Context {
    /// Where the secret and its consumers live.
    pub platform: Platform,
    /// The secret in the store.
    pub store: Store,
    /// The services that read it.
    pub consumers: Vec<Consumer>,
    /// The database with the encrypted rows.
    pub database: Database,
    /// A backup older than this doesn't count.
    pub backup_max_age: Duration,
    /// How long the old version is kept after the verification.
    pub soak: Duration,
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
}

/// A service that reads the secret.
#[derive(Clone, Debug)]
pub struct Consumer {
    /// What it is for.
    pub role: Role,
    /// What the platform calls it.
    pub service: String,
}

impl Context {
    pub(crate) fn binding(&self) -> Binding {
        Binding {
            variable: self.store.variable.clone(),
            secret: self.store.name.clone(),
        }
    }

    pub(crate) async fn describe(&self, consumer: &Consumer) -> Result<Service, Error> {
        let services = &self.platform.services;
        Ok(services
            .describe(&consumer.service, &self.binding())
            .await?)
    }

    /// The value of an enabled version.
    pub(crate) async fn value(&self, version: VersionNumber) -> Result<SecretValue, Error> {
        let reference = Reference::Number(version);
        let accessed = self
            .platform
            .store
            .access(&self.store.name, reference)
            .await?;
        Ok(accessed.value)
    }

    /// The key of an enabled version.
    pub(crate) async fn key(&self, version: VersionNumber) -> Result<FernetKey, Error> {
        let value = self.value(version).await?;
        self.parse_key(&value, &format!("version {version}"))
    }

    /// `place` is where the value came from.
    pub(crate) fn parse_key(&self, value: &SecretValue, place: &str) -> Result<FernetKey, Error> {
        let parsed = value.fernet_key().map_err(|source| Error::NotAKey {
            secret: self.store.name.clone(),
            place: place.to_owned(),
            source,
        })?;
        Ok(parsed.key)
    }

    /// What a consumer reads now, with its version.
    pub(crate) async fn current(
        &self,
        consumer: &Consumer,
    ) -> Result<Versioned<SecretValue>, Error> {
        let reference = match self.describe(consumer).await?.bound {
            Bound::Latest => Reference::Latest,
            Bound::Pinned(version) => Reference::Number(version),
            Bound::Inline => {
                return Err(self.not_in_store(consumer));
            }
        };
        Ok(self
            .platform
            .store
            .access(&self.store.name, reference)
            .await?)
    }

    pub(crate) fn not_in_store(&self, consumer: &Consumer) -> Error {
        Error::NotInStore {
            secret: self.store.name.clone(),
            service: consumer.service.clone(),
        }
    }

    /// The newest version, whatever its state.
    pub(crate) async fn latest(&self) -> Result<Option<VersionNumber>, Error> {
        let versions = self.platform.store.versions(&self.store.name).await?;
        Ok(versions.first().map(|version| version.number))
    }

    pub(crate) async fn is_enabled(&self, version: VersionNumber) -> Result<bool, Error> {
        Ok(self.state(version).await? == VersionState::Enabled)
    }

    pub(crate) async fn state(&self, version: VersionNumber) -> Result<VersionState, Error> {
        let versions = self.platform.store.versions(&self.store.name).await?;
        let found = versions.iter().find(|found| found.number == version);
        found
            .map(|found| found.state)
            .ok_or_else(|| Error::VersionGone {
                secret: self.store.name.clone(),
                version,
            })
    }

    /// Refuses while a revision that serves, or can be routed to, reads the version,
    /// or a token in the table is under its key.
    pub(crate) async fn refuse_if_needed(&mut self, version: VersionNumber) -> Result<(), Error> {
        let latest = self.latest().await?;
        for consumer in &self.consumers {
            let service = self.describe(consumer).await?;
            if let Some(revision) = service.readers_of(version, latest).next() {
                return Err(Error::StillRead {
                    secret: self.store.name.clone(),
                    version,
                    service: consumer.service.clone(),
                    revision: revision.name.clone(),
                });
            }
        }
        let key = self.key(version).await?;
        let tokens = self.database.tokens_under(&key).await?;
        if tokens > 0 {
            return Err(Error::TokensUnder {
                key: key.fingerprint(),
                version,
                tokens,
            });
        }
        Ok(())
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
