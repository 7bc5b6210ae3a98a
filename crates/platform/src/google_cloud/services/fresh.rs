//! What was seen of services a moment ago.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::answers::ServiceAnswer;

/// How long an answer is as good as another look, before traffic is sent: what a few
/// calls of `gcloud` take.
const FRESH: Duration = Duration::from_secs(3);

/// The last answer about each service, for the change that follows the look at once.
///
/// A look and a change that begins with a look are a second apart, in which nobody has
/// learnt anything new: `gcloud` reads the service again before it changes it, the
/// server refuses what came between that and the change, and what came before is seen
/// by the look that follows each change. So an answer may open one change of traffic,
/// and is gone then. What is built on the template begins with a new look. Whoever asks
/// to be told how a service *is* gets an answer of its own.
#[derive(Default)]
pub(super) struct Fresh(RefCell<HashMap<String, (Instant, Rc<ServiceAnswer>)>>);

impl Fresh {
    pub(super) fn keep(&self, service: &str, answer: &Rc<ServiceAnswer>) {
        let kept = (Instant::now(), Rc::clone(answer));
        self.0.borrow_mut().insert(service.to_owned(), kept);
    }

    /// The answer, if it is fresh; it isn't there a second time.
    pub(super) fn take(&self, service: &str) -> Option<Rc<ServiceAnswer>> {
        let (seen_at, answer) = self.0.borrow_mut().remove(service)?;
        (seen_at.elapsed() < FRESH).then_some(answer)
    }
}
