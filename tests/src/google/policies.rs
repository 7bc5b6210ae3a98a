//! Which permissions an account has on a thing: the one method that all of Google's
//! APIs have alike.
use serde_json::{Value, json};

use super::answer::Answer;
use super::server::Recorded;
use super::{PROJECT, REGION, World};

/// How the path of the method ends.
pub(super) const METHOD: &str = ":testIamPermissions";

/// What is known on a thing, by the host that is asked. Another name is an error for
/// the whole request.
fn known(host: &str) -> &'static [&'static str] {
    match host {
        "secretmanager.test" => &["secretmanager.versions.", "secretmanager.secrets."],
        "run.test" => &["run.services.", "run.revisions."],
        "iam.test" => &["iam.serviceAccounts."],
        "cloudresourcemanager.test" => &["cloudsql.", "logging.", "run.", "secretmanager."],
        _ => &[],
    }
}

/// Whether the path names a thing of that kind. Whether it is there, Google doesn't
/// tell: what isn't grants nothing.
fn is_there(world: &World, host: &str, path: &str) -> Result<bool, Answer> {
    let secrets = format!("/v1/projects/{PROJECT}/secrets/");
    let services = format!("/v2/projects/{PROJECT}/locations/{REGION}/services/");
    match host {
        "secretmanager.test" => match path.strip_prefix(&secrets) {
            Some(secret) => Ok(world.secrets.secrets.contains_key(secret)),
            None => Err(Answer::denied("secretmanager.secrets.get")),
        },
        "run.test" => match path.strip_prefix(&services) {
            Some(service) => Ok(world.run.services.contains_key(service)),
            None => Err(Answer::denied("run.services.get")),
        },
        "iam.test" => match path.strip_prefix("/v1/projects/-/serviceAccounts/") {
            Some(email) if email.ends_with(".gserviceaccount.com") => Ok(true),
            _ => Err(Answer::not_found("Unknown service account")),
        },
        "cloudresourcemanager.test" if path == format!("/v1/projects/{PROJECT}") => Ok(true),
        _ => Err(Answer::denied("resourcemanager.projects.get")),
    }
}

pub(super) fn handle(world: &World, request: &Recorded) -> Answer {
    let (host, path) = (request.host.as_str(), request.path());
    let path = path.strip_suffix(METHOD).unwrap_or(path);
    let asked = request.body["permissions"].as_array();
    let asked: Vec<&str> = asked
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let is_known = |name: &&str| {
        let is_of_kind = known(host).iter().any(|prefix| name.starts_with(prefix));
        is_of_kind && !world.unknown.contains(name)
    };
    if request.method != "POST" || asked.is_empty() || !asked.iter().all(is_known) {
        return Answer::invalid("Permission is not valid for this resource.");
    }
    match is_there(world, host, path) {
        Err(answer) => answer,
        Ok(is_there) => {
            let is_granted = |name: &&str| is_there && !world.is_denied(name, path);
            let granted: Vec<&str> = asked.into_iter().filter(is_granted).collect();
            match granted.as_slice() {
                // An empty list isn't sent.
                [] => Answer::ok(json!({})),
                granted => Answer::ok(json!({ "permissions": granted })),
            }
        }
    }
}
