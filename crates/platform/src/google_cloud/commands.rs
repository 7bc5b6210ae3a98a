//! Commands that a person types where this tool doesn't act itself.

use super::Settings;

impl Settings {
    /// `--project=…`
    pub(super) fn in_project(&self) -> String {
        format!("--project={}", self.project)
    }

    /// The same with the region, for a command about a service.
    pub(super) fn in_region(&self) -> String {
        format!("{} --region={}", self.in_project(), self.region)
    }

    /// Sends traffic: `to` is the flag that says where to.
    pub(super) fn update_traffic(&self, service: &str, to: &str) -> String {
        let place = self.in_region();
        format!("gcloud run services update-traffic {service} {place} {to}")
    }

    /// Binds a variable to a version of a secret: `latest`, or a number.
    pub(super) fn bind(&self, service: &str, variable: &str, secret: &str, key: &str) -> String {
        let binding = format!("--update-secrets={variable}={secret}:{key}");
        self.update_service(service, &[binding])
    }

    /// Makes a revision: what is to be otherwise, as flags.
    pub(super) fn update_service(&self, service: &str, flags: &[String]) -> String {
        let (place, flags) = (self.in_region(), flags.join(" "));
        format!("gcloud run services update {service} {place} {flags}")
    }

    /// Has traffic follow the latest revision: a new one first, where anything is to be
    /// otherwise.
    pub(super) fn follow_latest(&self, service: &str, flags: &[String]) -> String {
        let follow = self.update_traffic(service, "--to-latest");
        match flags.is_empty() {
            true => follow,
            false => format!("{} && {follow}", self.update_service(service, flags)),
        }
    }
}
