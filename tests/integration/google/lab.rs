//! A project of the stand-in's, and the platform over the real `gcloud`.
use std::num::NonZeroU64;
use std::time::Duration;

use anyhow::{Context as _, Result};
use integration_tests::google::{self, GcloudConfig, Google};
use platform::google_cloud::{Settings, Timeouts};
use platform::{Binding, Bound, Error, Platform, Service};
use secret::{SecretValue, VersionNumber};
use serde_json::Value;

pub(super) const INSTALLED: &str = "marketplace-handler";
pub(super) const SECRET: &str = "dcr-encryption-key";
pub(super) const OTHER: &str = "gma-client-secret";
/// A secret without a version.
pub(super) const EMPTY: &str = "a-secret";
/// What the service reads at first.
pub(super) const OLD: &str = "hunter2-old";

pub(super) fn binding() -> Binding {
    Binding {
        variable: "DCR_ENCRYPTION_KEY".to_owned(),
        secret: SECRET.to_owned(),
    }
}

pub(super) fn value(text: &str) -> SecretValue {
    SecretValue::from(text.as_bytes())
}

/// As somebody types it: whether it succeeded, and all that it printed.
pub(super) async fn gcloud(config: &GcloudConfig, words: &[&str]) -> Result<(bool, String)> {
    let mut command = tokio::process::Command::from(config.command());
    command.args(words).args(["--project=p1", "--quiet"]);
    if words.first() == Some(&"run") {
        command.arg("--region=us-central1");
    }
    let output = command.output().await?;
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed).into_owned();
    Ok((output.status.success(), printed))
}

pub(super) struct Lab {
    pub(super) google: Google,
    pub(super) config: GcloudConfig,
    pub(super) platform: Platform,
}

impl Lab {
    /// A project with an installation; nothing where `gcloud` needn't be.
    pub(super) async fn new() -> Result<Option<Lab>> {
        Lab::with(|_| {}).await
    }

    pub(super) async fn with(change: impl FnOnce(&mut Settings)) -> Result<Option<Lab>> {
        if !super::has_gcloud() {
            return Ok(None);
        }
        let google = Google::start().await;
        {
            let mut world = google.world();
            for secret in [EMPTY, "a-secret-other"] {
                world.secrets.create(secret);
            }
            world.secrets.add(SECRET, OLD.as_bytes());
            world.secrets.add(OTHER, b"hunter2-gma");
            let variables = [("DCR_ENCRYPTION_KEY", SECRET), ("GMA_CLIENT_SECRET", OTHER)];
            world.run.create(INSTALLED, &variables);
        }
        let config = GcloudConfig::new(&google);
        let mut settings = Settings {
            project: google::PROJECT.to_owned(),
            region: google::REGION.to_owned(),
            instance: Some(google::INSTANCE.to_owned()),
            gcloud: "gcloud".into(),
            timeouts: Timeouts {
                call: Duration::from_secs(60),
                ready: Duration::from_secs(60),
                traffic: Duration::from_secs(60),
                backup: Duration::from_secs(60),
                poll: Duration::from_millis(50),
            },
            environment: config.environment(),
        };
        change(&mut settings);
        Ok(Some(Lab {
            platform: platform::google_cloud::platform(settings)?,
            google,
            config,
        }))
    }

    /// As somebody types it: whether it succeeded, and all that it printed.
    pub(super) async fn gcloud(&self, words: &[&str]) -> Result<(bool, String)> {
        gcloud(&self.config, words).await
    }

    /// The version that there is at first.
    pub(super) fn first(&self) -> Bound {
        Bound::Pinned(NonZeroU64::MIN.into())
    }

    pub(super) fn add(&self, text: &str) -> Result<Bound> {
        let number = self.google.world().secrets.add(SECRET, text.as_bytes());
        let number = VersionNumber::new(u64::try_from(number)?);
        Ok(Bound::Pinned(number.context("a number")?))
    }

    pub(super) async fn prepare(&self, to: Bound) -> Result<String, Error> {
        let services = &self.platform.services;
        services.prepare(INSTALLED, &binding(), to).await
    }

    pub(super) async fn cut_over(&self, revision: &str) -> Result<(), Error> {
        self.platform.services.cut_over(INSTALLED, revision).await
    }

    pub(super) async fn discard_others(&self) -> Result<()> {
        let service = self.describe().await?;
        for revision in service.revisions {
            if revision.name != service.serving {
                let services = &self.platform.services;
                services.discard(INSTALLED, &revision.name).await?;
            }
        }
        Ok(())
    }

    /// What Cloud Run was told of the service.
    pub(super) fn spec(&self) -> Value {
        self.google.world().run.services[INSTALLED].spec.clone()
    }

    pub(super) fn revisions(&self) -> usize {
        self.google.world().run.services[INSTALLED].revisions.len()
    }

    pub(super) async fn describe(&self) -> Result<Service> {
        let services = &self.platform.services;
        Ok(services.describe(INSTALLED, &binding()).await?)
    }

    /// Every request's path and host: where no value may ever stand.
    pub(super) fn targets(&self) -> String {
        let world = self.google.world();
        let targets = world
            .requests
            .iter()
            .map(|one| format!("{} {}\n", one.host, one.target));
        targets.collect()
    }
}
