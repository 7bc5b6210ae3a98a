//! What `gcloud run` answers, as far as it matters here.

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
    pub(super) annotations: std::collections::BTreeMap<String, String>,
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

impl ServiceAnswer {
    /// Whether the platform has carried out what it was told last.
    pub(super) fn is_observed(&self) -> bool {
        self.metadata.generation == self.status.observed_generation
    }

    /// Whether the platform is still at what it was told last.
    pub(super) fn is_moving(&self) -> bool {
        let ready = self.condition("Ready").map(|ready| ready.status.as_str());
        !self.is_observed() || ready == Some("Unknown")
    }

    /// The revision that was made of the template as it is, if that is ready and the
    /// service at rest: before, a newer template may have no revision yet.
    pub(super) fn of_template(&self) -> Option<&str> {
        let ready = self.condition("Ready")?;
        let created = self.status.latest_created_revision_name.as_deref();
        let is_at_rest = self.is_observed() && ready.status == "True";
        let latest = self.status.latest_ready_revision_name.as_deref();
        created.filter(|created| is_at_rest && latest == Some(created))
    }

    /// The revision that the traffic goes to, and its share; the greatest of several.
    pub(super) fn serving(&self) -> Option<(&str, u32)> {
        let mut greatest: Option<(&str, u32)> = None;
        for target in &self.status.traffic {
            let Some(name) = target.revision_name.as_deref() else {
                continue;
            };
            let share = self.share(name);
            if share > greatest.map_or(0, |(_, share)| share) {
                greatest = Some((name, share));
            }
        }
        greatest
    }

    pub(super) fn share(&self, revision: &str) -> u32 {
        let targets = self.status.traffic.iter();
        sum(targets.filter(|target| target.revision_name.as_deref() == Some(revision)))
    }

    /// The names of the revisions that traffic goes to, or can be sent to by a tag,
    /// as it is and as it is to be: each once.
    pub(super) fn reachable(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for target in self.status.traffic.iter().chain(&self.spec.traffic) {
            let has_any = target.percent > 0 || target.tag.is_some();
            if let Some(name) = &target.revision_name
                && has_any
                && !names.contains(name)
            {
                names.push(name.clone());
            }
        }
        names
    }

    /// Whether the service is to send everything to this revision.
    pub(super) fn is_to_serve(&self, revision: &str) -> bool {
        let is_latest = self.status.latest_ready_revision_name.as_deref() == Some(revision);
        let to_it = |target: &Target| {
            target.revision_name.as_deref() == Some(revision) || target.latest_revision && is_latest
        };
        let targets = self.spec.traffic.iter();
        sum(targets.filter(|target| to_it(target))) == 100
    }

    /// Whether all traffic is to go to a revision, and isn't there yet.
    pub(super) fn has_traffic_on_its_way(&self) -> bool {
        let to_serve = self.to_serve();
        !self.is_observed() || to_serve.is_some_and(|name| self.serving() != Some((name, 100)))
    }

    /// The revision that is to have all traffic.
    pub(super) fn to_serve(&self) -> Option<&str> {
        let named = self.spec.traffic.iter().map(|target| &target.revision_name);
        let mut names = named.chain([&self.status.latest_ready_revision_name]);
        names.find_map(|name| name.as_deref().filter(|name| self.is_to_serve(name)))
    }

    /// Whether several revisions are to have a share of the traffic.
    pub(super) fn is_split(&self) -> bool {
        let with_a_share = self.spec.traffic.iter().filter(|target| target.percent > 0);
        with_a_share.count() > 1 && self.to_serve().is_none()
    }

    /// Whether the service's template keeps instances of each revision up.
    pub(super) fn has_min_instances(&self) -> bool {
        let metadata = self.spec.template.metadata.as_ref();
        metadata.is_some_and(|metadata| metadata.annotations.contains_key(MIN_INSTANCES))
    }

    /// Whether all traffic is to follow the latest revision.
    pub(super) fn follows_latest(&self) -> bool {
        let mut targets = self.spec.traffic.iter();
        targets.any(|target| target.latest_revision && target.percent == 100)
    }

    /// The tags that a revision has, a tag of the latest one among them.
    pub(super) fn tags_of(&self, revision: &str) -> Vec<&str> {
        let is_latest = self.status.latest_ready_revision_name.as_deref() == Some(revision);
        let targets = self.spec.traffic.iter();
        targets
            .filter(|target| match target.revision_name.as_deref() {
                Some(name) => name == revision,
                None => target.latest_revision && is_latest,
            })
            .filter_map(|target| target.tag.as_deref())
            .collect()
    }

    pub(super) fn condition(&self, kind: &str) -> Option<&Condition> {
        let mut conditions = self.status.conditions.iter();
        conditions.find(|condition| condition.kind == kind)
    }
}

/// The shares of the traffic together. No answer makes 100 out of more than that.
fn sum<'a>(targets: impl Iterator<Item = &'a Target>) -> u32 {
    targets.fold(0, |sum, target| sum.saturating_add(target.percent))
}

impl RevisionAnswer {
    /// Whether its instances run the same image, as far as Cloud Run tells.
    pub(super) fn has_image_of(&self, other: &RevisionAnswer) -> bool {
        let digests = (&self.status.image_digest, &other.status.image_digest);
        match digests {
            (Some(one), Some(other)) => one == other,
            _ => true,
        }
    }

    pub(super) fn ready(&self) -> Option<&Condition> {
        let mut conditions = self.status.conditions.iter();
        conditions.find(|condition| condition.kind == "Ready")
    }
}

impl RevisionSpec {
    /// In what another differs that no reference to a secret can mend. Values aren't
    /// told. Images are compared where both are fixed by a digest.
    pub(super) fn difference(&self, other: &RevisionSpec, variable: &str) -> Option<String> {
        if self.containers.len() != other.containers.len() {
            return Some("its containers".to_owned());
        }
        for (one, other) in self.containers.iter().zip(&other.containers) {
            let are_fixed = one.image.contains("@sha256:") && other.image.contains("@sha256:");
            if are_fixed && one.image != other.image {
                return Some("an image".to_owned());
            }
            if let Some(name) = one.differing_variable(other, variable) {
                return Some(format!("`{name}`"));
            }
        }
        None
    }
}

impl Container {
    fn differing_variable(&self, other: &Container, except: &str) -> Option<String> {
        let is_in = |one: &Variable, container: &Container| {
            let mut variables = container.env.iter();
            variables.any(|other| {
                let are_references = one.key_ref().is_some() && other.key_ref().is_some();
                one.name == other.name && (are_references || one.value == other.value)
            })
        };
        let gone = self.env.iter().filter(|one| !is_in(one, other));
        let new = other.env.iter().filter(|one| !is_in(one, self));
        let mut differing = gone.chain(new).map(|one| one.name.as_str());
        let found = differing.find(|name| *name != except);
        found.map(str::to_owned)
    }
}
