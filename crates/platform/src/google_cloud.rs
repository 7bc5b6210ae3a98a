//! The platform of the service as it is deployed: Secret Manager, Cloud Run and
//! Cloud SQL, all of them asked through `gcloud`.

mod backups;
mod commands;
mod error;
mod examine;
mod failure;
mod gcloud;
mod process;
#[cfg(any(test, fuzzing))]
pub mod properties;
mod rehearsal;
mod roles;
mod services;
mod sql_proxy;
mod store;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::{Backups, Error, Platform};

pub use self::error::CloudError;
pub use self::examine::examine;
pub use self::sql_proxy::SqlProxy;

/// What the platform needs to know. The account is the one that `gcloud` is logged
/// in with; neither it nor any other setting of the user's is changed.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The project's id.
    pub project: String,
    /// The region of the services.
    pub region: String,
    /// The Cloud SQL instance of the service's database; none where backups are
    /// somebody else's work.
    pub instance: Option<String>,
    /// The program, by its name or its path.
    pub gcloud: PathBuf,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// Further variables of the child's environment, for tests.
    pub environment: Vec<(String, String)>,
}

/// How long things may take, each of them killed or given up after that.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// One call of `gcloud`. Its own retries of a server that is away take half a
    /// minute.
    pub call: Duration,
    /// A new revision, until it is ready.
    pub ready: Duration,
    /// Traffic, until it is where it was sent.
    pub traffic: Duration,
    /// A backup, until it is complete.
    pub backup: Duration,
    /// Between two looks at something that is awaited.
    pub poll: Duration,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts {
            call: Duration::from_secs(90),
            ready: Duration::from_secs(10 * 60),
            traffic: Duration::from_secs(3 * 60),
            backup: Duration::from_secs(2 * 60 * 60),
            poll: Duration::from_millis(500),
        }
    }
}

impl Settings {
    fn check_names(&self) -> Result<(), Error> {
        let names = [
            ("project", Some(&self.project)),
            ("region", Some(&self.region)),
            ("instance", self.instance.as_ref()),
        ];
        for (what, name) in names {
            if name.is_some_and(|name| !is_name(name)) {
                return Err(CloudError::Name { what }.into());
            }
        }
        Ok(())
    }
}

/// The platform. Nothing is asked yet.
///
/// # Errors
///
/// [`CloudError::Name`] for a project, region or instance that can't be one.
pub fn platform(settings: Settings) -> Result<Platform, Error> {
    settings.check_names()?;
    let place = format!("{}/{}", settings.project, settings.region);
    let gcloud = Arc::new(gcloud::Gcloud::new(settings));
    let backups = gcloud.settings.instance.clone().map(|instance| {
        let gcloud = Arc::clone(&gcloud);
        Box::new(backups::SqlBackups { gcloud, instance }) as Box<dyn Backups>
    });
    let store = store::SecretManager::new(Arc::clone(&gcloud));
    let services = || services::CloudRun::new(Arc::clone(&gcloud), store.clone());
    Ok(Platform {
        name: "google-cloud",
        place,
        configuration: None,
        store: Box::new(store.clone()),
        services: Box::new(services()),
        backups,
        callers: Some(Box::new(services())),
        rehearsal: Box::new(rehearsal::CloudRehearsal::new(
            Arc::clone(&gcloud),
            services(),
        )),
    })
}

/// Whether it can be a name of Google's, and can't be taken for a flag, a list or
/// an assignment on `gcloud`'s command line.
fn is_name(name: &str) -> bool {
    let is_allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
    (1..=255).contains(&name.len())
        && name.bytes().all(is_allowed)
        && name.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_')
}
