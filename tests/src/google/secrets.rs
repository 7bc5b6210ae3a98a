//! Secret Manager.
use std::collections::BTreeMap;

use jiff::Timestamp;
use secret::python_base64;
use serde_json::{Value, json};

use super::answer::Answer;
use super::server::Recorded;
use super::{PROJECT, PROJECT_NUMBER, World};

/// The secrets, by their names.
#[derive(Clone, Debug, Default)]
pub struct SecretState {
    /// Each with its versions, the first of which has the number 1.
    pub secrets: BTreeMap<String, Vec<SecretVersion>>,
}

/// A version.
#[derive(Clone, Debug)]
pub struct SecretVersion {
    /// Its value; none once it is destroyed.
    pub value: Vec<u8>,
    /// `ENABLED`, `DISABLED`, `DESTROYED`.
    pub state: &'static str,
    /// When it was made.
    pub created_at: Timestamp,
}

impl SecretState {
    /// Makes a secret without a version.
    pub fn create(&mut self, secret: &str) {
        self.secrets.entry(secret.to_owned()).or_default();
    }

    /// Adds a version, and gives its number.
    pub fn add(&mut self, secret: &str, value: &[u8]) -> usize {
        let versions = self.secrets.entry(secret.to_owned()).or_default();
        versions.push(SecretVersion {
            value: value.to_vec(),
            state: "ENABLED",
            created_at: Timestamp::now(),
        });
        versions.len()
    }

    /// The states of a secret's versions, the first one first.
    pub fn states(&self, secret: &str) -> Vec<&'static str> {
        let versions = self.secrets.get(secret).into_iter().flatten();
        versions.map(|version| version.state).collect()
    }

    /// The number that a reference means, whatever its state.
    fn resolve(&self, secret: &str, reference: &str) -> Option<usize> {
        let versions = self.secrets.get(secret)?;
        let number = match reference {
            "latest" => versions.len(),
            number => number.parse().ok()?,
        };
        (1..=versions.len()).contains(&number).then_some(number)
    }

    /// Why an instance could not start with this, or nothing.
    pub(super) fn refuse(&self, secret: &str, reference: &str) -> Option<String> {
        let name = format!("projects/{PROJECT_NUMBER}/secrets/{secret}/versions/{reference}");
        let Some(number) = self.resolve(secret, reference) else {
            return Some(format!("Secret {name} was not found"));
        };
        let state = self.secrets[secret][number - 1].state;
        (state != "ENABLED").then(|| format!("Secret {name} is in {state} state"))
    }
}

impl SecretVersion {
    fn answer(&self, secret: &str, number: usize) -> Value {
        json!({
            "name": name(secret, number),
            "createTime": self.created_at.to_string(),
            "state": self.state,
            "replicationStatus": {"automatic": {}},
            "etag": format!("\"{number}{}\"", self.state),
        })
    }
}

fn name(secret: &str, number: usize) -> String {
    format!("projects/{PROJECT_NUMBER}/secrets/{secret}/versions/{number}")
}

pub(super) fn permission(request: &Recorded) -> &'static str {
    let path = request.path();
    match path.rsplit_once(':').map(|(_, verb)| verb) {
        Some("addVersion") => "secretmanager.versions.add",
        Some("access") => "secretmanager.versions.access",
        Some("disable") => "secretmanager.versions.disable",
        Some("enable") => "secretmanager.versions.enable",
        Some("destroy") => "secretmanager.versions.destroy",
        _ if path.ends_with("/versions") => "secretmanager.versions.list",
        _ => "secretmanager.versions.get",
    }
}

pub(super) fn handle(world: &mut World, request: &Recorded) -> Answer {
    let prefix = format!("/v1/projects/{PROJECT}/secrets/");
    let Some(rest) = request.path().strip_prefix(&prefix) else {
        return Answer::not_found("no such project");
    };
    let (rest, verb) = rest.split_once(':').unwrap_or((rest, ""));
    let (secret, version) = match rest.split_once("/versions") {
        Some((secret, version)) => (secret, Some(version.trim_start_matches('/'))),
        None => (rest, None),
    };
    let state = &mut world.secrets;
    let Some(versions) = state.secrets.get(secret) else {
        let message = format!("Secret [projects/{PROJECT_NUMBER}/secrets/{secret}] not found.");
        return Answer::not_found(&message);
    };
    match (request.method.as_str(), version, verb) {
        ("POST", None, "addVersion") => add(state, secret, &request.body),
        ("GET", Some(""), "") => {
            let listed = versions.iter().enumerate().rev();
            let listed: Vec<_> = listed.map(|(at, one)| one.answer(secret, at + 1)).collect();
            Answer::ok(json!({"versions": listed, "totalSize": listed.len()}))
        }
        (method, Some(reference), verb) => one(state, secret, method, reference, verb),
        _ => Answer::not_found("no such method"),
    }
}

fn add(state: &mut SecretState, secret: &str, body: &Value) -> Answer {
    let data = body["payload"]["data"].as_str().unwrap_or_default();
    let Ok(bytes) = python_base64::decode(data.as_bytes()) else {
        return Answer::invalid("Invalid value at 'payload.data'");
    };
    if bytes.is_empty() {
        return Answer::invalid("Secret Payload cannot be empty.");
    }
    if body["payload"]["dataCrc32c"].as_str() != Some(&crc32c(&bytes).to_string()) {
        return Answer::invalid("Checksum mismatch.");
    }
    let number = state.add(secret, &bytes);
    let mut answer = state.secrets[secret][number - 1].answer(secret, number);
    answer["clientSpecifiedPayloadChecksum"] = json!(true);
    Answer::ok(answer)
}

fn one(state: &mut SecretState, secret: &str, method: &str, reference: &str, verb: &str) -> Answer {
    let Some(number) = state.resolve(secret, reference) else {
        let path = format!("projects/{PROJECT_NUMBER}/secrets/{secret}/versions/{reference}");
        return Answer::not_found(&format!("Secret Version [{path}] not found."));
    };
    let Some(version) = state
        .secrets
        .get_mut(secret)
        .and_then(|all| all.get_mut(number - 1))
    else {
        return Answer::not_found("no such version");
    };
    let refused = || {
        let name = name(secret, number);
        let message = format!("Secret Version [{name}] is in {} state.", version.state);
        Answer::precondition(&message)
    };
    match (method, verb) {
        ("GET", "") => return Answer::ok(version.answer(secret, number)),
        ("GET", "access") if version.state == "ENABLED" => {
            let data = python_base64::encode(&version.value);
            let data = data.replace('-', "+").replace('_', "/");
            return Answer::ok(json!({
                "name": name(secret, number),
                "payload": {"data": data, "dataCrc32c": crc32c(&version.value).to_string()},
            }));
        }
        ("GET", "access") => return refused(),
        _ if version.state == "DESTROYED" => return refused(),
        ("POST", "disable") => version.state = "DISABLED",
        ("POST", "enable") => version.state = "ENABLED",
        ("POST", "destroy") => {
            version.state = "DESTROYED";
            version.value.clear();
        }
        _ => return Answer::not_found("no such method"),
    }
    Answer::ok(version.answer(secret, number))
}

/// The sum that Secret Manager checks.
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (if sum & 1 == 1 { 0x82f6_3b78 } else { 0 })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_crc32c() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(b"abc\n"), 1_601_578_612);
    }
}
