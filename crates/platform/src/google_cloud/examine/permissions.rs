//! Which permissions each rotation needs, and on what.

use super::Examiner;
use super::login::Login;
use super::resources::Resource;
use super::rest::{Refusal, Rest};
use crate::examination::{Finding, Level};
use crate::google_cloud::roles::roles;
use crate::google_cloud::services::Examined;

const TOPIC: &str = "permissions";

/// On the secret that is rotated: reading what is there, adding the new value and
/// reading it back, retiring the old one, and taking that back.
const ON_SECRET: &[&str] = &[
    "secretmanager.versions.list",
    "secretmanager.versions.get",
    "secretmanager.versions.access",
    "secretmanager.versions.add",
    "secretmanager.versions.enable",
    "secretmanager.versions.disable",
    // For a value that leaked.
    "secretmanager.versions.destroy",
];

/// On what else it reads: a client's id, the other database's URL.
const ON_READ: &[&str] = &["secretmanager.versions.access"];

/// On each service that reads it.
const ON_SERVICE: &[&str] = &[
    "run.services.get",
    "run.services.update",
    "run.revisions.get",
];

/// On the account that a service runs as: a new revision is made to act as it.
const ON_ACCOUNT: &[&str] = &["iam.serviceAccounts.actAs"];

/// On the instance of the database, by its project.
const FOR_BACKUPS: &[&str] = &[
    "cloudsql.instances.get",
    "cloudsql.backupRuns.list",
    "cloudsql.backupRuns.get",
    "cloudsql.backupRuns.create",
];

/// For the proxy between this machine and the database, which may have a login of its own.
const FOR_PROXY: &[&str] = &["cloudsql.instances.connect"];

/// Permissions on one thing, and what fails without them.
pub(super) struct Need {
    resource: Resource,
    permissions: &'static [&'static str],
    stops: Vec<String>,
    /// What it is when one is missing.
    level: Level,
}

impl Examiner<'_> {
    /// What all rotations need together.
    pub(super) fn needs(&self, services: &[Examined]) -> Vec<Need> {
        let project = || self.gcloud.settings.project.clone();
        let need = |resource, permissions, stops| Need {
            resource,
            permissions,
            stops,
            level: Level::Fault,
        };
        let mut needs = Vec::new();
        for rotated in &self.installation.rotations {
            let secret = Resource::Secret {
                project: project(),
                secret: rotated.binding.secret.clone(),
            };
            needs.push(need(secret, ON_SECRET, vec![rotated.name.clone()]));
            for read in &rotated.also_reads {
                let secret = Resource::Secret {
                    project: project(),
                    secret: read.clone(),
                };
                needs.push(need(secret, ON_READ, vec![rotated.name.clone()]));
            }
        }
        for name in self.installation.services() {
            let service = Resource::Service {
                project: project(),
                region: self.gcloud.settings.region.clone(),
                service: name.to_owned(),
            };
            let stops = self.installation.rotations_of(name);
            needs.push(need(service, ON_SERVICE, stops));
        }
        for (email, stops) in self.accounts(services) {
            let account = Resource::Account {
                project: project(),
                email,
            };
            needs.push(need(account, ON_ACCOUNT, stops));
        }
        if self.gcloud.settings.instance.is_some() {
            let stops = self.installation.rotations_with_backup();
            needs.push(need(self.project(), FOR_BACKUPS, stops));
            needs.push(Need {
                level: Level::Warning,
                ..need(self.project(), FOR_PROXY, Vec::new())
            });
        }
        needs
    }

    /// The accounts that services run as, each with the rotations that need it.
    fn accounts(&self, services: &[Examined]) -> Vec<(String, Vec<String>)> {
        let mut accounts: Vec<(String, Vec<String>)> = Vec::new();
        for service in services {
            let stops = self.installation.rotations_of(&service.name);
            match accounts
                .iter_mut()
                .find(|(email, _)| *email == service.account)
            {
                None => accounts.push((service.account.clone(), stops)),
                Some((_, known)) => {
                    let new = stops.into_iter().filter(|name| !known.contains(name));
                    let new: Vec<String> = new.collect();
                    known.extend(new);
                }
            }
        }
        accounts
    }
}

