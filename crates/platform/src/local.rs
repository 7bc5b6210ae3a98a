//! The platform of a developer's machine: a store in a folder, services that
//! read a `.env` file, a database in a file.

mod backups;
mod command;
mod env_file;
mod examine;
mod folder;
mod record;
mod rehearsal;
mod services;
mod store;
mod whole_file;

pub use self::whole_file::write as write_whole_file;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::ExposeSecret as _;
use secret::SecretValue;

use crate::{Backups, Error, Platform};

pub use self::examine::examine;

/// What the local platform needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The file of variables that the services read when they start.
    pub env_file: PathBuf,
    /// The folder of the store; made when something is first kept in it.
    pub store: PathBuf,
    /// The services, by their names.
    pub services: BTreeMap<String, ServiceSettings>,
    /// The file of the service's database; none where it is on a server, which
    /// this platform makes no backups of.
    pub sqlite: Option<PathBuf>,
}

/// How one service is started.
#[derive(Clone, Debug)]
pub struct ServiceSettings {
    /// The command that restarts it, and ends then: what it leaves running must
    /// not hold on to this program's standard error. Without one nothing is
    /// restarted, as befits a service that doesn't run.
    pub restart: Option<Vec<String>>,
    /// The command that succeeds when the service is ready.
    pub ready: Option<Vec<String>>,
    /// How long a restart may take, and becoming ready after it.
    pub timeout: Duration,
}

/// The local platform. Nothing is written yet.
///
/// # Errors
///
/// [`Error::NotAFolder`] and [`Error::OpenToOthers`] for a store that is there and
/// not private.
pub fn platform(settings: Settings) -> Result<Platform, Error> {
    let folder = folder::StoreFolder::at(&settings.store)?;
    let store = store::LocalStore::new(folder.clone());
    let place = folder.path().display().to_string();
    let services = services::LocalServices {
        folder: folder.clone(),
        store: store.clone(),
        env_file: settings.env_file.clone(),
        settings: settings.services.clone(),
    };
    let rehearsal = rehearsal::LocalRehearsal::new(settings.clone(), services.clone());
    let backups = settings.sqlite.map(|database| {
        Box::new(backups::SqliteBackups::new(folder, database)) as Box<dyn Backups>
    });
    Ok(Platform {
        name: "local",
        place,
        configuration: Some(settings.env_file),
        store: Box::new(store),
        services: Box::new(services),
        backups,
        callers: None,
        rehearsal: Box::new(rehearsal),
    })
}

/// The value of a variable of a `.env` file.
///
/// # Errors
///
/// [`Error::NoEnvFile`] and [`Error::NoVariable`]; when the file can't be read.
pub fn variable(env_file: &Path, name: &str) -> Result<SecretValue, Error> {
    env_file::EnvFile::read(env_file)?.value(name)
}

/// The value of a variable that holds no secret; nothing where the file doesn't set it.
///
/// # Errors
///
/// [`Error::NoEnvFile`]; when the file can't be read.
#[expect(
    clippy::disallowed_methods,
    reason = "for variables such as DATABASE_REQUIRE_SSL, which are no secrets"
)]
pub fn plain_variable(env_file: &Path, name: &str) -> Result<Option<String>, Error> {
    match variable(env_file, name) {
        Ok(value) => Ok(Some(
            String::from_utf8_lossy(value.expose_secret()).into_owned(),
        )),
        Err(Error::NoVariable { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
