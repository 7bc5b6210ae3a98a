//! Whether a rotation on Google Cloud could come to its end: asked, and nothing changed.

mod login;
mod permissions;
mod resources;
mod rest;
mod secrets;
mod services;

use std::sync::Arc;

use futures_util::future::join_all;

use self::login::Login;
use self::permissions::Need;
use self::resources::Resource;
use self::rest::Rest;
use super::Settings;
use super::backups::SqlBackups;
use super::gcloud::Gcloud;
use super::services::CloudRun;
use super::store::SecretManager;
use crate::examination::{Examination, Finding, Installation, of_backups};

/// `gcloud` takes a second of a processor for each call.
const CALLS_AT_ONCE: usize = 8;

/// Everything that is looked at with.
struct Examiner<'a> {
    gcloud: Arc<Gcloud>,
    store: SecretManager,
    services: CloudRun,
    installation: &'a Installation,
}

/// Examines an installation. Whatever can't be found out is a finding, too. Where
/// nobody is logged in, nothing else is asked.
pub async fn examine(settings: Settings, installation: &Installation) -> Examination {
    if let Err(error) = settings.check_names() {
        let finding = Finding::of_error("settings", &error, installation.all());
        return Examination::cut_short(vec![finding]);
    }
    let gcloud = Arc::new(Gcloud::new(settings));
    let store = SecretManager::new(Arc::clone(&gcloud));
    let examiner = Examiner {
        services: CloudRun::new(Arc::clone(&gcloud), store.clone()),
        store,
        gcloud,
        installation,
    };
    let (login, findings) = login::look(&examiner.gcloud, installation).await;
    match login {
        Some(login) => examiner.examine(&login, findings).await,
        None => Examination::cut_short(findings),
    }
}

impl Examination {
    fn cut_short(findings: Vec<Finding>) -> Examination {
        Examination {
            findings,
            is_cut_short: true,
        }
    }
}

impl Examiner<'_> {
    async fn examine(&self, login: &Login, mut findings: Vec<Finding>) -> Examination {
        let services = self.installation.services();
        let looked = services.iter().map(|name| self.services.examine(name));
        let (looked, backups) = tokio::join!(join_all(looked), self.backups());
        let mut seen = Vec::new();
        let mut of_services = Vec::new();
        for (name, looked) in services.into_iter().zip(looked) {
            match looked {
                Ok(service) => {
                    of_services.extend(self.of_service(&service));
                    seen.push(service);
                }
                Err(error) => {
                    let stops = self.installation.rotations_of(name);
                    of_services.push(Finding::of_error("services", &error, stops));
                }
            }
        }
        let (permissions, of_secrets) = tokio::join!(
            self.of_permissions(login, self.needs(&seen)),
            self.of_secrets(&seen)
        );
        findings.extend(permissions);
        findings.extend(of_secrets);
        findings.extend(of_services);
        findings.push(backups);
        Examination {
            findings,
            is_cut_short: false,
        }
    }

    async fn backups(&self) -> Finding {
        let Some(instance) = self.gcloud.settings.instance.clone() else {
            let text = "no instance of Cloud SQL is named: people have to make the backup";
            return Finding::warning("backups", text).mended_by(
                "set DB_INSTANCE_NAME, or `instance` under `[google_cloud]` in rotation.toml",
            );
        };
        let gcloud = Arc::clone(&self.gcloud);
        of_backups(&SqlBackups { gcloud, instance }, self.installation).await
    }

    async fn of_permissions(&self, login: &Login, needs: Vec<Need>) -> Vec<Finding> {
        let rest = match Rest::new(login, &self.gcloud.settings) {
            Ok(rest) => rest,
            Err(reason) => {
                let text = format!("permissions can't be tested: {reason}");
                return vec![Finding::fault("permissions", text, self.installation.all())];
            }
        };
        let tested = needs.iter().map(|need| need.test(&rest, login));
        join_all(tested).await.into_iter().flatten().collect()
    }

    fn project(&self) -> Resource {
        Resource::Project {
            project: self.gcloud.settings.project.clone(),
        }
    }

    /// `--project=…` for a command that mends something.
    fn in_project(&self) -> String {
        self.gcloud.settings.in_project()
    }

    /// The same with the region, for one about a service.
    fn in_region(&self) -> String {
        self.gcloud.settings.in_region()
    }
}
