//! Whether every version that a service reads can be read.
//!
//! Cloud Run looks at all of them whenever a revision is made: one that can't be read
//! stops the rotation of every other secret of the service.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt as _};
use secret::VersionNumber;

use super::{CALLS_AT_ONCE, Examiner};
use crate::examination::{Finding, Rotated};
use crate::google_cloud::services::{Bond, Examined};
use crate::{Bound, Error, Reference, SecretStore as _, VersionState};

const TOPIC: &str = "secrets";

/// A version that services read.
struct Read<'a> {
    secret: &'a str,
    /// `latest`, or a number.
    key: &'a str,
    services: Vec<&'a str>,
}

impl Examiner<'_> {
    pub(super) async fn of_secrets(&self, services: &[Examined]) -> Vec<Finding> {
        let read = versions_of(services);
        let count = read.len();
        let asked = stream::iter(&read).map(|one| self.of_version(one));
        let found: Vec<Option<Finding>> = asked.buffered(CALLS_AT_ONCE).collect().await;
        let mut findings: Vec<Finding> = found.into_iter().flatten().collect();
        let fine = count - findings.len();
        if fine > 0 {
            let text = format!("{fine} of the {count} versions that the services read are enabled");
            findings.insert(0, Finding::fine(TOPIC, text));
        }
        findings.extend(self.of_newer(services).await);
        findings
    }

    /// What keeps a version from being read, or nothing.
    async fn of_version(&self, read: &Read<'_>) -> Option<Finding> {
        let Read { secret, key, .. } = read;
        let readers = read.services.join("` or `");
        let stops = self.stopped_by(read);
        let Some(reference) = reference(key) else {
            let text = format!(
                "version `{key}` of `{secret}` is neither `latest` nor a number: no instance of `{readers}` can start"
            );
            return Some(Finding::fault(TOPIC, text, stops));
        };
        let project = self.in_project();
        match self.store.state(secret, reference).await {
            Ok(version) if version.state == VersionState::Enabled => None,
            Ok(version) => {
                let number = version.number;
                let which = match reference {
                    Reference::Latest => format!("version {number}, the latest one,"),
                    Reference::Number(_) => format!("version {number}"),
                };
                let text = format!(
                    "{which} of `{secret}` is {}: no instance of `{readers}` can start",
                    version.state
                );
                let command = match version.state {
                    VersionState::Disabled => {
                        format!(
                            "gcloud secrets versions enable {number} --secret={secret} {project}"
                        )
                    }
                    _ => add(secret, &project),
                };
                Some(Finding::fault(TOPIC, text, stops).mended_by(command))
            }
            Err(Error::NoSuchVersion { .. }) => {
                let text = format!(
                    "`{secret}` has no version `{key}`: no instance of `{readers}` can start"
                );
                Some(Finding::fault(TOPIC, text, stops).mended_by(add(secret, &project)))
            }
            Err(error) => Some(Finding::of_error(TOPIC, &error, stops)),
        }
    }

    /// Every rotation that makes a revision of one of these services.
    fn stopped_by(&self, read: &Read<'_>) -> Vec<String> {
        let rotations = self.installation.rotations.iter();
        let has_part = |one: &&Rotated| {
            let mut services = one.services.iter();
            services.any(|service| read.services.contains(&service.as_str()))
        };
        rotations
            .filter(has_part)
            .map(|one| one.name.clone())
            .collect()
    }

    /// Versions newer than the one that a service is pinned to, with another value:
    /// somebody rotates by hand, or did, and a rotation would refuse to begin.
    async fn of_newer(&self, services: &[Examined]) -> Vec<Finding> {
        let mut findings = Vec::new();
        for rotated in &self.installation.rotations {
            for service in services {
                if let Bond::Secret(Bound::Pinned(number)) = service.bond(&rotated.binding)
                    && rotated.services.contains(&service.name)
                    && let Some(newer) = self.newer(&rotated.binding.secret, number).await
                {
                    findings.push(self.foreign(rotated, &service.name, number, newer));
                    break;
                }
            }
        }
        findings
    }

    /// The latest version, where it is newer and enabled and has another value.
    /// What can't be read here is a finding of the permissions or the versions.
    async fn newer(&self, secret: &str, than: VersionNumber) -> Option<VersionNumber> {
        let latest = self.store.state(secret, Reference::Latest).await.ok()?;
        if latest.number <= than || latest.state != VersionState::Enabled {
            return None;
        }
        let one = self.store.access(secret, Reference::Number(than));
        let other = self.store.access(secret, Reference::Number(latest.number));
        let (one, other) = tokio::join!(one, other);
        (one.ok()?.value != other.ok()?.value).then_some(latest.number)
    }

    fn foreign(
        &self,
        rotated: &Rotated,
        service: &str,
        number: VersionNumber,
        newer: VersionNumber,
    ) -> Finding {
        let secret = &rotated.binding.secret;
        let text = format!(
            "version {newer} of `{secret}` is newer than version {number}, which `{service}` reads, \
             and has another value: somebody rotates it by hand"
        );
        let command = format!(
            "gcloud secrets versions disable {newer} --secret={secret} {}",
            self.in_project()
        );
        Finding::fault(TOPIC, text, vec![rotated.name.clone()]).mended_by(command)
    }
}

/// What the services read, each version once.
fn versions_of(services: &[Examined]) -> Vec<Read<'_>> {
    let mut readers: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for service in services {
        for (secret, key) in &service.references {
            let read_by = readers.entry((secret, key)).or_default();
            read_by.push(&service.name);
        }
    }
    let read = |((secret, key), services)| Read {
        secret,
        key,
        services,
    };
    readers.into_iter().map(read).collect()
}

fn reference(key: &str) -> Option<Reference> {
    match key {
        "latest" => Some(Reference::Latest),
        number => number.parse().ok().map(Reference::Number),
    }
}

/// Its value comes by standard input, and never stands on a command line.
fn add(secret: &str, in_project: &str) -> String {
    format!("gcloud secrets versions add {secret} {in_project} --data-file=-")
}
