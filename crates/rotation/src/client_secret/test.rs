//! The candidate, tested before anything depends on it.

use async_trait::async_trait;
use futures_util::future::try_join;
use platform::Bound;
use runbook::{About, Applied, Facts, Kind, Log, Observed, Step, Undo};
use secret::SecretValue;

use super::{expect_accepted, oauth_client};
use crate::context::Context;
use crate::error::Error;
use crate::steps;

/// Tests the candidate at its issuer.
pub(super) struct Test;

const ABOUT: About = About {
    name: "test",
    title: "Test the candidate at its issuer",
    kind: Kind::Check,
    told: None,
    does: "Proves with the new value, at the issuer, that it is this client's secret. A value that is \
           refused, or is the one in use already, ends the run before anything has changed.",
    touches: "nothing",
    verified: "the issuer accepts the value",
    undo: Undo::Nothing("nothing was changed"),
    outage: None,
};

#[async_trait(?Send)]
impl Step<Context, Error> for Test {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    async fn observe(&self, _: &mut Context, _: &Facts) -> Result<Observed, Error> {
        Ok(Observed::Absent)
    }

    async fn apply(&self, context: &mut Context, log: &mut Log<'_>) -> Result<Applied, Error> {
        match &context.candidate {
            Some(candidate) => test(context, candidate).await?,
            // Stored by a process that ended before it could write that down.
            None => {
                let staged = steps::find_candidate(context, log.facts()).await?;
                let version = staged.ok_or(Error::CandidateLost)?;
                test(context, &context.value(version).await?).await?;
            }
        }
        Ok(Applied::Done)
    }
}

/// Refuses what is in use already, what a service could not be given, and what the issuer
/// refuses.
pub(super) async fn test(context: &Context, candidate: &SecretValue) -> Result<(), Error> {
    let asked = try_join(refuse_unchanged(context, candidate), oauth_client(context));
    let ((), oauth_client) = asked.await?;
    let (services, variable) = (&context.platform.services, &context.store.variable);
    for consumer in &context.consumers {
        let service = &consumer.service;
        services.check_value(service, variable, candidate).await?;
    }
    expect_accepted(context, &oauth_client, candidate, "the candidate").await
}

async fn refuse_unchanged(context: &Context, candidate: &SecretValue) -> Result<(), Error> {
    let mut asked = Vec::new();
    for (consumer, service) in context.describe_all().await? {
        // What comes from the store is the same for all that are bound alike.
        if asked.contains(&service.bound) {
            continue;
        }
        if service.bound != Bound::Inline {
            asked.push(service.bound);
        }
        if context.value_in_use(consumer, service.bound).await? == *candidate {
            return Err(Error::Unchanged {
                secret: context.store.name.clone(),
                service: consumer.service.clone(),
            });
        }
    }
    Ok(())
}
