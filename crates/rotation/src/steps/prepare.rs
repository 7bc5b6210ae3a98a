//! The revision that will read the new version, ready before anything needs it.

use async_trait::async_trait;
use platform::{Bound, Change, Which};
use runbook::{About, Applied, Fact, Facts, Forecast, Kind, Log, Name, Observed, Step, Undo};

use super::side_by_side::side_by_side;
use crate::context::{Consumer, Context, new_version};
use crate::error::Error;
use crate::facts;

/// Makes a revision that reads the new version, without traffic.
pub(crate) struct Prepare;

const ABOUT: About = About {
    name: "prepare",
    title: "Prepare the new revision",
    kind: Kind::Change,
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
        for (consumer, service) in context.describe_all().await? {
            let prepared = facts.name(fact(consumer))?;
            let is_there = |revision: &platform::Revision| {
                revision.name == prepared && revision.bound == bound
            };
            // Once it serves, the platform may tidy it up, and give it another name.
            let serves = service.bound == bound;
            if !serves && !service.revisions.iter().any(is_there) {
                return Ok(Observed::Absent);
            }
        }
        Ok(Observed::Present)
    }

    async fn apply(&self, context: &mut Context, log: &mut Log<'_>) -> Result<Applied, Error> {
        prepare(context, log).await?;
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
        side_by_side(&context.consumers, async |consumer| {
            let service = context.describe(consumer).await?;
            for revision in service.revisions {
                if revision.bound == Bound::Pinned(version) {
                    let services = &context.platform.services;
                    services.discard(&consumer.service, &revision.name).await?;
                }
            }
            Ok(())
        })
        .await?;
        Ok(())
    }
}

/// Has the platform make the revisions, or find those that it has made and that still
/// differ in nothing else from what serves now, and records their names.
pub(super) async fn prepare(context: &Context, log: &mut Log<'_>) -> Result<(), Error> {
    let bound = Bound::Pinned(new_version(log.facts())?);
    let binding = context.binding();
    let revisions = side_by_side(&context.consumers, async |consumer| {
        let services = &context.platform.services;
        Ok(services.prepare(&consumer.service, &binding, bound).await?)
    });
    let revisions = revisions.await?;
    for (consumer, revision) in context.consumers.iter().zip(revisions) {
        let is_known = log
            .facts()
            .name(fact(consumer))
            .is_ok_and(|known| known == revision);
        if !is_known {
            log.record(fact(consumer), Fact::Name(Name::new(revision)?))?;
        }
    }
    Ok(())
}

pub(super) fn fact(consumer: &Consumer) -> &'static str {
    facts::of_consumer(consumer.role).new_revision
}
