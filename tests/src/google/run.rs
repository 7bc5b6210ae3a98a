//! Cloud Run, in the words of its Knative API.
pub(super) mod policy;
mod service;
mod view;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::answer::Answer;
use super::secrets::SecretState;
use super::server::Recorded;
use super::{PROJECT, PROJECT_NUMBER, World};

pub use self::policy::PolicyState;
pub use self::service::{Fate, RevisionState, ServiceState};

/// The services, by their names.
#[derive(Clone, Debug)]
pub struct CloudRunState {
    /// Each of them.
    pub services: BTreeMap<String, ServiceState>,
    /// What becomes of the revisions that are made from now on.
    pub fate: Fate,
    /// A secret and a version: no revision gets ready that reads it.
    pub failing_with: Option<(&'static str, &'static str)>,
    /// How long a change takes until it is observed, a revision until it is ready and
    /// traffic until it is moved: each as long as this.
    pub pace: Duration,
}

impl Default for CloudRunState {
    fn default() -> CloudRunState {
        CloudRunState {
            services: BTreeMap::new(),
            fate: Fate::Ready,
            failing_with: None,
            pace: Duration::from_millis(100),
        }
    }
}

impl CloudRunState {
    /// Makes a service that serves with one revision, as the installation's YAML
    /// does: each variable is bound to the latest version of a secret.
    pub fn create(&mut self, service: &str, variables: &[(&str, &str)]) {
        let mut env = vec![json!({"name": "LOG_LEVEL", "value": "INFO"})];
        for (variable, secret) in variables {
            let reference = json!({"secretKeyRef": {"name": secret, "key": "latest"}});
            env.push(json!({"name": variable, "valueFrom": reference}));
        }
        let image = format!("gcr.io/{PROJECT}/{service}:latest");
        let container = json!({"name": service, "image": image, "env": env});
        let spec = json!({
            "template": {"metadata": {"annotations": {}}, "spec": {
                "containerConcurrency": 80, "containers": [container],
                "serviceAccountName": "runtime@p1.iam.gserviceaccount.com",
            }},
            "traffic": [{"percent": 100, "latestRevision": true}],
        });
        let made = ServiceState::installed(service, spec);
        self.services.insert(service.to_owned(), made);
    }

    /// As a change by somebody else.
    pub(super) fn change_all(&mut self) {
        for service in self.services.values_mut() {
            service.version += 1;
            service.policy.version += 1;
        }
    }

    fn fate_of(&self, template: &Value) -> Fate {
        let reads = |(secret, version): (&str, &str)| {
            references(template).any(|(.., name, key)| (name, key) == (secret, version))
        };
        if self.failing_with.is_some_and(reads) {
            return Fate::Failed("it does not start".to_owned());
        }
        self.fate.clone()
    }

    /// Lets happen what is due by now.
    pub fn settle(&mut self) {
        let pace = self.pace;
        for service in self.services.values_mut() {
            service.settle(pace);
        }
    }
}

pub(super) fn permission(request: &Recorded) -> &'static str {
    match request.method.as_str() {
        "PUT" => "run.services.update",
        _ if request.target.contains("/revisions/") => "run.revisions.get",
        _ => "run.services.get",
    }
}

pub(super) fn handle(world: &mut World, request: &Recorded) -> Answer {
    let prefix = "/apis/serving.knative.dev/v1/namespaces/";
    let rest = request.path().strip_prefix(prefix).unwrap_or_default();
    let mut parts = rest.split('/');
    let (project, kind, name) = (parts.next(), parts.next(), parts.next());
    if project != Some(PROJECT) && project != Some(PROJECT_NUMBER) {
        return Answer::not_found("no such project");
    }
    let name = name.unwrap_or_default();
    world.run.settle();
    match (request.method.as_str(), kind) {
        ("GET", Some("services")) => match world.run.services.get(name) {
            Some(service) => Answer::ok(service.answer()),
            None => Answer::not_found(&format!(
                "Resource '{name}' of kind 'SERVICE' in region 'us-central1' in project '{PROJECT}' does not exist."
            )),
        },
        ("GET", Some("revisions")) => revision(&world.run, name),
        ("PUT", Some("services")) => replace(world, name, &request.body),
        _ => Answer::not_found("no such method"),
    }
}

fn revision(state: &CloudRunState, name: &str) -> Answer {
    let mut services = state.services.iter();
    let found = services.find_map(|(service, state)| {
        let revision = state.revisions.iter().find(|one| one.name == name)?;
        Some(revision.answer(service))
    });
    found.map_or_else(
        || Answer::not_found(&format!("Revision '{name}' does not exist.")),
        Answer::ok,
    )
}

fn replace(world: &mut World, name: &str, body: &Value) -> Answer {
    let fate = world.run.fate_of(&body["spec"]["template"]["spec"]);
    let Some(service) = world.run.services.get_mut(name) else {
        return Answer::not_found("no such service");
    };
    let (given, current) = (
        &body["metadata"]["resourceVersion"],
        service.resource_version(),
    );
    if given.as_str() != Some(&current) {
        let message = format!(
            "Conflict for resource '{name}': version '{}' was specified but current version is '{current}'.",
            given.as_str().unwrap_or_default()
        );
        return Answer::conflict(&message);
    }
    let mut spec = body["spec"].clone();
    let is_new = service.spec["template"] != spec["template"];
    if is_new {
        if let Some(refusal) = refused_references(&world.secrets, &spec["template"]["spec"]) {
            return Answer::invalid(&refusal);
        }
        if let Err(answer) = service.add_revision(name, &mut spec, &fate) {
            return answer;
        }
    }
    if let Some(refusal) = service.refused_traffic(&spec["traffic"]) {
        if is_new {
            service.revisions.pop();
        }
        return Answer::invalid(&refusal);
    }
    service.replace(spec, body["metadata"]["annotations"].clone());
    Answer::ok(service.answer())
}

/// Every secret of a template is looked at whenever a revision is made.
fn refused_references(secrets: &SecretState, template: &Value) -> Option<String> {
    references(template).find_map(|(at, position, name, key)| {
        let why = secrets.refuse(name, key)?;
        Some(format!(
            "spec.template.spec.containers[{at}].env[{position}].value_from.secret_key_ref.name: {why}"
        ))
    })
}

/// What variables refer to: the container, the variable, the secret and its version.
fn references(template: &Value) -> impl Iterator<Item = (usize, usize, &str, &str)> {
    let containers = template["containers"].as_array().into_iter().flatten();
    containers.enumerate().flat_map(|(at, container)| {
        let variables = container["env"].as_array().into_iter().flatten();
        variables
            .enumerate()
            .filter_map(move |(position, variable)| {
                let reference = &variable["valueFrom"]["secretKeyRef"];
                let (name, key) = (reference["name"].as_str()?, reference["key"].as_str()?);
                Some((at, position, name, key))
            })
    })
}
