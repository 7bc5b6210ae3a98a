//! Who may do what with a service, by its own policy: the two methods that read and
//! replace it, on the host without a region.
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::google::answer::Answer;
use crate::google::server::Recorded;
use crate::google::{PROJECT, REGION, World};

const READ: &str = ":getIamPolicy";
const REPLACE: &str = ":setIamPolicy";

/// A service's policy.
#[derive(Clone, Debug)]
pub struct PolicyState {
    /// Each of them a role, its members, and perhaps a condition.
    pub bindings: Vec<Value>,
    pub(super) version: u64,
}

impl Default for PolicyState {
    /// As the service's own deployment leaves it: everybody may call.
    fn default() -> PolicyState {
        PolicyState {
            bindings: vec![json!({"role": "roles/run.invoker", "members": ["allUsers"]})],
            version: 1,
        }
    }
}

impl PolicyState {
    /// Who has a role, sorted.
    pub fn members(&self, role: &str) -> Vec<String> {
        let bindings = self.bindings.iter().filter(|one| one["role"] == role);
        let members = bindings
            .filter_map(|one| one["members"].as_array())
            .flatten();
        let mut members: Vec<String> = members
            .filter_map(|member| Some(member.as_str()?.to_owned()))
            .collect();
        members.sort();
        members
    }

    fn etag(&self) -> String {
        STANDARD.encode(format!("policy-{}", self.version))
    }

    fn answer(&self) -> Value {
        let etag = self.etag();
        match self.bindings.is_empty() {
            true => json!({"etag": etag, "version": 1}),
            false => json!({"bindings": self.bindings, "etag": etag, "version": 3}),
        }
    }
}

pub(in crate::google) fn permission(request: &Recorded) -> &'static str {
    match request.path().ends_with(REPLACE) {
        true => "run.services.setIamPolicy",
        false => "run.services.getIamPolicy",
    }
}

pub(in crate::google) fn handle(world: &mut World, request: &Recorded) -> Answer {
    let prefix = format!("/v1/projects/{PROJECT}/locations/{REGION}/services/");
    let rest = request.path().strip_prefix(&prefix).unwrap_or_default();
    let (name, is_read) = match (request.method.as_str(), rest.rsplit_once(':')) {
        ("GET", Some((name, "getIamPolicy"))) => (name, true),
        ("POST", Some((name, "setIamPolicy"))) => (name, false),
        _ => return Answer::not_found("no such method"),
    };
    let Some(service) = world.run.services.get_mut(name) else {
        return Answer::not_found(&format!("Resource '{name}' was not found"));
    };
    let policy = &mut service.policy;
    if is_read {
        return Answer::ok(policy.answer());
    }
    let given = &request.body["policy"];
    // Without one, it replaces whatever is there.
    let is_old = given.get("etag").is_some_and(|etag| *etag != policy.etag());
    if is_old {
        return Answer::conflict("There were concurrent policy changes.");
    }
    let bindings = given["bindings"].as_array().cloned().unwrap_or_default();
    let has_nobody = |one: &Value| one["members"].as_array().is_none_or(Vec::is_empty);
    if bindings.iter().any(has_nobody) {
        return Answer::invalid("a binding without members");
    }
    policy.bindings = bindings;
    policy.version += 1;
    Answer::ok(policy.answer())
}

/// Whether a request is for one of the two methods.
pub(in crate::google) fn is_meant(request: &Recorded) -> bool {
    [READ, REPLACE]
        .iter()
        .any(|end| request.path().ends_with(end))
}