impl Need {
    /// Tests them, all at once; one by one where one of them isn't known there.
    pub(super) async fn test(&self, rest: &Rest, login: &Login) -> Vec<Finding> {
        let granted = rest.granted(login, &self.resource, self.permissions).await;
        match granted {
            Ok(granted) => vec![self.found(&granted, self.permissions, login)],
            Err(Refusal::Unknown) if self.permissions.len() > 1 => {
                self.test_one_by_one(rest, login).await
            }
            Err(refusal) => vec![self.untested(refusal)],
        }
    }

    async fn test_one_by_one(&self, rest: &Rest, login: &Login) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut known = Vec::new();
        let mut granted = Vec::new();
        for permission in self.permissions {
            match rest.granted(login, &self.resource, &[permission]).await {
                Ok(one) => {
                    known.push(*permission);
                    granted.extend(one);
                }
                Err(Refusal::Unknown) => {
                    let name = self.resource.name();
                    let text = format!(
                        "`{permission}` can't be tested on {name}: Google doesn't know it there"
                    );
                    findings.push(Finding::warning(TOPIC, text));
                }
                Err(refusal) => return vec![self.untested(refusal)],
            }
        }
        findings.push(self.found(&granted, &known, login));
        findings
    }

    fn found(&self, granted: &[String], tested: &[&str], login: &Login) -> Finding {
        let is_missing = |name: &&&str| !granted.iter().any(|granted| granted == **name);
        let missing: Vec<&str> = tested.iter().filter(is_missing).copied().collect();
        let name = self.resource.name();
        if missing.is_empty() {
            let listed = match tested {
                [one] => format!("`{one}`"),
                several => format!("all {} permissions", several.len()),
            };
            return Finding::fine(TOPIC, format!("{listed} on {name}"));
        }
        let listed: Vec<String> = missing.iter().map(|one| format!("`{one}`")).collect();
        // Google answers the same for what isn't there.
        let or_gone = match missing.len() == tested.len() {
            true => ", if that is there at all",
            false => "",
        };
        let text = format!("missing on {name}{or_gone}: {}", listed.join(", "));
        let finding = match self.level {
            Level::Fault => Finding::fault(TOPIC, text, self.stops.clone()),
            Level::Fine | Level::Warning => Finding::warning(
                TOPIC,
                format!("{text}; the Cloud SQL proxy needs it, with this login or another"),
            ),
        };
        roles(&missing).into_iter().fold(finding, |finding, role| {
            finding.mended_by(self.resource.grant(&login.member, role))
        })
    }

    /// Nobody knows whether a rotation would fail: better to look.
    fn untested(&self, refusal: Refusal) -> Finding {
        let name = self.resource.name();
        let (why, mend) = match refusal {
            Refusal::NotFound => ("it isn't there".to_owned(), self.resource.show()),
            Refusal::Disabled => {
                let api = self.resource.api();
                (
                    format!("the API `{api}` isn't switched on"),
                    format!(
                        "gcloud services enable {api}.googleapis.com --project={}",
                        self.resource.project()
                    ),
                )
            }
            Refusal::Unknown => (
                "Google doesn't know them there".to_owned(),
                self.resource.show(),
            ),
            Refusal::Other(why) => (why, self.resource.show()),
        };
        let text = format!("the permissions on {name} can't be tested: {why}");
        Finding::fault(TOPIC, text, self.stops.clone()).mended_by(mend)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::google_cloud::roles::role_with;

    #[test]
    fn every_permission_has_a_role() {
        let all = [
            ON_SECRET,
            ON_READ,
            ON_SERVICE,
            ON_ACCOUNT,
            FOR_BACKUPS,
            FOR_PROXY,
        ];
        for permission in all.concat() {
            assert!(role_with(permission).is_some(), "{permission}");
        }
    }
}
