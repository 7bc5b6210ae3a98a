//! The folder of the store: private, and changed by one process at a time.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use secret::Fingerprint;

use super::whole_file;
use crate::Error;

/// How long a change waits for another one, which takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(10);

/// The folder of the store, which may not be there yet.
#[derive(Clone, Debug)]
pub(super) struct StoreFolder {
    path: PathBuf,
}

/// The right to change what is in the folder. The system takes it back when the
/// process dies, however it dies.
#[derive(Debug)]
#[must_use]
pub(super) struct Locked {
    _file: File,
}

impl StoreFolder {
    /// The folder at this path, which must be private if it is there.
    pub(super) fn at(path: &Path) -> Result<StoreFolder, Error> {
        let path = std::path::absolute(path).map_err(Error::file("find", path))?;
        check(&path)?;
        Ok(StoreFolder { path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the folder if it isn't there, and waits until nobody else changes it.
    pub(super) async fn lock(&self) -> Result<Locked, Error> {
        self.lock_file(".lock", PATIENCE).await
    }

    /// Waits until nobody else is at a service, for so long at most.
    pub(super) async fn lock_service(
        &self,
        service: &str,
        patience: Duration,
    ) -> Result<Locked, Error> {
        let locked = self.lock_file(&lock_of(service), patience).await;
        locked.map_err(|error| match error {
            Error::StoreBusy { waited, .. } => Error::ServiceBusy {
                service: service.to_owned(),
                waited,
            },
            other => other,
        })
    }

    /// Whether somebody is at a service at this moment.
    pub(super) fn is_service_locked(&self, service: &str) -> Result<bool, Error> {
        let path = self.path.join(lock_of(service));
        match File::open(&path) {
            Ok(file) => match file.try_lock_shared() {
                Ok(()) => Ok(false),
                Err(TryLockError::WouldBlock) => Ok(true),
                Err(TryLockError::Error(error)) => Err(Error::file("lock", path)(error)),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Error::file("read", path)(error)),
        }
    }

    async fn lock_file(&self, name: &str, patience: Duration) -> Result<Locked, Error> {
        self.create()?;
        let path = self.path.join(name);
        let failed = |error| Error::file("lock", &path)(error);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path);
        let file = file.map_err(failed)?;
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => {
                    self.keep_out_of_repositories()?;
                    return Ok(Locked { _file: file });
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
                Err(TryLockError::WouldBlock) => {}
            }
            let waited = started.elapsed();
            if waited >= patience {
                return Err(Error::StoreBusy {
                    path: self.path.clone(),
                    waited,
                });
            }
            tokio::time::sleep(POLL).await;
        }
    }

    fn create(&self) -> Result<(), Error> {
        if check(&self.path)? {
            return Ok(());
        }
        create_private(&self.path)
    }

    /// A store in a repository must not get into its history.
    fn keep_out_of_repositories(&self) -> Result<(), Error> {
        let ignore = self.path.join(".gitignore");
        if ignore.exists() {
            return Ok(());
        }
        whole_file::write(&ignore, b"*\n")
    }
}

/// A service may have a name that no file can have.
fn lock_of(service: &str) -> String {
    format!(".service-{}.lock", Fingerprint::of_place(service))
}

/// Makes a folder that its owner alone can enter.
pub(super) fn create_private(path: &Path) -> Result<(), Error> {
    let created = DirBuilder::new().recursive(true).mode(0o700).create(path);
    created.map_err(Error::file("make the folder", path))?;
    whole_file::sync_folder_of(path)
}

/// Whether the folder is there; an error if others can get at it. It is not made
/// private: whoever opened it may have read what is in it.
fn check(path: &Path) -> Result<bool, Error> {
    let metadata = match path.symlink_metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(Error::file("read", path)(error)),
    };
    let path = path.to_owned();
    if !metadata.is_dir() {
        return Err(Error::NotAFolder { path });
    }
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(Error::OpenToOthers { path, mode });
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_service_has_a_lock_of_its_own() {
        let place = tempfile::tempdir().unwrap();
        let folder = StoreFolder::at(&place.path().join("store")).unwrap();
        let at_handler = folder
            .lock_service("handler", Duration::ZERO)
            .await
            .unwrap();
        assert!(folder.is_service_locked("handler").unwrap());
        assert!(!folder.is_service_locked("agent").unwrap());
        let at_agent = folder.lock_service("agent", Duration::ZERO).await.unwrap();
        drop(at_handler);
        assert!(!folder.is_service_locked("handler").unwrap());
        assert!(folder.is_service_locked("agent").unwrap());
        drop(at_agent);
    }

    #[tokio::test]
    async fn a_lock_that_cannot_be_looked_at_is_not_taken_for_none() {
        let place = tempfile::tempdir().unwrap();
        let folder = StoreFolder::at(&place.path().join("store")).unwrap();
        drop(folder.lock().await.unwrap());
        let lock = folder.path().join(lock_of("handler"));
        std::os::unix::fs::symlink(&lock, &lock).unwrap();
        let looked = folder.is_service_locked("handler");
        assert!(matches!(looked, Err(Error::File { .. })), "{looked:?}");
    }

    #[test]
    fn a_place_that_cannot_be_looked_at_is_not_taken_for_an_empty_one() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        std::fs::write(&file, "").unwrap();
        let folder = StoreFolder::at(&file.join("store"));
        assert!(matches!(folder, Err(Error::File { .. })), "{folder:?}");
    }
}
