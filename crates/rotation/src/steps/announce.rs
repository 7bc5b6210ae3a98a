//! People told before anything changes for them.

use async_trait::async_trait;
use runbook::{About, Applied, Facts, Kind, Log, Observed, Step, Undo};

use crate::context::Context;
use crate::error::Error;

/// Waits until people have announced the window.
pub(crate) struct Announce;

/// What journals call the step.
pub(crate) const NAME: &str = "announce";

const ABOUT: About = About {
    name: NAME,
    title: "Announce the window",
    kind: Kind::People,
    told: Some("`users` and `on_call` of the contacts in the settings"),
    does: "Send the announcement that the step before has shown and written into `announcements.md` beside \
           the run's journal, with the time of the window. The run goes on when you say so.",
    touches: "nothing that the tool knows of",
    verified: "by whoever sent it",
    undo: Undo::By("announce that the window is over and nothing was changed"),
    outage: None,
};

#[async_trait(?Send)]
impl Step<Context, Error> for Announce {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    async fn observe(&self, _: &mut Context, _: &Facts) -> Result<Observed, Error> {
        Ok(Observed::Absent)
    }

    async fn apply(&self, _: &mut Context, _: &mut Log<'_>) -> Result<Applied, Error> {
        Ok(Applied::Done)
    }

    async fn undo(&self, _: &mut Context, log: &mut Log<'_>) -> Result<(), Error> {
        log.say("announce that the window is over and nothing was changed");
        Ok(())
    }
}
