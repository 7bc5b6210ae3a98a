//! The store: a folder for each secret, in it a file for each version.

mod index;

use std::fs;
use std::io;
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
/// A value without an entry there is an enabled version all the same: somebody has put
/// back an older `versions.json`, or lost it, and the value may be the only copy of
/// what is in use. So that nothing else comes about like this, a value is written under
/// another name until its entry is there, and removed after its entry says so.
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
        let mut bytes = whole_file::read(&path)?;
        if bytes.is_none() {
            // Its entry is there, so that it is whole: it was cut off before its last name, or is
            // about to get it. Where it can't be given that, it is read all the same.
            let _ = whole_file::finish(&path);
            bytes = match whole_file::read(&path)? {
                None => whole_file::read(&whole_file::unfinished(&path))?,
                found => found,
            };
        }
        match bytes {
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
        let mut index = Index::read(&self.index_path(secret)?)?;
        let folder = self.secret_folder(secret)?;
        let failed = |error| Error::file("read", &folder)(error);
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(index),
            entries => entries.map_err(failed)?,
        };
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let Some(number) = number_of_value(&entry.path()) else {
                continue;
            };
            // One that was removed meanwhile is none.
            if let Ok(found) = entry.metadata()
                && found.is_file()
                && !index.has(number)
            {
                let written = found.modified().map(Timestamp::try_from);
                let written = written.map(|written| written.unwrap_or(Timestamp::UNIX_EPOCH));
                index.adopt(number, written.map_err(failed)?);
            }
        }
        Ok(index)
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

    /// Gives values that a crash cut off their last names, removes those of destroyed
    /// versions, and whatever else isn't finished. Other files are left alone.
    fn tidy(&self, secret: &str, index: &Index) -> Result<(), Error> {
        let folder = self.secret_folder(secret)?;
        let failed = |error| Error::file("read", &folder)(error);
        for version in index.newest_first() {
            let path = folder.join(value_name(version.number));
            match version.state {
                VersionState::Destroyed => whole_file::remove(&path)?,
                VersionState::Enabled | VersionState::Disabled if path.exists() => {}
                VersionState::Enabled | VersionState::Disabled => whole_file::finish(&path)?,
            }
        }
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if whole_file::is_unfinished(&path) && path.is_file() {
                whole_file::remove(&path)?;
            }
        }
        Ok(())
    }
}

/// Whose value a file is, by its name. No number so large is ever given, and after the last one
/// there would be no next.
fn number_of_value(path: &Path) -> Option<VersionNumber> {
    let name = path.file_name()?.to_str()?;
    let number: VersionNumber = name.strip_suffix(".value")?.parse().ok()?;
    (number.get() < u64::MAX / 2).then_some(number)
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
        let named = folder.join(value_name(number));
        whole_file::stage(&named, value.expose_secret())?;
        index.write(&path)?;
        whole_file::finish(&named)?;
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
