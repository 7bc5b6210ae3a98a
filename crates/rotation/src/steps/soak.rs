//! Time between the verification and the retirement.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use runbook::{About, Applied, Fact, Facts, Kind, Log, Observed, Step, Undo};

use crate::context::Context;
use crate::error::Error;
use crate::facts;

/// Keeps the old version for a while.
pub(crate) struct Soak;

const ABOUT: About = About {
    name: "soak",
    title: "Soak",
    kind: Kind::Soak,
    told: None,
    does: "Leaves the old version enabled for a while, so that going back stays easy should something \
           turn up. The run can be left; resuming it before the time changes nothing.",
    touches: "nothing",
    verified: "by the clock",
    undo: Undo::Nothing("time can't be undone"),
    outage: None,
};

#[async_trait(?Send)]
impl Step<Context, Error> for Soak {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    async fn observe(&self, _: &mut Context, _: &Facts) -> Result<Observed, Error> {
        Ok(Observed::Absent)
    }

    async fn apply(&self, context: &mut Context, log: &mut Log<'_>) -> Result<Applied, Error> {
        if context.soak.is_zero() {
            return Ok(Applied::Done);
        }
        let until = match log.facts().time(facts::SOAK_ENDS) {
            Ok(until) => until,
            Err(_) => {
                let soak = SignedDuration::try_from(context.soak).unwrap_or(SignedDuration::MAX);
                let until = Timestamp::now()
                    .saturating_add(soak)
                    .unwrap_or(Timestamp::MAX);
                log.record(facts::SOAK_ENDS, Fact::Time(until))?;
                until
            }
        };
        if Timestamp::now() >= until {
            Ok(Applied::Done)
        } else {
            let until = Some(until);
            Ok(Applied::Waits { until })
        }
    }
}
