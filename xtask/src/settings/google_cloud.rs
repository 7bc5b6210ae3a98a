//! Google Cloud, as the settings and the service's own variables describe it.

use std::path::PathBuf;

use platform::google_cloud::{self, SqlProxy};
use platform::{Error, Reference, VersionState};
use secret::{DatabaseUrl, SecretValue, Versioned};

use super::file::File;
use super::{PlatformName, Surroundings};
use crate::failure::Failure;

/// Where the service is deployed.
#[derive(Clone, Debug, Default)]
pub(crate) struct GoogleCloud {
    /// The project's id.
    pub(crate) project: String,
    /// The region of the services.
    pub(crate) region: String,
    /// The instance of Cloud SQL, if the database is on one.
    pub(crate) instance: Option<String>,
    gcloud: Option<PathBuf>,
    cloud_sql_proxy: Option<PathBuf>,
}

impl GoogleCloud {
    /// Merges the file and the environment; the environment goes before.
    ///
    /// # Errors
    ///
    /// A project that isn't named, where this is the platform.
    pub(super) fn resolve(
        file: &File,
        platform: PlatformName,
        surroundings: &Surroundings<'_>,
    ) -> Result<GoogleCloud, Failure> {
        let settings = file.google_cloud.clone();
        let project = surroundings
            .text("GOOGLE_CLOUD_PROJECT")?
            .or(settings.project);
        if project.is_none() && platform == PlatformName::GoogleCloud {
            return Err(Failure::check("no project of Google Cloud is named")
                .nothing_changed()
                .hint("set GOOGLE_CLOUD_PROJECT, or `project` under `[google_cloud]` in rotation.toml"));
        }
        let region = surroundings
            .text("GOOGLE_CLOUD_LOCATION")?
            .or(settings.region);
        Ok(GoogleCloud {
            project: project.unwrap_or_default(),
            region: region.unwrap_or_else(|| "us-central1".to_owned()),
            instance: surroundings.text("DB_INSTANCE_NAME")?.or(settings.instance),
            gcloud: settings.gcloud,
            cloud_sql_proxy: settings.cloud_sql_proxy,
        })
    }

    /// The platform. Nothing is asked yet.
    ///
    /// # Errors
    ///
    /// A name that can't be one.
    pub(super) fn platform(&self) -> Result<platform::Platform, Failure> {
        google_cloud::platform(self.settings()).map_err(|error| Failure::from_platform(&error))
    }

    /// Starts the proxy that a URL needs, if it needs one.
    ///
    /// # Errors
    ///
    /// When it opens no socket.
    pub(super) async fn proxy(&self, url: &DatabaseUrl) -> Result<Option<SqlProxy>, Failure> {
        let Some(instance) = SqlProxy::needed_for(url) else {
            return Ok(None);
        };
        let program = self.cloud_sql_proxy.clone();
        let program = program.unwrap_or_else(|| "cloud-sql-proxy".into());
        let started = SqlProxy::start(&program, instance).await;
        started
            .map(Some)
            .map_err(|error| Failure::from_platform(&error))
    }

    pub(super) fn settings(&self) -> google_cloud::Settings {
        google_cloud::Settings {
            project: self.project.clone(),
            region: self.region.clone(),
            instance: self.instance.clone(),
            gcloud: self.gcloud.clone().unwrap_or_else(|| "gcloud".into()),
            timeouts: google_cloud::Timeouts::default(),
            environment: Vec::new(),
        }
    }
}

/// The database's URL, as the service reads it from the store.
///
/// # Errors
///
/// When it can't be read, or is none.
pub(super) async fn stored_url(
    platform: &platform::Platform,
    secret: &str,
) -> Result<DatabaseUrl, Failure> {
    let stored = newest_enabled(platform, secret).await;
    let stored = stored.map_err(|error| Failure::from_platform(&error))?;
    let refusal = |reason: &str, hint: Option<&str>| {
        let version = stored.version;
        Failure::check(format!(
            "version {version} of `{secret}` can't be used: {reason}"
        ))
        .nothing_changed()
        .hint_if_any(hint)
    };
    match stored.value.database_url() {
        Some(Ok(url)) => Ok(url),
        Some(Err(error)) => Err(refusal(&error.to_string(), error.hint())),
        None => Err(refusal("it is not UTF-8", None)),
    }
}

/// The latest version; where that is disabled, the newest one that can be read.
async fn newest_enabled(
    platform: &platform::Platform,
    secret: &str,
) -> Result<Versioned<SecretValue>, Error> {
    let store = &platform.store;
    let latest = store.access(secret, Reference::Latest).await;
    if let Err(Error::VersionState { .. }) = latest {
        let versions = store.versions(secret).await?;
        let mut enabled = versions
            .iter()
            .filter(|version| version.state == VersionState::Enabled);
        if let Some(newest) = enabled.next() {
            return store.access(secret, Reference::Number(newest.number)).await;
        }
    }
    latest
}
