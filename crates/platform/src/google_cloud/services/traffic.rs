//! Traffic: sent, taken back, and tidied up afterwards.

use std::rc::Rc;
use std::time::Instant;

use super::CloudRun;
use super::answers::ServiceAnswer;
use super::change::conflict;
use super::tags::Tag;
use super::tidy::Tidied;
use crate::google_cloud::CloudError;
use crate::google_cloud::gcloud::{ATTEMPTS, Call};
use crate::{Error, Kept};

/// What is to be made unreachable.
#[derive(Clone, Copy)]
pub(super) enum Discarded<'a> {
    One(&'a str),
    /// All but the one that serves.
    Others,
}

impl CloudRun {
    /// Sends all traffic to a revision. The one that had it stays reachable under a
    /// tag, so that the traffic can be sent back.
    pub(super) async fn send_traffic(&self, service: &str, revision: &str) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let answer = self.look_before(service).await?;
            if answer.is_to_serve(revision) {
                return self.wait_until_serving(service, revision, answer).await;
            }
            if !answer.reachable().iter().any(|name| name == revision) {
                return Err(Error::NoSuchRevision {
                    service: service.to_owned(),
                    revision: revision.to_owned(),
                });
            }
            self.refuse_another_basis(service, revision, &answer)?;
            let call = self.sending(service, revision, &answer)?;
            self.try_change(service, &call).await?;
        }
        let answer = self.look(service).await?;
        if answer.is_to_serve(revision) {
            return self.wait_until_serving(service, revision, answer).await;
        }
        Err(conflict(format!("send the traffic of `{service}`")))
    }

    /// What was prepared differs from what served then in its own binding alone. Where
    /// another revision serves by now, or is to, what that reads would be taken back.
    fn refuse_another_basis(
        &self,
        service: &str,
        revision: &str,
        answer: &ServiceAnswer,
    ) -> Result<(), Error> {
        let bases = self.bases.borrow();
        let Some([prepared, basis]) = bases.get(service) else {
            return Ok(());
        };
        let serving = answer.serving().map(|(name, _)| name);
        let mut now = [serving, answer.to_serve()].into_iter().flatten();
        if prepared == revision && now.any(|name| name != basis) {
            return Err(overtaken(service, revision));
        }
        Ok(())
    }

    pub(super) fn sending(
        &self,
        service: &str,
        revision: &str,
        answer: &ServiceAnswer,
    ) -> Result<Call<'static>, Error> {
        let serving = self.serving(service, answer)?;
        let action = format!("send the traffic of `{service}` to `{revision}`");
        let mut call = all_traffic(service, revision, action);
        if ours_of(answer, &serving).is_empty() {
            let tag = Tag::for_keeping(answer, &serving);
            call = call.with(format!("--update-tags={}={serving}", tag.text()));
        }
        let tags = ours_of(answer, revision);
        if !tags.is_empty() {
            call = call.with(format!("--remove-tags={}", tags.join(",")));
        }
        Ok(call)
    }

    /// Waits until all traffic is really at a revision, and that is up.
    async fn wait_until_serving(
        &self,
        service: &str,
        revision: &str,
        mut answer: Rc<ServiceAnswer>,
    ) -> Result<(), Error> {
        let limit = self.gcloud.settings.timeouts.traffic;
        let started = Instant::now();
        loop {
            if self.is_ready(service, &answer, revision).await? {
                return Ok(());
            }
            if !answer.is_to_serve(revision) {
                return Err(overtaken(service, revision));
            }
            if started.elapsed() >= limit {
                return Err(CloudError::TrafficLate {
                    service: service.to_owned(),
                    revision: revision.to_owned(),
                    limit,
                }
                .into());
            }
            self.gcloud.pause().await;
            answer = self.look(service).await?;
        }
    }

    /// Removes the tags of revisions. With the last of this tool's, the service gets
    /// back what it had before: see [`CloudRun::tidy`]. Tells what it keeps where that can't be.
    pub(super) async fn untag(
        &self,
        service: &str,
        discarded: Discarded<'_>,
    ) -> Result<Option<Kept>, Error> {
        let action = || match discarded {
            Discarded::One(revision) => format!("remove the tag of `{revision}` of `{service}`"),
            Discarded::Others => format!("remove the tags of `{service}`"),
        };
        let (mut put_back, mut kept) = (0, None);
        let mut seen_first = None;
        for _ in 0..2 * ATTEMPTS {
            let answer = self.look_at_rest(service).await?;
            let mut revisions = self.revisions_of(service, &answer, discarded)?;
            // What comes to be there meanwhile is another run's candidate.
            let seen_first = seen_first.get_or_insert_with(|| revisions.clone());
            revisions.retain(|name| seen_first.contains(name));
            refuse_serving(service, &answer, &revisions)?;
            let tags = tags_of(&answer, &revisions);
            if tags.is_empty() {
                self.wait_until_gone(service, &revisions, answer, &action())
                    .await?;
                return Ok(kept);
            }
            let may_put_back = put_back < ATTEMPTS;
            let to_latest = match self
                .tidy(service, &revisions, &answer, may_put_back)
                .await?
            {
                Tidied::Is { to_latest } => {
                    kept = None;
                    to_latest
                }
                Tidied::Not(what) => {
                    kept = what;
                    false
                }
                // That took its time, in which others may have gone on.
                Tidied::Tried => {
                    put_back += 1;
                    continue;
                }
            };
            let call = CloudRun::untagging(service, &tags, action(), to_latest);
            self.try_change(service, &call).await?;
            if to_latest {
                self.keep_from_candidate(service, &answer).await?;
            }
        }
        let answer = self.look(service).await?;
        let revisions = seen_first.unwrap_or_default();
        if tags_of(&answer, &revisions).is_empty() {
            return Ok(kept);
        }
        Err(conflict(action()))
    }

    /// Takes the traffic back from the latest revision where that is another run's candidate,
    /// which came between the look by which the traffic was let go and the change. That run
    /// gives the traffic back at its own end.
    async fn keep_from_candidate(&self, service: &str, seen: &ServiceAnswer) -> Result<(), Error> {
        let created = |answer: &ServiceAnswer| answer.status.latest_created_revision_name.clone();
        let serving = self.serving(service, seen)?;
        let action = format!("send the traffic of `{service}` back to `{serving}`");
        for _ in 0..ATTEMPTS {
            let answer = self.look(service).await?;
            let has_candidate = Tag::all(&answer).iter().any(|(tag, _)| tag.followed_latest);
            if !answer.follows_latest() || !has_candidate || created(&answer) == created(seen) {
                return Ok(());
            }
            let call = all_traffic(service, &serving, action.clone());
            self.try_change(service, &call).await?;
        }
        Err(conflict(action))
    }

    /// The revisions that are to be made unreachable.
    pub(super) fn revisions_of(
        &self,
        service: &str,
        answer: &ServiceAnswer,
        discarded: Discarded<'_>,
    ) -> Result<Vec<String>, Error> {
        if let Discarded::One(revision) = discarded {
            return Ok(vec![revision.to_owned()]);
        }
        let serving = self.serving(service, answer)?;
        let mut others = answer.reachable();
        others.retain(|name| *name != serving);
        Ok(others)
    }

    /// The change that removes tags.
    pub(super) fn untagging(
        service: &str,
        tags: &[&str],
        action: String,
        to_latest: bool,
    ) -> Call<'static> {
        let call = Call::new(action, &["run", "services", "update-traffic", service])
            .with(format!("--remove-tags={}", tags.join(",")))
            .with("--async".to_owned());
        match to_latest {
            true => call.with("--to-latest".to_owned()),
            false => call,
        }
    }

    /// Waits until the platform, too, has no tag at the revisions any more, and the
    /// traffic is at rest.
    async fn wait_until_gone(
        &self,
        service: &str,
        revisions: &[String],
        mut answer: Rc<ServiceAnswer>,
        action: &str,
    ) -> Result<(), Error> {
        let started = Instant::now();
        let is_there =
            |answer: &ServiceAnswer| answer.reachable().iter().any(|one| revisions.contains(one));
        while answer.has_traffic_on_its_way() || is_there(&answer) {
            if started.elapsed() >= self.gcloud.settings.timeouts.traffic {
                return Err(conflict(action.to_owned()));
            }
            self.gcloud.pause().await;
            answer = self.look(service).await?;
        }
        Ok(())
    }
}

