//! The old value, revoked by those who issued it.

use async_trait::async_trait;
use runbook::{About, Applied, Facts, Kind, Log, Observed, Step, Undo};

use crate::context::Context;
use crate::error::Error;

/// Waits until the old value is revoked.
pub(super) struct Revoke;

const ABOUT: About = About {
    name: "revoke",
    title: "Have the old value revoked",
    kind: Kind::People,
    told: Some("those who issued the value, and `incidents` of the contacts in the settings"),
    does: "Ask those who issued it to revoke the old value now: the new one serves, and until then \
           whoever has the old one can use it. The run goes on when you say that it is done.",
    touches: "the issuer, by other people",
    verified: "by the next step, which asks the issuer",
    undo: Undo::Impossible("a revoked value can't be used again"),
    outage: None,
};

#[async_trait(?Send)]
impl Step<Context, Error> for Revoke {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    async fn observe(&self, _: &mut Context, _: &Facts) -> Result<Observed, Error> {
        Ok(Observed::Absent)
    }

    async fn apply(&self, _: &mut Context, _: &mut Log<'_>) -> Result<Applied, Error> {
        Ok(Applied::Done)
    }
}
