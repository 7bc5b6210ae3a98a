//! The candidate, which other people issue.

use async_trait::async_trait;
use runbook::{About, Applied, Facts, Kind, Log, Observed, Step, Undo};

use crate::context::Context;
use crate::error::Error;
use crate::steps;

/// Waits until somebody gives the new value.
pub(super) struct Obtain(pub(super) &'static About);

/// Its texts, but for who issues the value.
pub(crate) const OBTAIN: About = About {
    name: "obtain",
    title: "Obtain the new value",
    kind: Kind::InMemory,
    told: None,
    does: "Ask those who issue it for a new client secret; the old one has to stay valid until the \
           rotation is at its end (the template of the request stands at the end of the runbook). That \
           takes one to five working days: the run waits and can be left. Give the value to the hidden \
           prompt, or to `--value-file`; it is never an argument, and is kept in memory until it is stored.",
    touches: "nothing outside this process",
    verified: "by the next step",
    undo: Undo::Nothing("the value is forgotten with the process"),
    outage: None,
};

#[async_trait(?Send)]
impl Step<Context, Error> for Obtain {
    fn about(&self) -> &'static About {
        self.0
    }

    /// Until it is stored, every process has to be given it, and to test it, anew.
    async fn observe(&self, context: &mut Context, facts: &Facts) -> Result<Observed, Error> {
        let staged = steps::find_candidate(context, facts).await?;
        Ok(Observed::when(staged.is_some()))
    }

    async fn apply(&self, context: &mut Context, _: &mut Log<'_>) -> Result<Applied, Error> {
        match context.candidate {
            Some(_) => Ok(Applied::Done),
            None => Ok(Applied::Waits { until: None }),
        }
    }

    async fn undo(&self, context: &mut Context, _: &mut Log<'_>) -> Result<(), Error> {
        context.candidate = None;
        Ok(())
    }
}
