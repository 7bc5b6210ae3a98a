//! What a rotation changed beside the binding, given back when its last tag goes.

use std::rc::Rc;
use std::time::Instant;

use super::CloudRun;
use super::answers::ServiceAnswer;
use super::bindings::Bindings;
use super::change::{Tried, conflict};
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

/// What a service is to get back.
pub(super) struct GivenBack {
    serving: String,
    /// What of its template is to be as it was, as flags of `gcloud run services update`.
    pub(super) changes: Vec<String>,
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
            let why = format!("somebody deployed it meanwhile, with another {what}");
            return Ok(Tidied::Not(self.kept(service, &back, why)));
        }
        let why_not = if !back.changes.is_empty() {
            let call = CloudRun::putting_back(service, &back.changes);
            if !may_put_back {
                return Err(conflict(call.action));
            }
            // A lost request leaves the service ready, too, as it was: the next look tells.
            self.put_back(service, call).await?
        } else if answer.is_moving() {
            // What was put back may be on its way, by a run that ended meanwhile.
            self.wait_until_ready(service, None).await?
        } else {
            let to_latest = self
                .may_follow_latest(service, &back.serving, answer)
                .await?;
            if to_latest || !back.followed_latest {
                return Ok(Tidied::Is { to_latest });
            }
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
    ) -> Result<Option<GivenBack>, Error> {
        let all = Tag::all(answer);
        let stays = |name: &str| !discarded.iter().any(|one| one == name);
        if all.is_empty() || all.iter().any(|(_, name)| stays(name)) {
            return Ok(None);
        }
        let serving = self.serving(service, answer)?;
        let template = &answer.spec.template.spec;
        let mut deployed = None;
        if answer.of_template() != Some(&serving) {
            let revision = self.look_at_revision(service, &serving).await?;
            deployed = revision.spec.difference(template, "");
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
        Ok(Some(GivenBack {
            serving,
            changes,
            followed_latest: all.iter().any(|(tag, _)| tag.followed_latest),
            deployed,
        }))
    }

    /// What the service keeps then, if anything.
    fn kept(&self, service: &str, back: &GivenBack, why: String) -> Option<Kept> {
        let settings = &self.gcloud.settings;
        let mut commands = Vec::new();
        if !back.changes.is_empty() {
            commands.push(settings.update_service(service, &back.changes));
        }
        if back.followed_latest {
            commands.push(settings.update_traffic(service, "--to-latest"));
        }
        let kept = Kept {
            service: service.to_owned(),
            revision: back.serving.clone(),
            why,
            commands,
        };
        (!kept.commands.is_empty()).then_some(kept)
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
    async fn put_back(&self, service: &str, call: Call<'_>) -> Result<Option<String>, Error> {
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

    /// Waits until a service is ready; why it never will be, where Cloud Run says so.
    async fn wait_until_ready(
        &self,
        service: &str,
        seen: Option<Rc<ServiceAnswer>>,
    ) -> Result<Option<String>, Error> {
        let mut answer = match seen {
            Some(answer) => answer,
            None => self.look(service).await?,
        };
        let limit = self.gcloud.settings.timeouts.ready;
        let started = Instant::now();
        while answer.is_moving() {
            if started.elapsed() >= limit {
                let created = answer.status.latest_created_revision_name.clone();
                return Err(CloudError::RevisionLate {
                    service: service.to_owned(),
                    revision: created.unwrap_or_default(),
                    limit,
                }
                .into());
            }
            self.gcloud.pause().await;
            answer = self.look(service).await?;
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
