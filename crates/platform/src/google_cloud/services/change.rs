//! Changes of a service, and what is to be made of their outcome.

use std::rc::Rc;

use super::CloudRun;
use super::answers::ServiceAnswer;
use crate::Error;
use crate::google_cloud::CloudError;
use crate::google_cloud::failure::{Failure, Kind};
use crate::google_cloud::gcloud::Call;

/// A service after a change that makes a revision was tried.
pub(super) struct Tried {
    pub(super) answer: Rc<ServiceAnswer>,
    /// Why the change was refused; or it was made, and its revision failed.
    pub(super) refusal: Option<Failure>,
}

impl CloudRun {
    /// The service as it was seen a moment ago, or else as it is: what a change begins
    /// with.
    pub(super) async fn look_before(&self, service: &str) -> Result<Rc<ServiceAnswer>, Error> {
        match self.fresh.take(service) {
            Some(answer) => Ok(answer),
            None => self.look(service).await,
        }
    }

    /// Makes a change that `gcloud` doesn't wait for. Where somebody else's came in
    /// between, or its outcome is unknown, that is no error: the caller looks again, and
    /// tries again if need be.
    pub(super) async fn try_change(&self, service: &str, call: &Call<'_>) -> Result<(), Error> {
        self.fresh.take(service);
        match self.gcloud.call(call).await {
            Ok(_) => Ok(()),
            Err(failure) if is_worth_a_look(&failure) => {
                self.gcloud.pause().await;
                Ok(())
            }
            Err(failure) => Err(self.error(failure)),
        }
    }

    /// Makes a revision. `gcloud` waits for it in one process, where this program would
    /// start one for each look, and prints the service as it is then. Whatever else it
    /// says is settled by looking.
    pub(super) async fn try_revision(&self, service: &str, call: Call<'_>) -> Result<Tried, Error> {
        self.fresh.take(service);
        let timeouts = &self.gcloud.settings.timeouts;
        let call = call.within(timeouts.call.max(timeouts.ready));
        let refusal = match self.gcloud.call(&call).await {
            Ok(answer) => match answer.json() {
                Ok(answer) => {
                    let answer = self.remember(service, answer);
                    let refusal = None;
                    return Ok(Tried { answer, refusal });
                }
                // It is made; what it looks like is asked.
                Err(_) => None,
            },
            Err(failure) if is_worth_a_look(&failure) => {
                self.gcloud.pause().await;
                None
            }
            Err(failure) => Some(failure),
        };
        let answer = self.look(service).await?;
        Ok(Tried { answer, refusal })
    }
}

fn is_worth_a_look(failure: &Failure) -> bool {
    failure.is_unsettled() || matches!(failure.kind, Kind::Conflict)
}

pub(super) fn conflict(action: String) -> Error {
    CloudError::Conflict { action }.into()
}
