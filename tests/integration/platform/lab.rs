//! A local platform in a folder of its own, with a stand-in for the service.
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use platform::local::{ServiceSettings, Settings};
use platform::{Binding, Bound, Error, Platform, Service};
use secret::{SecretValue, VersionNumber};
use tempfile::TempDir;

pub(super) const SERVICE: &str = "marketplace-handler";
pub(super) const SECRET: &str = "dcr-encryption-key";
pub(super) const VARIABLE: &str = "DCR_ENCRYPTION_KEY";
/// What the service reads at first.
pub(super) const OLD: &str = "hunter2-old";
pub(super) const NEW: &str = "hunter2-new";

/// Notes that it was started, reads its variables, and ends as `fails` says.
const RESTART: &str =
    "echo restarted >> \"$1/log\"; test ! -e \"$1/fails\" && cp \"$1/.env\" \"$1/running\"";

pub(super) fn binding() -> Binding {
    Binding {
        variable: VARIABLE.to_owned(),
        secret: SECRET.to_owned(),
    }
}

pub(super) fn value(text: &str) -> SecretValue {
    SecretValue::from(text.as_bytes())
}

pub(super) struct Lab {
    folder: TempDir,
}

impl Lab {
    pub(super) fn new() -> Result<Lab> {
        let lab = Lab {
            folder: TempDir::new()?,
        };
        lab.write_env(&format!("A=1\n{VARIABLE}={OLD}\nB=2\n"))?;
        fs::copy(lab.env(), lab.path("running"))?;
        let mut database = SqliteConnection::establish(&lab.database())?;
        database.batch_execute("create table t (a text); insert into t values ('hunter2')")?;
        Ok(lab)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn env(&self) -> PathBuf {
        self.path(".env")
    }

    pub(super) fn store(&self) -> PathBuf {
        self.path("store")
    }

    /// Each database has a folder of its own there.
    pub(super) fn backups(&self) -> PathBuf {
        let database = self.database();
        let name = database.rsplit('/').next().unwrap_or_default();
        let place = secret::Fingerprint::of_place(name);
        self.store().join("backups").join(place.to_string())
    }

    pub(super) fn database(&self) -> String {
        self.path("service.db").to_string_lossy().into_owned()
    }

    pub(super) fn settings(&self) -> Settings {
        let words = |words: &[&str]| {
            let folder = self.folder.path().to_string_lossy();
            let words = words.iter().copied().chain(["sh", &folder]);
            Some(words.map(str::to_owned).collect())
        };
        let service = ServiceSettings {
            restart: words(&["sh", "-c", RESTART]),
            ready: words(&["sh", "-c", "test -e \"$1/running\""]),
            timeout: Duration::from_secs(20),
        };
        Settings {
            env_file: self.env(),
            store: self.store(),
            services: BTreeMap::from([(SERVICE.to_owned(), service)]),
            sqlite: Some(self.database().into()),
        }
    }

    /// As a new process would make it.
    pub(super) fn platform(&self) -> Result<Platform, Error> {
        platform::local::platform(self.settings())
    }

    pub(super) async fn platform_with_a_version(&self) -> Result<Platform> {
        let platform = self.platform()?;
        platform.store.add(SECRET, &value(OLD)).await?;
        Ok(platform)
    }

    /// The second version, and a revision that reads it.
    pub(super) async fn prepared(&self) -> Result<(Platform, VersionNumber, String)> {
        let platform = self.platform_with_a_version().await?;
        let number = platform.store.add(SECRET, &value(NEW)).await?;
        let to = Bound::Pinned(number);
        let revision = platform.services.prepare(SERVICE, &binding(), to).await?;
        Ok((platform, number, revision))
    }

    pub(super) async fn describe(&self) -> Result<Service> {
        let services = self.platform()?.services;
        Ok(services.describe(SERVICE, &binding()).await?)
    }

    /// The same, once nobody has the service's lock: other tests of this process start programs,
    /// and one that is about to start has all that is open here.
    pub(super) async fn describe_at_rest(&self) -> Result<Service> {
        let services = self.platform()?.services;
        Ok(services.describe_at_rest(SERVICE, &binding()).await?)
    }

    pub(super) fn write_env(&self, text: &str) -> Result<()> {
        fs::write(self.env(), text)?;
        fs::set_permissions(self.env(), fs::Permissions::from_mode(0o600))?;
        Ok(())
    }

    pub(super) fn read(&self, name: &str) -> Result<String> {
        fs::read_to_string(self.path(name)).with_context(|| name.to_owned())
    }

    /// How often the service was restarted.
    pub(super) fn restarts(&self) -> usize {
        self.read("log").unwrap_or_default().lines().count()
    }

    pub(super) fn names_in(folder: &Path) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(folder)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }
}

pub(super) fn mode(path: &Path) -> Result<u32> {
    Ok(fs::metadata(path)?.permissions().mode() & 0o777)
}
