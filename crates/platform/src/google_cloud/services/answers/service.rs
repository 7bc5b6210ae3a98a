//! What a service's answer says: what serves, what is to serve, what can be reached.

use super::{Condition, MIN_INSTANCES, ServiceAnswer, Target};
use crate::google_cloud::failure::one_line;

impl ServiceAnswer {
    /// Whether the platform has carried out what it was told last.
    pub(in super::super) fn is_observed(&self) -> bool {
        self.metadata.generation == self.status.observed_generation
    }

    /// Whether the platform is still at what it was told last.
    pub(in super::super) fn is_moving(&self) -> bool {
        let ready = self.condition("Ready").map(|ready| ready.status.as_str());
        !self.is_observed() || ready == Some("Unknown")
    }

    /// Why the service isn't ready, if Cloud Run has given it up.
    pub(in super::super) fn failed_for(&self) -> Option<String> {
        let ready = self.condition("Ready").filter(|_| self.is_observed())?;
        let message = ready.message.as_deref().unwrap_or("no message");
        (ready.status == "False").then(|| one_line(message, 500))
    }

    /// The revision that was made of the template as it is, if that is ready and the
    /// service at rest: before, a newer template may have no revision yet.
    pub(in super::super) fn of_template(&self) -> Option<&str> {
        let ready = self.condition("Ready")?;
        let created = self.status.latest_created_revision_name.as_deref();
        let is_at_rest = self.is_observed() && ready.status == "True";
        let latest = self.status.latest_ready_revision_name.as_deref();
        created.filter(|created| is_at_rest && latest == Some(created))
    }

    /// The revision that the traffic goes to, and its share; the greatest of several.
    pub(in super::super) fn serving(&self) -> Option<(&str, u32)> {
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

    pub(in super::super) fn share(&self, revision: &str) -> u32 {
        let targets = self.status.traffic.iter();
        sum(targets.filter(|target| target.revision_name.as_deref() == Some(revision)))
    }

    /// The names of the revisions that traffic goes to, or can be sent to by a tag,
    /// as it is and as it is to be: each once.
    pub(in super::super) fn reachable(&self) -> Vec<String> {
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
    pub(in super::super) fn is_to_serve(&self, revision: &str) -> bool {
        let is_latest = self.status.latest_ready_revision_name.as_deref() == Some(revision);
        let to_it = |target: &Target| {
            target.revision_name.as_deref() == Some(revision) || target.latest_revision && is_latest
        };
        let targets = self.spec.traffic.iter();
        sum(targets.filter(|target| to_it(target))) == 100
    }

    /// Whether all traffic is to go to a revision, and isn't there yet.
    pub(in super::super) fn has_traffic_on_its_way(&self) -> bool {
        let to_serve = self.to_serve();
        !self.is_observed() || to_serve.is_some_and(|name| self.serving() != Some((name, 100)))
    }

    /// The revision that is to have all traffic.
    pub(in super::super) fn to_serve(&self) -> Option<&str> {
        let named = self.spec.traffic.iter().map(|target| &target.revision_name);
        let mut names = named.chain([&self.status.latest_ready_revision_name]);
        names.find_map(|name| name.as_deref().filter(|name| self.is_to_serve(name)))
    }

    /// Whether several revisions are to have a share of the traffic.
    pub(in super::super) fn is_split(&self) -> bool {
        let with_a_share = self.spec.traffic.iter().filter(|target| target.percent > 0);
        with_a_share.count() > 1 && self.to_serve().is_none()
    }

    /// Whether the service's template keeps instances of each revision up.
    pub(in super::super) fn has_min_instances(&self) -> bool {
        let metadata = self.spec.template.metadata.as_ref();
        metadata.is_some_and(|metadata| metadata.annotations.contains_key(MIN_INSTANCES))
    }

    /// Whether all traffic is to follow the latest revision.
    pub(in super::super) fn follows_latest(&self) -> bool {
        let mut targets = self.spec.traffic.iter();
        targets.any(|target| target.latest_revision && target.percent == 100)
    }

    /// The tags that a revision has, a tag of the latest one among them.
    pub(in super::super) fn tags_of(&self, revision: &str) -> Vec<&str> {
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

    pub(in super::super) fn condition(&self, kind: &str) -> Option<&Condition> {
        let mut conditions = self.status.conditions.iter();
        conditions.find(|condition| condition.kind == kind)
    }
}

/// The shares of the traffic together. No answer makes 100 out of more than that.
fn sum<'a>(targets: impl Iterator<Item = &'a Target>) -> u32 {
    targets.fold(0, |sum, target| sum.saturating_add(target.percent))
}
