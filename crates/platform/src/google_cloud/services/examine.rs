//! A service as an examination sees it: what of it could stop a rotation.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::CloudRun;
use super::answers::{Container, ServiceAnswer};
use super::bindings::{Bindings, Found};
use super::tags::Tag;
use crate::google_cloud::failure::one_line;
use crate::{Binding, Bound, Error};

/// What there is to be said of a service.
pub(in crate::google_cloud) struct Examined {
    pub(in crate::google_cloud) name: String,
    /// The revision with the greatest share of the traffic, and that share.
    pub(in crate::google_cloud) serving: String,
    pub(in crate::google_cloud) share: u32,
    /// Whether that revision is really up, and nothing is under way.
    pub(in crate::google_cloud) is_ready: bool,
    /// What Cloud Run says where it isn't.
    pub(in crate::google_cloud) message: Option<String>,
    /// Whether traffic goes to whatever is deployed next.
    pub(in crate::google_cloud) follows_latest: bool,
    /// Whether a run of this tool has its tags there.
    pub(in crate::google_cloud) has_run: bool,
    /// Tags that are nobody's of this tool.
    pub(in crate::google_cloud) foreign_tags: Vec<String>,
    /// In what the next revision would differ from the serving one, but for secrets.
    pub(in crate::google_cloud) difference: Option<String>,
    /// The bindings by which the next revision would read what the serving one does, where
    /// it reads something else.
    pub(in crate::google_cloud) back_to_serving: Vec<String>,
    /// The account that it runs as.
    pub(in crate::google_cloud) account: String,
    /// Containers that take no requests, and whose image may be another tomorrow.
    pub(in crate::google_cloud) moving_sidecars: Vec<Sidecar>,
    /// The versions that the next revision and the serving one read.
    pub(in crate::google_cloud) references: BTreeSet<(String, String)>,
    bindings: Rc<Bindings>,
}

/// A container beside the one that takes requests.
pub(in crate::google_cloud) struct Sidecar {
    pub(in crate::google_cloud) container: String,
    pub(in crate::google_cloud) image: String,
}

/// What a binding is, as far as a rotation cares.
pub(in crate::google_cloud) enum Bond {
    /// The secret's version, by its number or the latest.
    Secret(Bound),
    /// The value stands in the service's own configuration.
    Inline,
    /// It can't be rotated as it is.
    Wrong(&'static str),
}

impl CloudRun {
    /// Looks at a service and at the revision that it serves with.
    ///
    /// # Errors
    ///
    /// When it isn't there, or can't be asked for.
    pub(in crate::google_cloud) async fn examine(&self, service: &str) -> Result<Examined, Error> {
        let answer = self.look(service).await?;
        let serving = self.serving(service, &answer)?;
        let revision = self.look_at_revision(service, &serving).await?;
        let bindings = self.bindings(service, &serving).await?;
        let is_ready = self.is_ready(service, &answer, &serving).await?;
        let next = &answer.spec.template.spec;
        let mut references = Bindings::of(next).versions();
        references.extend(bindings.versions());
        let ready = answer.condition("Ready").filter(|_| !is_ready);
        Ok(Examined {
            name: service.to_owned(),
            share: answer.serving().map_or(0, |(_, share)| share),
            serving,
            is_ready,
            message: ready
                .and_then(|ready| ready.message.as_deref())
                .map(|message| one_line(message, 500)),
            follows_latest: answer.follows_latest(),
            has_run: !Tag::all(&answer).is_empty(),
            foreign_tags: foreign_tags(&answer),
            difference: next.difference(&revision.spec, ""),
            back_to_serving: bindings.differing(&Bindings::of(next), ""),
            account: account(&answer),
            moving_sidecars: moving_sidecars(&next.containers),
            references,
            bindings,
        })
    }
}

impl Examined {
    /// What the serving revision has of a binding.
    pub(in crate::google_cloud) fn bond(&self, binding: &Binding) -> Bond {
        match self.bindings.find(binding) {
            Found::Bound(Bound::Inline) => Bond::Inline,
            Found::Bound(bound) => Bond::Secret(bound),
            Found::OtherSecret => Bond::Wrong("refers to another secret than the settings name"),
            Found::Nowhere => Bond::Wrong("is not set"),
            Found::UnknownKey => {
                Bond::Wrong("refers to a version that is neither `latest` nor a number")
            }
        }
    }
}

fn foreign_tags(answer: &ServiceAnswer) -> Vec<String> {
    let tags = answer.spec.traffic.iter().filter_map(|one| one.tag.clone());
    tags.filter(|tag| Tag::parse(tag).is_none()).collect()
}

/// A service that names none runs as the default one of its project.
fn account(answer: &ServiceAnswer) -> String {
    let named = answer.spec.template.spec.service_account_name.clone();
    named.filter(|name| !name.is_empty()).unwrap_or_else(|| {
        format!(
            "{}-compute@developer.gserviceaccount.com",
            answer.metadata.namespace
        )
    })
}

/// With each new revision Cloud Run looks anew for what a tag means, but for the
/// container that takes requests: `gcloud` fixes that one by its digest.
fn moving_sidecars(containers: &[Container]) -> Vec<Sidecar> {
    if containers.len() < 2 {
        return Vec::new();
    }
    let sidecars = containers.iter().filter(|one| one.ports.is_empty());
    let moving = sidecars.filter(|one| !one.image.contains("@sha256:"));
    let sidecar = |one: &Container| Sidecar {
        container: one.name.clone(),
        image: one.image.clone(),
    };
    moving.map(sidecar).collect()
}
