//! What can go wrong with Google Cloud, each with its advice.

use std::path::PathBuf;
use std::time::Duration;

use secret::VersionNumber;

use super::roles::role_with;

/// Why Google Cloud could not do what it was asked to.
///
/// What `gcloud` said is one line of its standard error, which holds no payload.
#[derive(Debug, thiserror::Error)]
pub enum CloudError {
    /// `gcloud` isn't there, or isn't a program.
    #[error("`{program}` did not start")]
    NoGcloud {
        /// What was started.
        program: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The way to the database needs a proxy, and that isn't installed.
    #[error("`{instance}` has no socket on this machine, and `{program}` did not start")]
    NoProxy {
        /// The instance's connection name: project, region and name.
        instance: String,
        /// What was started.
        program: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The proxy ended, or opened no socket in time.
    #[error("the proxy to `{instance}` opened no socket: {said}")]
    Proxy {
        /// The instance's connection name.
        instance: String,
        /// Its last words.
        said: String,
    },
    /// Nobody is logged in, or the login has ended.
    #[error("cannot {action}: `gcloud` is not logged in")]
    LoggedOut {
        /// What was tried.
        action: String,
    },
    /// A permission is missing, or the thing isn't there: Google doesn't tell which.
    #[error("cannot {action}: the permission {} is missing", named(.permission.as_deref()))]
    Denied {
        /// What was tried, on what.
        action: String,
        /// The permission, where Google names it.
        permission: Option<String>,
    },
    /// A name that can't be one. It isn't quoted: what stands in a wrong place may
    /// be a value.
    #[error("the name of a {what} is not one that Google Cloud has")]
    Name {
        /// Of what.
        what: &'static str,
    },
    /// The project has no such secret.
    #[error("there is no secret `{secret}`")]
    NoSuchSecret {
        /// The secret.
        secret: String,
    },
    /// Others changed it whenever it was tried.
    #[error("cannot {action}: somebody else changes it at the same time")]
    Conflict {
        /// What was tried, on what.
        action: String,
    },
    /// Google's servers, or the way there, are at fault.
    #[error("cannot {action}: {message}")]
    Unavailable {
        /// What was tried, on what.
        action: String,
        /// What `gcloud` said.
        message: String,
    },
    /// `gcloud` took too long, and was killed.
    #[error("cannot {action}: `gcloud` did not end in {} s", .limit.as_secs_f32())]
    Timeout {
        /// What was tried, on what.
        action: String,
        /// How long it may take.
        limit: Duration,
    },
    /// Google said no.
    #[error("cannot {action}: {message}")]
    Refused {
        /// What was tried, on what.
        action: String,
        /// What `gcloud` said.
        message: String,
    },
    /// An answer that isn't one. What it holds isn't quoted.
    #[error("cannot {action}: `gcloud` answered something unexpected: {what}")]
    Unexpected {
        /// What was tried, on what.
        action: String,
        /// What was wrong with it.
        what: String,
    },
    /// A version holds something else than what was sent.
    #[error("version `{version}` of the secret `{secret}` is not what was sent; it is disabled")]
    Corrupt {
        /// The secret.
        secret: String,
        /// The version.
        version: VersionNumber,
    },
    /// The variable isn't what the settings say that it is.
    #[error("`{variable}` of the revision `{revision}` of `{service}` {what}")]
    Variable {
        /// The service.
        service: String,
        /// The revision.
        revision: String,
        /// The variable.
        variable: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A revision made now would differ from the serving one in more than its secret.
    #[error("the next revision of `{service}` would differ from `{serving}` in {what}")]
    TemplateDiffers {
        /// The service.
        service: String,
        /// The serving revision.
        serving: String,
        /// In what.
        what: String,
    },
    /// Several revisions have a share of the traffic.
    #[error("the traffic of `{service}` is split: `{serving}` has {share} % of it")]
    TrafficSplit {
        /// The service.
        service: String,
        /// The revision with the greatest share.
        serving: String,
        /// That share.
        share: u32,
    },
    /// A policy by which callers can't be refused and admitted again.
    #[error("the callers of `{service}` can't be refused: its policy {what}")]
    Policy {
        /// The service.
        service: String,
        /// What stands against it.
        what: &'static str,
    },
    /// A revision that will never be ready.
    #[error("the revision `{revision}` of `{service}` failed: {message}")]
    RevisionFailed {
        /// The service.
        service: String,
        /// The revision.
        revision: String,
        /// What Cloud Run says.
        message: String,
    },
    /// A revision that wasn't ready in time.
    #[error("the revision `{revision}` of `{service}` was not ready in {} s", .limit.as_secs_f32())]
    RevisionLate {
        /// The service.
        service: String,
        /// The revision.
        revision: String,
        /// How long it may take.
        limit: Duration,
    },
    /// Traffic that wasn't where it was sent in time.
    #[error("the traffic of `{service}` was not seen at `{revision}` in {} s", .limit.as_secs_f32())]
    TrafficLate {
        /// The service.
        service: String,
        /// The revision.
        revision: String,
        /// How long it may take.
        limit: Duration,
    },
    /// A backup that failed, or wasn't complete in time.
    #[error("the backup `{backup}` of the instance `{instance}` {what}")]
    Backup {
        /// The instance.
        instance: String,
        /// The backup.
        backup: String,
        /// What became of it.
        what: &'static str,
    },
}

fn named(permission: Option<&str>) -> String {
    permission.map_or_else(|| "for it".to_owned(), |name| format!("`{name}`"))
}

impl CloudError {
    /// What to do about it, where that isn't plain from the message.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            CloudError::NoGcloud { .. } => {
                "install the Google Cloud CLI: https://cloud.google.com/sdk/docs/install"
            }
            CloudError::NoProxy { instance, .. } => {
                return Some(format!(
                    "install the Cloud SQL Auth Proxy: https://cloud.google.com/sql/docs/postgres/sql-proxy; or \
                     run it yourself: `sudo install -d -o \"$USER\" /cloudsql`, then `cloud-sql-proxy \
                     --gcloud-auth --unix-socket /cloudsql {instance}`"
                ));
            }
            CloudError::Proxy { .. } => {
                "see that you have the role `roles/cloudsql.client`, and that the instance can be reached \
                 from here"
            }
            CloudError::LoggedOut { .. } => "`gcloud auth login`",
            CloudError::Denied { permission, .. } => return Some(grant(permission.as_deref())),
            CloudError::Name { .. } => "check the settings",
            CloudError::NoSuchSecret { secret } => {
                return Some(format!(
                    "`gcloud secrets create {secret} --replication-policy=automatic`, or correct its name in the settings"
                ));
            }
            CloudError::Conflict { .. } => "let the other deployment end, then try again",
            CloudError::Unavailable { .. } | CloudError::Timeout { .. } => {
                "look at https://status.cloud.google.com and the network; trying again is safe"
            }
            CloudError::Corrupt { .. } => "trying again is safe: it adds another version",
            CloudError::Variable { .. } => "look at the service's YAML and at the settings",
            CloudError::TemplateDiffers { service, .. } => {
                return Some(format!(
                    "a deployment of `{service}` got no traffic: give it its traffic, or deploy again what serves"
                ));
            }
            CloudError::TrafficSplit {
                service, serving, ..
            } => {
                return Some(format!(
                    "a rotation sends all of it to one revision: decide which one that is to be, and `gcloud \
                     run services update-traffic {service} --to-revisions={serving}=100` for it"
                ));
            }
            CloudError::Policy { service, .. } => {
                return Some(format!(
                    "`gcloud run services get-iam-policy {service}` shows it; contain the emergency in another way"
                ));
            }
            CloudError::RevisionFailed { .. } | CloudError::RevisionLate { .. } => {
                "the service goes on with the revision that it had; look at the new one's log"
            }
            CloudError::TrafficLate { service, .. } => {
                return Some(format!(
                    "`gcloud run services describe {service}` shows where it is; trying again is safe"
                ));
            }
            CloudError::Backup { .. } => "`gcloud sql operations list` tells more",
            CloudError::Refused { .. } => {
                "it is Google that says why; `cargo xtask doctor` finds what else would be refused"
            }
            CloudError::Unexpected { .. } => {
                "is `gcloud` too old, or too new? Trying again is safe"
            }
        };
        Some(hint.to_owned())
    }

