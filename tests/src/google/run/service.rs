//! One service: what it is told, what it has done of that, and its revisions.
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::policy::PolicyState;
use crate::google::answer::Answer;
use crate::google::{PROJECT_NUMBER, REGION};

/// What becomes of a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It gets ready.
    Ready,
    /// It fails, and this is said of it.
    Failed(String),
    /// It never gets ready and never fails.
    Never,
}

/// A revision.
#[derive(Clone, Debug)]
pub struct RevisionState {
    /// Its name.
    pub name: String,
    /// What the template was when it was made.
    pub template: Value,
    fate: Fate,
    made_at: Instant,
    is_settled: bool,
}

/// A service.
#[derive(Clone, Debug)]
pub struct ServiceState {
    /// What it is told.
    pub spec: Value,
    /// The traffic as it is.
    pub traffic: Value,
    /// Its revisions, the first one first.
    pub revisions: Vec<RevisionState>,
    /// Who may do what with it.
    pub policy: PolicyState,
    /// The service's own annotations.
    pub annotations: Value,
    pub(super) version: u64,
    generation: u64,
    observed: u64,
    changed_at: Instant,
    latest_ready: String,
}

impl RevisionState {
    fn status(&self) -> (&'static str, &str) {
        match &self.fate {
            _ if !self.is_settled => ("Unknown", ""),
            Fate::Ready => ("True", ""),
            Fate::Failed(message) => ("False", message),
            Fate::Never => ("Unknown", ""),
        }
    }

    pub(super) fn answer(&self, service: &str) -> Value {
        let (status, message) = self.status();
        let annotations = &self.template["metadata"]["annotations"];
        json!({
            "apiVersion": "serving.knative.dev/v1", "kind": "Revision",
            "metadata": {
                "name": self.name, "namespace": PROJECT_NUMBER, "annotations": annotations,
                "labels": {"serving.knative.dev/service": service},
            },
            "spec": self.template["spec"],
            "status": {
                "conditions": [{"type": "Ready", "status": status, "message": message}],
                "imageDigest": self.image_digest(),
            },
        })
    }

    /// What the first container's image had for its name when the revision was made.
    fn image_digest(&self) -> String {
        let image = self.template["spec"]["containers"][0]["image"].as_str();
        let image = image.unwrap_or_default();
        if image.contains('@') {
            return image.to_owned();
        }
        let (name, tag) = image.rsplit_once(':').unwrap_or((image, "latest"));
        let digest: String = tag.bytes().map(|byte| format!("{byte:02x}")).collect();
        format!("{name}@sha256:{digest:0>64}")
    }
}

impl ServiceState {
    /// One that serves with a revision of this.
    pub(super) fn installed(name: &str, spec: Value) -> ServiceState {
        let first = format!("{name}-00001-abc");
        let revision = RevisionState {
            name: first.clone(),
            template: spec["template"].clone(),
            fate: Fate::Ready,
            made_at: Instant::now(),
            is_settled: true,
        };
        ServiceState {
            spec,
            traffic: json!([{"percent": 100, "revisionName": first, "latestRevision": true}]),
            revisions: vec![revision],
            version: 1,
            policy: PolicyState::default(),
            annotations: json!({"run.googleapis.com/minScale": "1", "run.googleapis.com/ingress": "all"}),
            generation: 1,
            observed: 1,
            changed_at: Instant::now(),
            latest_ready: first,
        }
    }

    /// Has the newest revision fail, as one whose instances don't start any more.
    pub fn fail(&mut self, message: &str) {
        if let Some(revision) = self.revisions.last_mut() {
            revision.fate = Fate::Failed(message.to_owned());
        }
    }

    pub(super) fn resource_version(&self) -> String {
        format!("AAY{}", self.version)
    }

    fn latest_created(&self) -> Option<&RevisionState> {
        self.revisions.last()
    }

    /// Makes a revision of a template, under the name that stands in it.
    pub(super) fn add_revision(
        &mut self,
        service: &str,
        spec: &mut Value,
        fate: &Fate,
    ) -> Result<(), Answer> {
        let number = self.revisions.len() + 1;
        let given = spec["template"]["metadata"]["name"].as_str();
        let name = given.map_or_else(|| format!("{service}-{number:05}-gen"), str::to_owned);
        if self.revisions.iter().any(|one| one.name == name) {
            let message =
                format!("Revision named '{name}' with different configuration already exists.");
            return Err(Answer::conflict(&message));
        }
        self.revisions.push(RevisionState {
            name,
            template: spec["template"].clone(),
            fate: fate.clone(),
            made_at: Instant::now(),
            is_settled: false,
        });
        Ok(())
    }

