//! What a rotation changed beside the binding, given back when its last tag goes.

use std::rc::Rc;

use super::CloudRun;
use super::answers::ServiceAnswer;
use super::bindings::Bindings;
use super::change::Tried;
use super::tags::Tag;
use crate::google_cloud::CloudError;
use crate::google_cloud::gcloud::Call;
use crate::{Error, Kept};

/// What has become of what was to be given back.
pub(super) enum Tidied {
    /// It is.
    Is {
        /// Whether traffic may follow the latest revision again.
        to_latest: bool,
    },
    /// It can't be, or is somebody else's by now.
    Not(Option<Kept>),
    /// It was tried: the service is to be looked at again.
    Tried,
}

/// The flag that takes back what keeps instances up.
const NO_INSTANCES: &str = "--min-instances=default";

/// What a service is to get back.
pub(super) struct ToGiveBack {
    serving: String,
    bindings: Rc<Bindings>,
    /// What of its template is to be as it was, as flags of `gcloud run services update`.
    pub(super) changes: Vec<String>,
    keeps_instances: bool,
    /// Whether traffic followed the latest revision.
    followed_latest: bool,
    /// In what the template is somebody else's: it is left to them then.
    pub(super) deployed: Option<String>,
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
        let Some(back) = self.to_give_back(service, discarded, answer).await? else {
            return Ok(Tidied::Is { to_latest: false });
        };
        if let Some(what) = &back.deployed {
            let why = format!("what somebody deployed meanwhile differs in {what}");
            return Ok(Tidied::Not(self.kept(service, &back, why)));
        }
        let why_not = if !back.changes.is_empty() {
            if !may_put_back {
                let why = "somebody else changes it at the same time".to_owned();
                return Ok(Tidied::Not(self.kept(service, &back, why)));
            }
            // A lost request leaves the service ready, too, as it was: the next look tells.
            self.put_back(service, &back.changes).await?
        } else if !back.followed_latest {
            return Ok(Tidied::Is { to_latest: false });
        } else if answer.is_moving() {
            // What was put back may be on its way, by a run that ended meanwhile.
            self.wait_until_ready(service, None).await?
        } else if self
            .may_follow_latest(service, &back.serving, answer)
            .await?
        {
            return Ok(Tidied::Is { to_latest: true });
        } else {
            Some("its latest revision isn't ready, or reads another version".to_owned())
        };
        Ok(match why_not {
            None => Tidied::Tried,
            Some(why) => Tidied::Not(self.kept(service, &back, why)),
        })
    }

    /// What the service is to get back when these revisions' tags go; nothing where others
    /// of this tool's stay.
    pub(super) async fn to_give_back(
        &self,
        service: &str,
        discarded: &[String],
        answer: &ServiceAnswer,
    ) -> Result<Option<ToGiveBack>, Error> {
        let all = Tag::all(answer);
        let stays = |name: &str| !discarded.iter().any(|one| one == name);
        if all.is_empty() || all.iter().any(|(_, name)| stays(name)) {
            return Ok(None);
        }
        let serving = self.serving(service, answer)?;
        let template = Bindings::of(&answer.spec.template.spec);
        let deployed = match answer.of_template() == Some(&serving) {
            true => None,
            false => self.deployed_beside(service, answer, &serving, "").await?,
        };
        let mut changes = Vec::new();
        let bindings = self.bindings(service, &serving).await?;
        let back = bindings.differing(&template, "");
        if !back.is_empty() {
            changes.push(format!("--update-secrets={}", back.join(",")));
        }
        let keeps_instances =
            answer.has_min_instances() && all.iter().any(|(tag, _)| tag.set_min_instances);
        if keeps_instances {
            changes.push(NO_INSTANCES.to_owned());
        }
        Ok(Some(ToGiveBack {
            serving,
            bindings,
            changes,
            keeps_instances,
            followed_latest: all.iter().any(|(tag, _)| tag.followed_latest),
            deployed,
        }))
    }

    /// What the service keeps then, if anything. Whatever became of its template, the command
    /// first makes a revision that reads what serves.
    fn kept(&self, service: &str, back: &ToGiveBack, why: String) -> Option<Kept> {
        let settings = &self.gcloud.settings;
        let mut flags = back.changes.clone();
        if flags.is_empty() {
            let binding = back.bindings.first();
            flags.extend(binding.map(|binding| format!("--update-secrets={binding}")));
        }
        let command = match back.followed_latest {
            true => settings.follow_latest(service, &flags),
            false => settings.update_service(service, &flags),
        };
        let advice = match back.deployed {
            Some(_) => format!("whoever deployed it has it serve by `{command}`"),
            None => format!("it is given back by `{command}`"),
        };
        let kept = Kept {
            service: service.to_owned(),
            pinned_to: back.followed_latest.then(|| back.serving.clone()),
            why,
            advice,
        };
        (back.followed_latest || back.keeps_instances).then_some(kept)
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
    pub(super) fn putting_back(service: &str, changes: &[String]) -> Call<'static> {
        let action = format!("put the template of `{service}` back");
        let words = ["run", "services", "update", service, "--no-traffic"];
        let call = Call::new(action, &words);
        changes.iter().cloned().fold(call, Call::with)
    }

    /// Makes the revision, and waits until the service is ready; why it can't be had, where
    /// it can't.
    async fn put_back(&self, service: &str, changes: &[String]) -> Result<Option<String>, Error> {
        let call = CloudRun::putting_back(service, changes);
        let Tried { answer, refusal } = self.try_revision(service, call).await?;
        match refusal.map(|failure| self.error(failure)) {
            None => self.wait_until_ready(service, Some(answer)).await,
            // What Cloud Run says of a revision that failed is more than `gcloud` does.
            Some(Error::Cloud(CloudError::Refused { message, .. })) => {
                Ok(Some(answer.failed_for().unwrap_or(message)))
            }
            Some(error) => Err(error),
        }
    }

    /// Waits until a service is ready; why it isn't, or never will be.
    async fn wait_until_ready(
        &self,
        service: &str,
        seen: Option<Rc<ServiceAnswer>>,
    ) -> Result<Option<String>, Error> {
        let limit = self.gcloud.settings.timeouts.ready;
        let is_at_rest = |answer: &ServiceAnswer| !answer.is_moving();
        let answer = match seen.filter(|answer| is_at_rest(answer)) {
            Some(answer) => answer,
            None => self.look_until(service, limit, is_at_rest).await?,
        };
        if answer.is_moving() {
            let seconds = limit.as_secs();
            return Ok(Some(format!(
                "its next revision was not ready in {seconds} s"
            )));
        }
        Ok(answer.failed_for())
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
