//! The form of what `gcloud run` answers, as far as it matters here.

mod revision;
mod service;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use zeroize::Zeroize;

/// The annotation that keeps instances of a revision up though it has no traffic.
pub(super) const MIN_INSTANCES: &str = "autoscaling.knative.dev/minScale";

/// A service.
#[derive(Deserialize)]
pub(super) struct ServiceAnswer {
    pub(super) metadata: Metadata,
    pub(super) spec: ServiceSpec,
    #[serde(default)]
    pub(super) status: ServiceStatus,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    /// The project's number.
    #[serde(default)]
    pub(super) namespace: String,
    #[serde(default)]
    pub(super) generation: u64,
    #[serde(default)]
    pub(super) annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
pub(super) struct ServiceSpec {
    pub(super) template: Template,
    #[serde(default)]
    pub(super) traffic: Vec<Target>,
}

#[derive(Deserialize)]
pub(super) struct Template {
    #[serde(default)]
    pub(super) metadata: Option<Metadata>,
    pub(super) spec: RevisionSpec,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ServiceStatus {
    pub(super) observed_generation: u64,
    pub(super) conditions: Vec<Condition>,
    pub(super) latest_created_revision_name: Option<String>,
    pub(super) latest_ready_revision_name: Option<String>,
    pub(super) traffic: Vec<Target>,
}

/// Where traffic goes, or may be sent.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Clone, Default)]
pub(super) struct Target {
    pub(super) revision_name: Option<String>,
    pub(super) latest_revision: bool,
    pub(super) percent: u32,
    pub(super) tag: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Condition {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) status: String,
    #[serde(default)]
    pub(super) message: Option<String>,
}

/// A revision.
#[derive(Deserialize)]
pub(super) struct RevisionAnswer {
    pub(super) spec: RevisionSpec,
    #[serde(default)]
    pub(super) status: RevisionStatus,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RevisionStatus {
    pub(super) conditions: Vec<Condition>,
    /// The first container's image with its digest, whatever the name was.
    pub(super) image_digest: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RevisionSpec {
    /// The account that instances run as; none for the project's default one.
    #[serde(default)]
    pub(super) service_account_name: Option<String>,
    #[serde(default)]
    pub(super) containers: Vec<Container>,
    #[serde(default)]
    pub(super) volumes: Vec<Volume>,
}

#[derive(Deserialize)]
pub(super) struct Container {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) image: String,
    /// Requests come in here. One container of several has any.
    #[serde(default)]
    pub(super) ports: Vec<IgnoredAny>,
    #[serde(default)]
    pub(super) env: Vec<Variable>,
}

/// A variable: a value of its own, or a reference to a secret.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Variable {
    pub(super) name: String,
    /// It may be a secret.
    #[serde(default)]
    pub(super) value: Option<String>,
    #[serde(default)]
    pub(super) value_from: Option<ValueFrom>,
}

impl Drop for Variable {
    fn drop(&mut self) {
        self.value.zeroize();
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ValueFrom {
    pub(super) secret_key_ref: Option<KeyRef>,
}

#[derive(Clone, Deserialize, PartialEq, Eq)]
pub(super) struct KeyRef {
    pub(super) name: String,
    pub(super) key: String,
}

#[derive(Deserialize)]
pub(super) struct Volume {
    #[serde(default)]
    pub(super) secret: Option<VolumeSecret>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VolumeSecret {
    pub(super) secret_name: String,
    #[serde(default)]
    pub(super) items: Vec<VolumeItem>,
}

#[derive(Deserialize)]
pub(super) struct VolumeItem {
    pub(super) key: String,
}

impl Variable {
    pub(super) fn key_ref(&self) -> Option<&KeyRef> {
        self.value_from.as_ref()?.secret_key_ref.as_ref()
    }
}