    pub(super) fn refused_traffic(&self, traffic: &Value) -> Option<String> {
        let mut sum = 0;
        for target in traffic.as_array().into_iter().flatten() {
            sum += target["percent"].as_u64().unwrap_or(0);
            let is_latest = target["latestRevision"] == json!(true);
            match target["revisionName"].as_str() {
                None if !is_latest => return Some("traffic without a revision".to_owned()),
                Some(name) if !self.revisions.iter().any(|one| one.name == name) => {
                    return Some(format!("Revision {name} not found"));
                }
                _ => {}
            }
        }
        (sum != 100).then(|| format!("traffic sums up to {sum}"))
    }

    pub(super) fn replace(&mut self, spec: Value, annotations: Value) {
        self.version += 1;
        self.annotations = annotations;
        if self.spec != spec {
            self.spec = spec;
            self.generation += 1;
            self.changed_at = Instant::now();
        }
    }

    /// Lets happen what takes time.
    pub(super) fn settle(&mut self, pace: Duration) {
        if self.changed_at.elapsed() < pace {
            return;
        }
        self.observed = self.generation;
        for revision in &mut self.revisions {
            let is_due = revision.made_at.elapsed() >= pace * 3;
            revision.is_settled |= is_due && revision.fate != Fate::Never;
        }
        let latest = self.latest_created().filter(|one| one.status().0 == "True");
        self.latest_ready = latest.map_or(self.latest_ready.clone(), |one| one.name.clone());
        if self.changed_at.elapsed() >= pace * 2 && self.is_routable() {
            self.route();
        }
    }

    /// Whether every target can take traffic.
    fn is_routable(&self) -> bool {
        let mut targets = self.spec["traffic"].as_array().into_iter().flatten();
        targets.all(|target| {
            let name = target["revisionName"]
                .as_str()
                .unwrap_or(&self.latest_ready);
            let found = self.revisions.iter().find(|one| one.name == name);
            let has_traffic = target["percent"].as_u64().unwrap_or(0) > 0;
            !has_traffic || found.is_some_and(|one| one.status().0 == "True")
        })
    }

    fn route(&mut self) {
        let mut traffic = self.spec["traffic"].clone();
        for target in traffic.as_array_mut().into_iter().flatten() {
            if target["latestRevision"] == json!(true) {
                target["revisionName"] = json!(self.latest_ready);
            }
        }
        self.traffic = traffic;
    }

    pub(super) fn status(&self) -> (&'static str, &str) {
        let latest = self
            .latest_created()
            .map_or(("Unknown", ""), RevisionState::status);
        let is_routed = self.changed_at.elapsed() >= Duration::from_millis(1) && self.is_at_rest();
        match latest {
            _ if self.observed != self.generation => ("Unknown", ""),
            ("True", _) if !is_routed => ("Unknown", ""),
            other => other,
        }
    }

    fn is_at_rest(&self) -> bool {
        let mut routed = self.clone();
        routed.route();
        routed.traffic == self.traffic
    }

    pub(super) fn answer(&self) -> Value {
        let (status, message) = self.status();
        let name = self.revisions[0].name.trim_end_matches("-00001-abc");
        json!({
            "apiVersion": "serving.knative.dev/v1", "kind": "Service",
            "metadata": {
                "name": name, "namespace": PROJECT_NUMBER, "generation": self.generation,
                "resourceVersion": self.resource_version(), "annotations": self.annotations,
                "labels": {"cloud.googleapis.com/location": REGION},
            },
            "spec": self.spec,
            "status": {
                "observedGeneration": self.observed,
                "conditions": [
                    {"type": "Ready", "status": status, "message": message},
                    {"type": "ConfigurationsReady", "status": status},
                    {"type": "RoutesReady", "status": "True"},
                ],
                "latestCreatedRevisionName": self.latest_created().map(|one| &one.name),
                "latestReadyRevisionName": self.latest_ready,
                "traffic": self.traffic,
                "url": format!("https://{name}-{PROJECT_NUMBER}.{REGION}.run.app"),
            },
        })
    }
}
