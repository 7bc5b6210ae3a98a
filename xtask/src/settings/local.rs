//! The platform of this machine, as the settings describe it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reencrypt::Tls;
use rotation::Role;
use secret::{DatabaseTarget, DatabaseUrl};

use super::file::{File, LocalService};
use super::{Database, PlatformName, Procedure, Surroundings, database};
use crate::cli;
use crate::failure::Failure;

/// Where the platform of this machine has its files.
pub(crate) struct Local {
    /// The file of variables.
    pub(crate) env_file: PathBuf,
    /// The folder of versions.
    pub(crate) store: PathBuf,
}

impl Local {
    /// Those of the file; else the `.env` here, and a folder beside it.
    pub(super) fn resolve(file: &File) -> Local {
        let env_file = file.local.env_file.clone().unwrap_or_else(|| ".env".into());
        let folder = env_file.parent().unwrap_or(Path::new(""));
        let beside = || folder.join(".rotation");
        Local {
            store: file.local.store.clone().unwrap_or_else(beside),
            env_file,
        }
    }
}

impl Procedure {
    /// Whether the platform restarts the service: on this machine, if the settings say how.
    pub(crate) fn can_restart(&self, role: Role) -> bool {
        self.platform != PlatformName::Local || self.local_service(role).restart.is_some()
    }

    /// The platform of this machine, for a database.
    ///
    /// # Errors
    ///
    /// A store that can't be used.
    pub(super) fn local_platform(
        &self,
        database: Option<&DatabaseUrl>,
    ) -> Result<platform::Platform, Failure> {
        platform::local::platform(self.local_settings(database))
            .map_err(|error| Failure::from_platform(&error))
    }

    pub(super) fn local_settings(
        &self,
        database: Option<&DatabaseUrl>,
    ) -> platform::local::Settings {
        let services = [Role::Agent, Role::Handler].map(|role| {
            let settings = self.local_service(role);
            let settings = platform::local::ServiceSettings {
                restart: settings.restart.clone(),
                ready: settings.ready.clone(),
                timeout: settings.timeout.unwrap_or(Duration::from_secs(60)),
            };
            (self.service(role), settings)
        });
        let sqlite = database.and_then(|url| match url.target() {
            DatabaseTarget::Sqlite(target) => Some(target.path.clone()),
            DatabaseTarget::Postgres(_) => None,
        });
        platform::local::Settings {
            env_file: self.local.env_file.clone(),
            store: self.local.store.clone(),
            services: BTreeMap::from(services),
            sqlite,
        }
    }

    /// The database that the `.env` file names.
    ///
    /// # Errors
    ///
    /// When it names none that can be used.
    pub(super) fn database_of_env_file(
        &self,
        timeouts: &cli::Timeouts,
        surroundings: &Surroundings<'_>,
    ) -> Result<Database, Failure> {
        database::with_url(self.url_of_env_file()?, self.tls(surroundings)?, timeouts)
    }

    /// Its URL, as seen from here.
    ///
    /// # Errors
    ///
    /// When the file names none that can be used.
    pub(super) fn url_of_env_file(&self) -> Result<DatabaseUrl, Failure> {
        let path = &self.local.env_file;
        let value = platform::local::variable(path, "DATABASE_URL")
            .map_err(|error| Failure::from_platform(&error))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        match value.database_url() {
            Some(Ok(url)) => Ok(url.read_in(folder)),
            Some(Err(error)) => Err(unusable(path, &error.to_string(), error.hint())),
            None => Err(unusable(path, "it is not UTF-8", None)),
        }
    }

    /// Whether TLS is demanded, by this process's environment, else by the `.env` file.
    ///
    /// # Errors
    ///
    /// What is neither yes nor no.
    pub(crate) fn tls(&self, surroundings: &Surroundings<'_>) -> Result<Tls, Failure> {
        let mut require_ssl = database::require_ssl(surroundings);
        if require_ssl.is_empty() && self.platform == PlatformName::Local {
            let path = &self.local.env_file;
            let found = platform::local::plain_variable(path, "DATABASE_REQUIRE_SSL")
                .map_err(|error| Failure::from_platform(&error))?;
            *require_ssl = found.unwrap_or_default().into_bytes();
        }
        database::tls(&require_ssl)
    }

    fn local_service(&self, role: Role) -> &LocalService {
        match role {
            Role::Agent => &self.file.local.agent,
            Role::Handler => &self.file.local.handler,
        }
    }
}

fn unusable(path: &Path, reason: &str, hint: Option<&str>) -> Failure {
    Failure::check(format!(
        "the DATABASE_URL in `{}` can't be used: {reason}",
        path.display()
    ))
    .nothing_changed()
    .hint_if_any(hint)
}
