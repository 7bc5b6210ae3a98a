//! What a rotation changed beside the binding, put back when its last tag goes.

use std::time::Instant;

use super::CloudRun;
use super::answers::ServiceAnswer;
use super::bindings::Bindings;
use super::change::Tried;
use super::tags::Tag;
use crate::Error;
use crate::google_cloud::CloudError;
use crate::google_cloud::gcloud::Call;

/// What has become of what was to be put back.
pub(super) enum Tidied {
    /// It is, or can't be.
    Is {
        /// Whether traffic may follow the latest revision again.
        to_latest: bool,
    },
    /// It was tried: the service is to be looked at again.
    Tried,
}

impl CloudRun {
    /// Puts the service's template back to what serves, without the instances that
    /// were kept up, and tells whether traffic may follow the latest revision again.
    ///
    /// A template can be changed by another revision only: it differs from the serving
    /// one in nothing that an instance sees, and is ready before it gets traffic. Where
    /// that can't be had, the service stays as it is: it serves, by a revision's name.
    pub(super) async fn tidy(
        &self,
        service: &str,
        discarded: &[String],
        answer: &ServiceAnswer,
        may_put_back: bool,
    ) -> Result<Tidied, Error> {
        let as_it_is = Tidied::Is { to_latest: false };
        let Some(changes) = self.to_put_back(service, discarded, answer).await? else {
            return Ok(as_it_is);
        };
        if changes.is_empty() {
            let serving = self.serving(service, answer)?;
            let to_latest = self.may_follow_latest(service, &serving, answer);
            let to_latest = to_latest.await?;
            return Ok(Tidied::Is { to_latest });
        }
        // A lost request leaves the service ready, too, as it was: the next look tells.
        match may_put_back && self.put_back(service, changes).await? {
            true => Ok(Tidied::Tried),
            false => Ok(as_it_is),
        }
    }

    /// What of the template is to be put back when these revisions' tags go; nothing
    /// where others of this tool's stay, or the template is somebody else's deployment.
    pub(super) async fn to_put_back(
        &self,
        service: &str,
        discarded: &[String],
        answer: &ServiceAnswer,
    ) -> Result<Option<Vec<String>>, Error> {
        let all = Tag::all(answer);
        let stays = |name: &str| !discarded.iter().any(|one| one == name);
        if all.is_empty() || all.iter().any(|(_, name)| stays(name)) {
            return Ok(None);
        }
        let serving = self.serving(service, answer)?;
        let template = &answer.spec.template.spec;
        if answer.of_template() != Some(&serving) {
            let revision = self.look_at_revision(service, &serving).await?;
            if revision.spec.difference(template, "").is_some() {
                return Ok(None);
            }
        }
        let mut changes = Vec::new();
        let bindings = self.bindings(service, &serving).await?;
        let back = bindings.differing(&Bindings::of(template), "");
        if !back.is_empty() {
            changes.push(format!("--update-secrets={}", back.join(",")));
        }
        if answer.has_min_instances() && all.iter().any(|(tag, _)| tag.set_min_instances) {
            changes.push("--min-instances=default".to_owned());
        }
        Ok(Some(changes))
    }

    /// Whether traffic followed the latest revision before, and that reads what serves.
    pub(super) async fn may_follow_latest(
        &self,
        service: &str,
        serving: &str,
        answer: &ServiceAnswer,
    ) -> Result<bool, Error> {
        let all = Tag::all(answer);
        let followed = all.iter().any(|(tag, _)| tag.followed_latest);
        let bindings = self.bindings(service, serving).await?;
        Ok(followed && self.latest_reads_as(service, answer, &bindings).await?)
    }

    /// The change that puts the template back.
    pub(super) fn putting_back(service: &str, changes: Vec<String>) -> Call<'static> {
        let action = format!("put the template of `{service}` back");
        let words = ["run", "services", "update", service, "--no-traffic"];
        let call = Call::new(action, &words);
        changes.into_iter().fold(call, Call::with)
    }

    /// Makes the revision, and tells whether the service got ready.
    async fn put_back(&self, service: &str, changes: Vec<String>) -> Result<bool, Error> {
        let call = CloudRun::putting_back(service, changes);
        let Tried {
            mut answer,
            refusal,
        } = self.try_revision(service, call).await?;
        match refusal.map(|failure| self.error(failure)) {
            None => {}
            Some(Error::Cloud(CloudError::Refused { .. })) => return Ok(false),
            Some(error) => return Err(error),
        }
        let started = Instant::now();
        while started.elapsed() < self.gcloud.settings.timeouts.ready {
            let ready = answer.condition("Ready").map(|ready| ready.status.as_str());
            match ready {
                Some("True") if answer.is_observed() => return Ok(true),
                Some("False") if answer.is_observed() => return Ok(false),
                _ => self.gcloud.pause().await,
            }
            answer = self.look(service).await?;
        }
        Ok(false)
    }

    /// Whether the latest revision is ready, and reads the same versions.
    async fn latest_reads_as(
        &self,
        service: &str,
        answer: &ServiceAnswer,
        bindings: &Bindings,
    ) -> Result<bool, Error> {
        let status = &answer.status;
        let Some(latest) = status.latest_ready_revision_name.as_deref() else {
            return Ok(false);
        };
        let is_settled =
            answer.is_observed() && status.latest_created_revision_name.as_deref() == Some(latest);
        Ok(is_settled && self.bindings(service, latest).await?.reads_as(bindings))
    }
}
