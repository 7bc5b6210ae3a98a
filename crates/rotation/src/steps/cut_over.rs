//! The moment at which consumers use the new value.

use std::cell::RefCell;

use async_trait::async_trait;
use jiff::Timestamp;
use platform::{Bound, Change, Service};
use runbook::{About, Applied, Fact, Facts, Forecast, Kind, Log, Observed, Step, Undo};

use super::prepare;
use super::services::{ROUNDS, expect_new_version, serve_prepared, serve_with, side_by_side};
use crate::context::{Context, new_version, old_version};
use crate::database_login;
use crate::error::Error;
use crate::facts;
use crate::material::Material;

/// Sends traffic to the revisions that read the new version.
pub(crate) struct CutOver {
    about: &'static About,
    /// What the services were bound to when they were observed, right before each change.
    seen: RefCell<Option<Vec<Bound>>>,
}

impl CutOver {
    /// Where both revisions work until the traffic has moved.
    pub(crate) fn without_outage() -> CutOver {
        CutOver::of(&ABOUT)
    }

    /// Where the table is under the new key already.
    pub(crate) fn of_key() -> CutOver {
        CutOver::of(&OF_KEY)
    }

    fn of(about: &'static About) -> CutOver {
        CutOver {
            about,
            seen: RefCell::default(),
        }
    }
}

pub(crate) const NAME: &str = "cut-over";

const ABOUT: About = About {
    name: NAME,
    title: "Cut over to the new revision",
    kind: Kind::Change,
    told: None,
    does: "Sends all traffic to the prepared revision of each service and waits until it is really there. \
           Where a service was changed since, another revision is made first, of what serves now.",
    touches: "the services: all of their traffic, and a revision each where they were changed since",
    verified: "the service is ready, and serves with a revision that reads the new version by its number",
    undo: Undo::By("traffic goes back to a revision that reads the old version by its number"),
    outage: None,
};

const OF_KEY: About = About {
    outage: Some(
        "known orders can't be answered from the commit of the re-encryption until the traffic has \
         moved: seconds, or a minute where somebody deploys in between",
    ),
    ..ABOUT
};

#[async_trait(?Send)]
impl Step<Context, Error> for CutOver {
    fn about(&self) -> &'static About {
        self.about
    }

    /// Whoever sends traffic to the new version does so after the run has stored it.
    fn is_of_this_run(&self) -> bool {
        true
    }

    async fn observe(&self, context: &mut Context, facts: &Facts) -> Result<Observed, Error> {
        let bound = Bound::Pinned(new_version(facts)?);
        let mut described = context.describe_all().await?;
        // Whoever is at a service now has not taken this one's traffic for that. Traffic that is
        // elsewhere is sent at once, whoever is at it.
        let is_bound = described.iter().all(|(_, service)| service.bound == bound);
        if is_bound && described.iter().any(|(_, service)| !service.ready) {
            described = context.describe_all_at_rest().await?;
        }
        let is_there = |service: &Service| service.bound == bound && service.ready;
        let is_present = described.iter().all(|(_, service)| is_there(service));
        let bounds = described.iter().map(|(_, service)| service.bound);
        *self.seen.borrow_mut() = Some(bounds.collect());
        Ok(Observed::when(is_present))
    }

    async fn apply(&self, context: &mut Context, log: &mut Log<'_>) -> Result<Applied, Error> {
        if self.seen.borrow().is_none() {
            self.observe(context, log.facts()).await?;
        }
        let new = Bound::Pinned(new_version(log.facts())?);
        for _ in 0..ROUNDS {
            refuse_unstored_values(context, &self.seen.take().unwrap_or_default())?;
            let revisions = side_by_side(&context.consumers, async |consumer| {
                serve_prepared(context, consumer, new).await
            });
            let revisions = revisions.await?;
            prepare::record(context, revisions, log)?;
            // Another's cutover in the same moment may have taken this back: once more then,
            // on what that has done.
            if self.observe(context, log.facts()).await? == Observed::Present {
                log.record(facts::CUT_OVER_AT, Fact::Time(Timestamp::now()))?;
                break;
            }
        }
        Ok(Applied::Done)
    }

    async fn verify(&self, context: &mut Context, facts: &Facts) -> Result<(), Error> {
        expect_new_version(context, facts).await
    }

    async fn foresee(&self, context: &mut Context, forecast: &mut Forecast) -> Result<(), Error> {
        let cut_over = |service| Change::CutOver { service };
        context.rehearse_for_all(cut_over, forecast).await
    }

    async fn undo(&self, context: &mut Context, log: &mut Log<'_>) -> Result<(), Error> {
        send_back(context, log).await
    }
}

/// Sends the traffic back to revisions that read the old version. Where people have restarted the
/// services with that already, and somebody has changed it since, they are told to do so once more.
pub(super) async fn send_back(context: &Context, log: &mut Log<'_>) -> Result<(), Error> {
    if let Material::Login(_) = context.material {
        database_login::let_in_again(context, log.facts()).await?;
    }
    let old = Bound::Pinned(old_version(log.facts())?);
    let is_back = |(_, service): &(_, Service)| service.bound == old && service.ready;
    if let Ok(sent_back) = log.facts().version(facts::SENT_BACK)
        && !context.describe_all().await?.iter().all(is_back)
    {
        log.say("the services are given the old version once more: restart them once more");
        log.record(facts::SENT_BACK_AGAIN, Fact::Version(sent_back))?;
    }
    side_by_side(&context.consumers, async |consumer| {
        let service = context.describe(consumer).await?;
        if service.bound != old || !service.ready {
            serve_with(context, consumer, service.bound, old).await?;
        }
        Ok(())
    })
    .await?;
    Ok(())
}

/// Refuses to replace a value that somebody put into a service's own configuration
/// and into no store: nobody could fetch it again.
fn refuse_unstored_values(context: &Context, bounds: &[Bound]) -> Result<(), Error> {
    for (consumer, bound) in context.consumers.iter().zip(bounds) {
        if *bound == Bound::Inline {
            return Err(context.not_in_store(consumer));
        }
    }
    Ok(())
}
