//! What is to be said of each service.

use super::Examiner;
use crate::examination::Finding;
use crate::google_cloud::services::{Bond, Examined};

const TOPIC: &str = "services";

impl Examiner<'_> {
    pub(super) fn of_service(&self, service: &Examined) -> Vec<Finding> {
        let mut findings = vec![self.of_readiness(service)];
        findings.extend(self.of_traffic(service));
        findings.extend(self.of_difference(service));
        findings.extend(self.of_bindings(service));
        findings.extend(self.of_sidecars(service));
        findings
    }

    fn of_readiness(&self, service: &Examined) -> Finding {
        let (name, serving) = (&service.name, &service.serving);
        if service.is_ready {
            return Finding::fine(
                TOPIC,
                format!("`{name}` is ready, and serves with `{serving}`"),
            );
        }
        let stops = self.installation.rotations_of(name);
        if service.share < 100 {
            let text = format!(
                "the traffic of `{name}` is split: `{serving}` has {} % of it",
                service.share
            );
            let command = self.update_traffic(name, &format!("--to-revisions={serving}=100"));
            return Finding::fault(TOPIC, text, stops).mended_by(command);
        }
        let message = service.message.as_deref().filter(|text| !text.is_empty());
        let why = message.unwrap_or("a change of it is under way");
        Finding::fault(TOPIC, format!("`{name}` is not ready: {why}"), stops)
            .mended_by(self.describe(name))
    }

    /// Traffic that stays where it is gives no later deployment any, in silence.
    fn of_traffic(&self, service: &Examined) -> Vec<Finding> {
        let name = &service.name;
        let mut findings = Vec::new();
        if service.has_run {
            let text =
                format!("a run of this tool has its tags at `{name}`: it goes on, or was left");
            findings.push(Finding::warning(TOPIC, text).mended_by("cargo xtask status"));
        } else if !service.follows_latest {
            let text = format!(
                "the traffic of `{name}` is pinned to `{}`: what is deployed next gets none",
                service.serving
            );
            findings.push(Finding::warning(TOPIC, text).mended_by(self.follow_latest(service)));
        }
        if !service.foreign_tags.is_empty() {
            let tags = service.foreign_tags.join(",");
            let text = format!(
                "`{name}` has the tags `{tags}`: a version that a tagged revision reads can't be retired"
            );
            let command = self.update_traffic(name, &format!("--remove-tags={tags}"));
            findings.push(Finding::warning(TOPIC, text).mended_by(command));
        }
        findings
    }

    /// The command by which traffic follows the latest revision, which first comes to read what
    /// serves where it reads another version.
    fn follow_latest(&self, service: &Examined) -> String {
        let bindings = service.back_to_serving.join(",");
        let flag = (!bindings.is_empty()).then(|| format!("--update-secrets={bindings}"));
        let settings = &self.gcloud.settings;
        settings.follow_latest(&service.name, flag.as_slice())
    }

    fn of_difference(&self, service: &Examined) -> Option<Finding> {
        let (name, serving) = (&service.name, &service.serving);
        let difference = service.difference.as_ref()?;
        let stops = self.installation.rotations_of(name);
        let text = format!(
            "the next revision of `{name}` would differ from `{serving}` in {difference}: \
             a deployment got no traffic"
        );
        let finding = Finding::fault(TOPIC, text, stops);
        Some(finding.mended_by(self.follow_latest(service)))
    }

    fn of_bindings(&self, service: &Examined) -> Vec<Finding> {
        let name = &service.name;
        let mut findings = Vec::new();
        for rotated in &self.installation.rotations {
            if !rotated.services.contains(name) {
                continue;
            }
            let variable = &rotated.binding.variable;
            let secret = &rotated.binding.secret;
            match service.bond(&rotated.binding) {
                Bond::Secret(_) => {}
                Bond::Inline => {
                    let text = format!(
                        "`{variable}` of `{name}` stands in the service's own configuration, \
                         where everybody who may look at the service can read it"
                    );
                    findings.push(Finding::warning(TOPIC, text));
                }
                Bond::Wrong(what) => {
                    let text = format!("`{variable}` of `{name}` {what}");
                    let settings = &self.gcloud.settings;
                    let bind = settings.bind(name, variable, secret, "latest");
                    let stops = vec![rotated.name.clone()];
                    findings.push(Finding::fault(TOPIC, text, stops).mended_by(bind));
                }
            }
        }
        findings
    }

    fn of_sidecars(&self, service: &Examined) -> Vec<Finding> {
        let name = &service.name;
        let found = service.moving_sidecars.iter().map(|sidecar| {
            let (container, image) = (&sidecar.container, &sidecar.image);
            let text = format!(
                "the sidecar `{container}` of `{name}` is deployed by the moving tag `{image}`: \
                 a rotation may bring another image with it"
            );
            let repository = without_tag(image);
            Finding::warning(TOPIC, text)
                .mended_by(format!(
                    "gcloud artifacts docker images describe {image} --format='value(image_summary.digest)'"
                ))
                .mended_by(format!(
                    "gcloud run services update {name} {} --container={container} --image={repository}@DIGEST",
                    self.in_region()
                ))
        });
        found.collect()
    }

    fn update_traffic(&self, service: &str, to: &str) -> String {
        self.gcloud.settings.update_traffic(service, to)
    }

    fn describe(&self, service: &str) -> String {
        format!(
            "gcloud run services describe {service} {}",
            self.in_region()
        )
    }
}

/// `host:5000/team/image:latest` without `:latest`.
fn without_tag(image: &str) -> &str {
    match image.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => image,
    }
}

#[cfg(test)]
mod tests {
    use super::without_tag;

    #[test]
    fn a_port_is_no_tag() {
        for (image, repository) in [
            ("quay.io/team/image:latest", "quay.io/team/image"),
            ("host:5000/team/image", "host:5000/team/image"),
            ("host:5000/team/image:1", "host:5000/team/image"),
        ] {
            assert_eq!(without_tag(image), repository);
        }
    }
}
