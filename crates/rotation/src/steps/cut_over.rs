//! The moment at which consumers use the new value.

use async_trait::async_trait;
use platform::Bound;
use runbook::{About, Applied, Facts, Kind, Log, Observed, Step, Undo};

use super::pin::{expect, refuse_unstored_value, serve_with};
use super::prepare;
use crate::context::{Context, new_version, old_version};
use crate::error::Error;

/// Sends traffic to the revisions that read the new version.
pub(crate) struct CutOver;

const ABOUT: About = About {
    name: "cut-over",
    title: "Cut over to the new revision",
    kind: Kind::Change,
    told: None,
    does: "Sends all traffic to the prepared revision of each service and waits until it is really there.",
    touches: "the services: all of their traffic",
    verified: "the service is ready, and serves with a revision that reads the new version by its number",
    undo: Undo::By("traffic goes back to a revision that reads the old version by its number"),
    outage: Some(
        "known orders can't be answered from the commit of the re-encryption until the traffic has \
         moved: seconds",
    ),
};

#[async_trait(?Send)]
impl Step<Context, Error> for CutOver {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    async fn observe(&self, context: &mut Context, facts: &Facts) -> Result<Observed, Error> {
        let bound = Bound::Pinned(new_version(facts)?);
        for consumer in &context.consumers {
            let service = context.describe(consumer).await?;
            if service.bound != bound || !service.ready {
                return Ok(Observed::Absent);
            }
        }
        Ok(Observed::Present)
    }

    async fn apply(&self, context: &mut Context, log: &mut Log<'_>) -> Result<Applied, Error> {
        for consumer in &context.consumers {
            refuse_unstored_value(context, consumer).await?;
            let revision = log.facts().name(prepare::fact(consumer))?;
            let services = &context.platform.services;
            services.cut_over(&consumer.service, revision).await?;
        }
        Ok(Applied::Done)
    }

    async fn verify(&self, context: &mut Context, facts: &Facts) -> Result<(), Error> {
        let bound = Bound::Pinned(new_version(facts)?);
        for consumer in &context.consumers {
            expect(context, consumer, bound).await?;
        }
        Ok(())
    }

    async fn undo(&self, context: &mut Context, log: &mut Log<'_>) -> Result<(), Error> {
        let old = Bound::Pinned(old_version(log.facts())?);
        for consumer in &context.consumers {
            let service = context.describe(consumer).await?;
            if service.bound != old || !service.ready {
                serve_with(context, consumer, old).await?;
            }
        }
        Ok(())
    }
}
