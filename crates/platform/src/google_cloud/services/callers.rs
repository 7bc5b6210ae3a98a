//! Who may call a service: the members of its own policy that have the invoker's role.

use async_trait::async_trait;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::CloudRun;
use crate::google_cloud::CloudError;
use crate::google_cloud::gcloud::{ATTEMPTS, Call};
use crate::{Callers, Error};

const ROLE: &str = "roles/run.invoker";
/// What switches the check of callers off: then the policy keeps nobody out.
const UNCHECKED: &str = "run.googleapis.com/invoker-iam-disabled";

/// A service's policy.
#[derive(Deserialize)]
struct PolicyAnswer {
    #[serde(default)]
    bindings: Vec<PolicyBinding>,
    /// Each policy has one, also without a binding. What has none is no policy, and doesn't
    /// say that nobody may call.
    #[serde(rename = "etag")]
    _etag: IgnoredAny,
}

#[derive(Deserialize)]
struct PolicyBinding {
    role: String,
    #[serde(default)]
    members: Vec<String>,
    #[serde(default)]
    condition: Option<IgnoredAny>,
}

impl CloudRun {
    async fn members(&self, service: &str) -> Result<Vec<String>, Error> {
        let action = format!("look who may call the service `{service}`");
        let call = Call::new(action, &["run", "services", "get-iam-policy", service]);
        let policy: Result<PolicyAnswer, _> = self.gcloud.ask_for(&call).await;
        let policy = policy.map_err(|failure| self.error(failure))?;
        let bindings = policy.bindings.into_iter();
        let mut members = Vec::new();
        for binding in bindings.filter(|binding| binding.role == ROLE) {
            if binding.condition.is_some() {
                return Err(policy_error(service, "admits callers under a condition"));
            }
            members.extend(binding.members);
        }
        Ok(members)
    }

    /// The change that takes a caller off the list, or puts one on it. A policy may have
    /// conditions elsewhere: without a word about them `gcloud` would ask.
    pub(in crate::google_cloud) fn changing_callers(
        service: &str,
        caller: &str,
        is_admitted: bool,
    ) -> Call<'static> {
        let (verb, action) = match is_admitted {
            true => ("add-iam-policy-binding", "admit"),
            false => ("remove-iam-policy-binding", "refuse"),
        };
        let action = format!("{action} the caller `{caller}` of `{service}`");
        Call::new(action, &["run", "services", verb, service])
            .with(format!("--member={caller}"))
            .with(format!("--role={ROLE}"))
            .with("--condition=None".to_owned())
    }

    async fn bring_about(
        &self,
        service: &str,
        caller: &str,
        is_admitted: bool,
    ) -> Result<(), Error> {
        let call = CloudRun::changing_callers(service, caller, is_admitted);
        for _ in 0..ATTEMPTS {
            let members = self.members(service).await?;
            if members.iter().any(|member| member == caller) == is_admitted {
                return Ok(());
            }
            self.try_change(service, &call).await?;
        }
        let members = self.members(service).await?;
        if members.iter().any(|member| member == caller) == is_admitted {
            return Ok(());
        }
        let action = call.action;
        Err(CloudError::Conflict { action }.into())
    }
}

#[async_trait(?Send)]
impl Callers for CloudRun {
    async fn callers(&self, service: &str) -> Result<Vec<String>, Error> {
        let (answer, members) = tokio::join!(self.look(service), self.members(service));
        let unchecked = answer?.metadata.annotations.get(UNCHECKED).cloned();
        if unchecked.is_some_and(|unchecked| unchecked == "true") {
            return Err(policy_error(service, "keeps nobody out: its check is off"));
        }
        members
    }

    async fn refuse(&self, service: &str, caller: &str) -> Result<(), Error> {
        self.bring_about(service, caller, false).await
    }

    async fn admit(&self, service: &str, caller: &str) -> Result<(), Error> {
        self.bring_about(service, caller, true).await
    }
}

fn policy_error(service: &str, what: &'static str) -> Error {
    let service = service.to_owned();
    CloudError::Policy { service, what }.into()
}