    /// The same in a few fixed words, for a journal.
    pub fn what(&self) -> &'static str {
        match self {
            CloudError::NoGcloud { .. } => "gcloud did not start",
            CloudError::NoProxy { .. } | CloudError::Proxy { .. } => "no way to the database",
            CloudError::LoggedOut { .. } => "gcloud was not logged in",
            CloudError::Denied { .. } => "a permission was missing",
            CloudError::Name { .. } => "a name was refused",
            CloudError::NoSuchSecret { .. } => "a secret does not exist",
            CloudError::Conflict { .. } => "somebody else changed the same thing",
            CloudError::Unavailable { .. } => "Google Cloud could not be reached",
            CloudError::Timeout { .. } => "gcloud took too long",
            CloudError::Refused { .. } => "Google Cloud refused",
            CloudError::Unexpected { .. } => "gcloud answered something unexpected",
            CloudError::Corrupt { .. } => "a version is not what was sent",
            CloudError::Variable { .. } => "a variable is not bound as expected",
            CloudError::TemplateDiffers { .. } => "a deployment is under way",
            CloudError::TrafficSplit { .. } => "the traffic of a service is split",
            CloudError::Policy { .. } => "callers can't be refused",
            CloudError::RevisionFailed { .. } => "a revision failed",
            CloudError::RevisionLate { .. } => "a revision was not ready in time",
            CloudError::TrafficLate { .. } => "traffic was not moved in time",
            CloudError::Backup { .. } => "a backup could not be made",
        }
    }
}

fn grant(permission: Option<&str>) -> String {
    match permission.and_then(role_with) {
        Some(role) => format!("is the name right? Otherwise ask for the role `{role}` on it"),
        None => "is the name right? Otherwise ask for the role".to_owned(),
    }
}
