//! Traffic: sent, taken back, and tidied up afterwards.

use std::time::Instant;

use super::CloudRun;
use super::answers::ServiceAnswer;
use super::tags::Tag;
use crate::Error;
use crate::google_cloud::CloudError;
use crate::google_cloud::failure::{Failure, Kind};
use crate::google_cloud::gcloud::{ATTEMPTS, Call};

impl CloudRun {
    /// Sends all traffic to a revision. The one that had it stays reachable under a
    /// tag, so that the traffic can be sent back.
    pub(super) async fn send_traffic(&self, service: &str, revision: &str) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let answer = self.look(service).await?;
            if answer.is_to_serve(revision) {
                return self.wait_until_serving(service, revision, answer).await;
            }
            if !answer.reachable().iter().any(|name| name == revision) {
                return Err(Error::NoSuchRevision {
                    service: service.to_owned(),
                    revision: revision.to_owned(),
                });
            }
            let call = self.sending(service, revision, &answer)?;
            self.try_change(&call).await?;
        }
        let answer = self.look(service).await?;
        if answer.is_to_serve(revision) {
            return self.wait_until_serving(service, revision, answer).await;
        }
        Err(conflict(format!("send the traffic of `{service}`")))
    }

    fn sending(
        &self,
        service: &str,
        revision: &str,
        answer: &ServiceAnswer,
    ) -> Result<Call<'static>, Error> {
        let serving = self.serving(service, answer)?;
        let action = format!("send the traffic of `{service}` to `{revision}`");
        let mut call = Call::new(action, &["run", "services", "update-traffic", service])
            .with(format!("--to-revisions={revision}=100"))
            .with("--async".to_owned());
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
        mut answer: ServiceAnswer,
    ) -> Result<(), Error> {
        let limit = self.gcloud.settings.timeouts.traffic;
        let started = Instant::now();
        loop {
            if self.is_ready(service, &answer, revision).await? {
                return Ok(());
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

    /// Removes a revision's tags. With the last of this tool's, the service gets back
    /// what it had before: see [`CloudRun::tidy`].
    pub(super) async fn untag(&self, service: &str, revision: &str) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let answer = self.look(service).await?;
            let has_traffic = |target: &super::answers::Target| {
                target.percent > 0 && target.revision_name.as_deref() == Some(revision)
            };
            if answer.status.traffic.iter().any(has_traffic) || answer.is_to_serve(revision) {
                return Err(Error::RevisionServes {
                    service: service.to_owned(),
                    revision: revision.to_owned(),
                });
            }
            let tags = answer.tags_of(revision);
            if tags.is_empty() {
                return self.wait_until_gone(service, revision, answer).await;
            }
            let action = format!("remove the tag of `{revision}` of `{service}`");
            let mut call = Call::new(action, &["run", "services", "update-traffic", service])
                .with(format!("--remove-tags={}", tags.join(",")))
                .with("--async".to_owned());
            if self.tidy(service, revision, &answer).await? {
                call = call.with("--to-latest".to_owned());
            }
            self.try_change(&call).await?;
        }
        if self.look(service).await?.tags_of(revision).is_empty() {
            return Ok(());
        }
        Err(conflict(format!(
            "remove the tag of `{revision}` of `{service}`"
        )))
    }

    /// Waits until the platform, too, has no tag at the revision any more, and the
    /// traffic is at rest.
    async fn wait_until_gone(
        &self,
        service: &str,
        revision: &str,
        mut answer: ServiceAnswer,
    ) -> Result<(), Error> {
        let started = Instant::now();
        let is_moving = |answer: &ServiceAnswer| {
            let ready = answer.condition("Ready").map(|ready| ready.status.as_str());
            !answer.is_observed() || ready == Some("Unknown")
        };
        while is_moving(&answer) || answer.reachable().iter().any(|name| name == revision) {
            if started.elapsed() >= self.gcloud.settings.timeouts.traffic {
                return Err(conflict(format!(
                    "remove the tag of `{revision}` of `{service}`"
                )));
            }
            self.gcloud.pause().await;
            answer = self.look(service).await?;
        }
        Ok(())
    }

    /// Makes a change. Where somebody else's came in between, or its outcome is
    /// unknown, that is no error: the caller looks again, and tries again if need be.
    pub(super) async fn try_change(&self, call: &Call<'_>) -> Result<(), Error> {
        match self.gcloud.call(call).await {
            Ok(_) => Ok(()),
            Err(failure) if is_worth_a_look(&failure) => {
                self.gcloud.pause().await;
                Ok(())
            }
            Err(failure) => Err(self.error(failure)),
        }
    }
}

fn is_worth_a_look(failure: &Failure) -> bool {
    failure.is_unsettled() || matches!(failure.kind, Kind::Conflict)
}

fn ours_of<'a>(answer: &'a ServiceAnswer, revision: &str) -> Vec<&'a str> {
    let tags = answer.tags_of(revision).into_iter();
    tags.filter(|tag| Tag::parse(tag).is_some()).collect()
}

fn conflict(action: String) -> Error {
    CloudError::Conflict { action }.into()
}
