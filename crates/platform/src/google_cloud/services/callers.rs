//! Who may call a service: the members of its own policy that have the invoker's role.

use async_trait::async_trait;
use secret::SecretValue;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::CloudRun;
use super::change::conflict;
use crate::google_cloud::CloudError;
use crate::google_cloud::gcloud::{ATTEMPTS, Call};
use crate::{Callers, Error};

const ROLE: &str = "roles/run.invoker";
/// What switches the check of callers off: then the policy keeps nobody out.
const UNCHECKED: &str = "run.googleapis.com/invoker-iam-disabled";
/// Where `gcloud` reads a policy from.
const STANDARD_INPUT: &str = "/dev/stdin";

/// A service's policy, whole: what isn't known here is written back as it was read.
#[derive(Deserialize, Serialize)]
struct Policy {
    #[serde(default)]
    bindings: Vec<PolicyBinding>,
    /// Each policy has one, also without a binding. What has none is no policy, and doesn't
    /// say that nobody may call; written without one, it would replace whatever is there.
    etag: String,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Deserialize, Serialize)]
struct PolicyBinding {
    role: String,
    #[serde(default)]
    members: Vec<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl Policy {
    fn callers(&self) -> impl Iterator<Item = &String> {
        let bindings = self.bindings.iter().filter(|one| one.role == ROLE);
        bindings.flat_map(|binding| &binding.members)
    }

    fn admits(&self, caller: &str) -> bool {
        self.callers().any(|member| member == caller)
    }

    fn has_condition(&self) -> bool {
        let mut bindings = self.bindings.iter().filter(|one| one.role == ROLE);
        bindings.any(|binding| binding.rest.contains_key("condition"))
    }

    fn admit(&mut self, caller: &str) {
        let mut bindings = self.bindings.iter_mut();
        if let Some(binding) = bindings.find(|one| one.role == ROLE) {
            return binding.members.push(caller.to_owned());
        }
        self.bindings.push(PolicyBinding {
            role: ROLE.to_owned(),
            members: vec![caller.to_owned()],
            rest: Map::new(),
        });
    }

    fn refuse(&mut self, caller: &str) {
        for binding in self.bindings.iter_mut().filter(|one| one.role == ROLE) {
            binding.members.retain(|member| member != caller);
        }
        let is_empty = |one: &PolicyBinding| one.role == ROLE && one.members.is_empty();
        self.bindings.retain(|one| !is_empty(one));
    }
}

impl CloudRun {
    /// The policy; none by which callers can't be admitted again exactly.
    async fn policy(&self, service: &str) -> Result<Policy, Error> {
        let action = format!("look who may call the service `{service}`");
        let call = Call::new(action, &["run", "services", "get-iam-policy", service]);
        let policy: Result<Policy, _> = self.gcloud.ask_for(&call).await;
        let policy = policy.map_err(|failure| self.error(failure))?;
        match policy.has_condition() {
            true => Err(policy_error(service, "admits callers under a condition")),
            false => Ok(policy),
        }
    }

    /// The change that takes a caller off the list, or puts one on it: the whole policy on
    /// standard input, under the etag that it was read with.
    ///
    /// `gcloud run services add-iam-policy-binding` reads the policy itself, and takes an
    /// answer that is cut off in its headers for an empty one. What it then writes has no
    /// etag, and leaves nobody else a role.
    pub(in crate::google_cloud) fn changing_callers(
        service: &str,
        caller: &str,
        is_admitted: bool,
    ) -> Call<'static> {
        let verb = if is_admitted { "admit" } else { "refuse" };
        let action = format!("{verb} the caller `{caller}` of `{service}`");
        let words = ["run", "services", "set-iam-policy", service, STANDARD_INPUT];
        Call::new(action, &words)
    }

    async fn bring_about(
        &self,
        service: &str,
        caller: &str,
        is_admitted: bool,
    ) -> Result<(), Error> {
        let call = CloudRun::changing_callers(service, caller, is_admitted);
        for _ in 0..ATTEMPTS {
            let mut policy = self.policy(service).await?;
            if policy.admits(caller) == is_admitted {
                return Ok(());
            }
            match is_admitted {
                true => policy.admit(caller),
                false => policy.refuse(caller),
            }
            let written = serde_json::to_vec(&policy).map_err(|error| CloudError::Unexpected {
                action: call.action.clone(),
                what: error.to_string(),
            })?;
            let written = SecretValue::from(written.as_slice());
            let change = call.clone().reading(&written);
            self.try_change(service, &change).await?;
        }
        if self.policy(service).await?.admits(caller) == is_admitted {
            return Ok(());
        }
        Err(conflict(call.action))
    }
}

#[async_trait(?Send)]
impl Callers for CloudRun {
    async fn callers(&self, service: &str) -> Result<Vec<String>, Error> {
        let (answer, policy) = tokio::join!(self.look(service), self.policy(service));
        let unchecked = answer?.metadata.annotations.get(UNCHECKED).cloned();
        if unchecked.is_some_and(|unchecked| unchecked == "true") {
            return Err(policy_error(service, "keeps nobody out: its check is off"));
        }
        Ok(policy?.callers().cloned().collect())
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