/// The change that sends all traffic to a revision.
fn all_traffic(service: &str, revision: &str, action: String) -> Call<'static> {
    Call::new(action, &["run", "services", "update-traffic", service])
        .with(format!("--to-revisions={revision}=100"))
        .with("--async".to_owned())
}

fn overtaken(service: &str, revision: &str) -> Error {
    Error::Overtaken {
        service: service.to_owned(),
        revision: revision.to_owned(),
    }
}

fn refuse_serving(
    service: &str,
    answer: &ServiceAnswer,
    revisions: &[String],
) -> Result<(), Error> {
    for revision in revisions {
        let has_traffic = |target: &super::answers::Target| {
            target.percent > 0 && target.revision_name.as_ref() == Some(revision)
        };
        if answer.status.traffic.iter().any(has_traffic) || answer.is_to_serve(revision) {
            return Err(Error::RevisionServes {
                service: service.to_owned(),
                revision: revision.clone(),
            });
        }
    }
    Ok(())
}

pub(super) fn tags_of<'a>(answer: &'a ServiceAnswer, revisions: &[String]) -> Vec<&'a str> {
    let tags = revisions.iter().map(|revision| answer.tags_of(revision));
    tags.flatten().collect()
}

fn ours_of<'a>(answer: &'a ServiceAnswer, revision: &str) -> Vec<&'a str> {
    let tags = answer.tags_of(revision).into_iter();
    tags.filter(|tag| Tag::parse(tag).is_some()).collect()
}
