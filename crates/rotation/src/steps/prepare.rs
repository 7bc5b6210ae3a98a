//! The revision that will read the new version, ready before anything needs it.

use async_trait::async_trait;
use platform::{Bound, Change, Which};
use runbook::{About, Applied, Fact, Facts, Forecast, Kind, Log, Name, Observed, Step, Undo};

use super::services::{discard_side_by_side, side_by_side};
use crate::context::{Consumer, Context, new_version};
use crate::error::Error;
use crate::facts;

/// Makes a revision that reads the new version, without traffic.
pub(crate) struct Prepare;

const ABOUT: About = About {
    name: "prepare",
    title: "Prepare the new revision",
    kind: Kind::Preparation,
    told: None,
    does: "Makes a revision of each service that reads the new version by its number and differs in \
           nothing else, without traffic, and waits until it is ready: what it takes to start is over \
           before anybody depends on it.",
    touches: "the services: one revision each that serves nobody",
    verified: "the revision is listed, and reads the new version",
    undo: Undo::By("the revision is made unreachable"),
    outage: None,
};

#[async_trait(?Send)]
impl Step<Context, Error> for Prepare {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    async fn observe(&self, context: &mut Context, facts: &Facts) -> Result<Observed, Error> {
        let mut consumers = context.consumers.iter();
        if consumers.any(|consumer| facts.get(fact(consumer)).is_none()) {
            return Ok(Observed::Absent);
        }
        let bound = Bound::Pinned(new_version(facts)?);
        for (_, service) in context.describe_all().await? {
            // By what it reads and not by its name: another may have been made since.
            let mut revisions = service.revisions.iter();
            if !revisions.any(|revision| revision.bound == bound) {
                return Ok(Observed::Absent);
            }
        }
        Ok(Observed::Present)
    }

    async fn apply(&self, context: &mut Context, log: &mut Log<'_>) -> Result<Applied, Error> {
        let bound = Bound::Pinned(new_version(log.facts())?);
        let binding = context.binding();
        let revisions = side_by_side(&context.consumers, async |consumer| {
            let services = &context.platform.services;
            Ok(services.prepare(&consumer.service, &binding, bound).await?)
        });
        let revisions = revisions.await?;
        record(context, revisions, log)?;
        Ok(Applied::Done)
    }

    async fn foresee(&self, context: &mut Context, forecast: &mut Forecast) -> Result<(), Error> {
        let binding = context.binding();
        let prepared = |service| Change::Prepare {
            service,
            binding: binding.clone(),
            to: Which::New,
        };
        context.rehearse_for_all(prepared, forecast).await
    }

    async fn undo(&self, context: &mut Context, log: &mut Log<'_>) -> Result<(), Error> {
        let Ok(version) = new_version(log.facts()) else {
            return Ok(());
        };
        discard_side_by_side(context, log, async |consumer| {
            let mut kept = None;
            let service = context.describe(consumer).await?;
            for revision in service.revisions {
                if revision.bound == Bound::Pinned(version) {
                    let services = &context.platform.services;
                    let discarded = services.discard(&consumer.service, &revision.name);
                    kept = discarded.await?.or(kept);
                }
            }
            Ok(kept)
        })
        .await
    }
}

/// Records the names of the revisions that read the new version.
pub(super) fn record(
    context: &Context,
    revisions: Vec<String>,
    log: &mut Log<'_>,
) -> Result<(), Error> {
    for (consumer, revision) in context.consumers.iter().zip(revisions) {
        log.record(fact(consumer), Fact::Name(Name::new(revision)?))?;
    }
    Ok(())
}

fn fact(consumer: &Consumer) -> &'static str {
    facts::of_consumer(consumer.role).new_revision
}
