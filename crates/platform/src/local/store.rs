//! The store: a folder for each secret, in it a file for each version.

mod index;

use std::fs;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::ExposeSecret;
use secret::{SecretValue, VersionNumber, Versioned};

use self::index::Index;
use super::folder::{StoreFolder, create_private};
use super::whole_file;
use crate::error::wrong_state;
use crate::{Error, Reference, SecretStore, Version, VersionState};

/// The names of what the store's folder has beside the secrets, and no secret may
/// have.
const RESERVED: [&str; 2] = ["backups", "runs"];

/// A folder of versions: `<secret>/<number>.value` holds a value as it is, and
/// `<secret>/versions.json` says which versions there are and in which state.
///
/// A value without an entry there is no version: it was cut off, and its number
/// is given to the next one. So a value is written before its entry, and removed
/// after its entry says so.
#[derive(Clone, Debug)]
pub(super) struct LocalStore {
    folder: StoreFolder,
}

impl LocalStore {
    pub(super) fn new(folder: StoreFolder) -> LocalStore {
        LocalStore { folder }
    }

    /// The newest version, whatever its state.
    pub(super) fn latest(&self, secret: &str) -> Result<Option<VersionNumber>, Error> {
        let index = self.index(secret)?;
        Ok(index.newest().map(|version| version.number))
    }

    /// What `reference` refers to, if it may be read.
    pub(super) fn read(
        &self,
        secret: &str,
        reference: Reference,
    ) -> Result<Versioned<SecretValue>, Error> {
        let version = self.index(secret)?.find(secret, reference)?;
        if version.state != VersionState::Enabled {
            return Err(wrong_state(secret, &version));
        }
        self.value(secret, &version)
    }

    /// A version's value, even if it is disabled.
    pub(super) fn peek(
        &self,
        secret: &str,
        number: VersionNumber,
    ) -> Result<Versioned<SecretValue>, Error> {
        let reference = Reference::Number(number);
        let version = self.index(secret)?.find(secret, reference)?;
        self.value(secret, &version)
    }

    /// The newest version that has this value; a disabled one only if no other has.
    pub(super) fn find(
        &self,
        secret: &str,
        value: &SecretValue,
    ) -> Result<Option<VersionNumber>, Error> {
        let index = self.index(secret)?;
        for state in [VersionState::Enabled, VersionState::Disabled] {
            for version in index
                .newest_first()
                .filter(|version| version.state == state)
            {
                match self.value(secret, version) {
                    Ok(stored) if stored.value == *value => return Ok(Some(version.number)),
                    // What is lost, nobody can be found to have.
                    Ok(_) | Err(Error::ValueGone { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(None)
    }

    fn value(&self, secret: &str, version: &Version) -> Result<Versioned<SecretValue>, Error> {
        if version.state == VersionState::Destroyed {
            return Err(wrong_state(secret, version));
        }
        let path = self.secret_folder(secret)?.join(value_name(version.number));
        match whole_file::read(&path)? {
            Some(bytes) => Ok(Versioned {
                value: SecretValue::new(bytes),
                version: version.number,
            }),
            None => Err(Error::ValueGone {
                secret: secret.to_owned(),
                version: version.number,
                path,
            }),
        }
    }

    fn index(&self, secret: &str) -> Result<Index, Error> {
        Index::read(&self.index_path(secret)?)
    }

    fn index_path(&self, secret: &str) -> Result<PathBuf, Error> {
        Ok(self.secret_folder(secret)?.join("versions.json"))
    }

    fn secret_folder(&self, secret: &str) -> Result<PathBuf, Error> {
        let is_allowed = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if !(1..=255).contains(&secret.len())
            || !secret.bytes().all(is_allowed)
            || RESERVED.contains(&secret)
        {
            return Err(Error::SecretName);
        }
        Ok(self.folder.path().join(secret))
    }

    /// Sets a version's state, unless it is in that state already.
    async fn set_state(
        &self,
        secret: &str,
        number: VersionNumber,
        to: VersionState,
    ) -> Result<(), Error> {
        let path = self.index_path(secret)?;
        let mut index = self.index(secret)?;
        index.find(secret, Reference::Number(number))?;
        let _locked = self.folder.lock().await?;
        index = self.index(secret)?;
        let version = index.find(secret, Reference::Number(number))?;
        if version.state == VersionState::Destroyed && to != VersionState::Destroyed {
            return Err(wrong_state(secret, &version));
        }
        if version.state != to {
            index.set_state(number, to);
            index.write(&path)?;
        }
        self.tidy(secret, &index)
    }

    /// Removes the values of destroyed versions, and what a crash left behind.
    fn tidy(&self, secret: &str, index: &Index) -> Result<(), Error> {
        let folder = self.secret_folder(secret)?;
        let failed = |error| Error::file("read", &folder)(error);
        let kept: Vec<String> = index
            .newest_first()
            .filter(|version| version.state != VersionState::Destroyed)
            .map(|version| value_name(version.number))
            .collect();
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if is_leftover(&path, &kept) {
                whole_file::remove(&path)?;
            }
        }
        Ok(())
    }
}

/// Whether it is a file of this store's that no version needs. What else somebody
/// put there is left alone.
fn is_leftover(path: &Path, kept: &[String]) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return false;
    };
    let is_value = name
        .strip_suffix(".value")
        .is_some_and(|number| number.parse::<VersionNumber>().is_ok());
    whole_file::is_unfinished(path) || is_value && !kept.iter().any(|kept| kept == name)
}

fn value_name(number: VersionNumber) -> String {
    format!("{number}.value")
}

#[async_trait(?Send)]
impl SecretStore for LocalStore {
    async fn versions(&self, secret: &str) -> Result<Vec<Version>, Error> {
        Ok(self.index(secret)?.newest_first().cloned().collect())
    }

    async fn access(
        &self,
        secret: &str,
        reference: Reference,
    ) -> Result<Versioned<SecretValue>, Error> {
        self.read(secret, reference)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the store's file is where the value belongs"
    )]
    async fn add(&self, secret: &str, value: &SecretValue) -> Result<VersionNumber, Error> {
        let path = self.index_path(secret)?;
        if value.is_empty() {
            let secret = secret.to_owned();
            return Err(Error::EmptyValue { secret });
        }
        let _locked = self.folder.lock().await?;
        let folder = self.secret_folder(secret)?;
        create_private(&folder)?;
        let mut index = self.index(secret)?;
        self.tidy(secret, &index)?;
        let number = index.add(Timestamp::now());
        whole_file::write(&folder.join(value_name(number)), value.expose_secret())?;
        index.write(&path)?;
        Ok(number)
    }

    async fn disable(&self, secret: &str, version: VersionNumber) -> Result<(), Error> {
        self.set_state(secret, version, VersionState::Disabled)
            .await
    }

    async fn enable(&self, secret: &str, version: VersionNumber) -> Result<(), Error> {
        self.set_state(secret, version, VersionState::Enabled).await
    }

    async fn destroy(&self, secret: &str, version: VersionNumber) -> Result<(), Error> {
        self.set_state(secret, version, VersionState::Destroyed)
            .await
    }
}
