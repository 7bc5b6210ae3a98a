//! A restart by people, where the platform can't restart the service.

use async_trait::async_trait;
use runbook::{About, Applied, Fact, Facts, Kind, Log, Observed, Step, Undo};

use super::cut_over::send_back;
use crate::context::{Context, old_version};
use crate::error::Error;
use crate::facts;

/// Waits until people have restarted the service.
pub(crate) struct RestartByHand(&'static About);

impl RestartByHand {
    /// Where the old value works until then.
    pub(crate) fn without_outage() -> RestartByHand {
        RestartByHand(&ABOUT)
    }

    /// Where the value is a login, which goes with the way back.
    pub(crate) fn of_login() -> RestartByHand {
        RestartByHand(&OF_LOGIN)
    }

    /// Where the table is under the new key already.
    pub(crate) fn of_key() -> RestartByHand {
        RestartByHand(&OF_KEY)
    }
}

/// What journals call the step.
pub(crate) const RESTART_BY_HAND: &str = "restart-by-hand";

const ABOUT: About = About {
    name: RESTART_BY_HAND,
    title: "Restart the service by hand",
    kind: Kind::People,
    told: None,
    does: "The settings name no command that restarts the service: restart it now, so that it reads the \
           new value. The run goes on when you say so.",
    touches: "the service",
    verified: "by whoever restarted it",
    undo: Undo::By("after a rollback, restart it again: it reads the old value then"),
    outage: None,
};

const OF_LOGIN: About = About {
    undo: Undo::ByPeople(
        "the service gets the old URL back; restart it by hand then, while both logins work: the new one \
         goes next",
    ),
    ..ABOUT
};

const OF_KEY: About = About {
    undo: Undo::ByPeople(
        "the service gets the old key back; restart it by hand then, unless it was never restarted, and \
         say so: until you do, it can't answer known orders. The table goes back to the old key next, \
         with what was written under the new one",
    ),
    verified: "by whoever restarted it; the sweep finds what the old process wrote meanwhile",
    outage: Some("until it is restarted, the service can't answer known orders"),
    ..ABOUT
};

#[async_trait(?Send)]
impl Step<Context, Error> for RestartByHand {
    fn about(&self) -> &'static About {
        self.0
    }

    async fn observe(&self, _: &mut Context, _: &Facts) -> Result<Observed, Error> {
        Ok(Observed::Absent)
    }

    async fn apply(&self, _: &mut Context, _: &mut Log<'_>) -> Result<Applied, Error> {
        Ok(Applied::Done)
    }

    /// A login that is locked out while the service still runs with it is an outage, and what
    /// the service writes under a key that is gone nobody can read: the old value is put back
    /// first, so that people can restart the service with it.
    async fn undo(&self, context: &mut Context, log: &mut Log<'_>) -> Result<(), Error> {
        if matches!(self.0.undo, Undo::ByPeople(_)) {
            send_back(context, log).await?;
            let old = old_version(log.facts())?;
            return Ok(log.record(facts::SENT_BACK, Fact::Version(old.get()))?);
        }
        log.say("restart the service once the rollback is over: it still runs with the new value");
        Ok(())
    }
}
