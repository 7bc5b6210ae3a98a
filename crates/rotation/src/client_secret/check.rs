//! Nothing begins that can't end.

use async_trait::async_trait;
use futures_util::future::try_join;
use platform::{Bound, Verdict};
use runbook::{About, Applied, Facts, Kind, Log, Observed, Step, Undo};

use super::{ask_issuer, expect_accepted, oauth_client};
use crate::context::Context;
use crate::error::Error;
use crate::same_place;
use crate::steps;

/// Looks at everything that later steps need.
pub(super) struct Check;

const ABOUT: About = About {
    name: "check",
    title: "Check that the rotation can end before it begins",
    kind: Kind::Check,
    told: None,
    does: "Asks each service for its state and the store for the value in use, and tests that value at \
           its issuer. That the issuer refuses it is said, and stops nothing: it may be why it is rotated.",
    touches: "nothing",
    verified: "the store, the services and the issuer answer",
    undo: Undo::Nothing("nothing was changed"),
    outage: None,
};

#[async_trait(?Send)]
impl Step<Context, Error> for Check {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    async fn observe(&self, _: &mut Context, _: &Facts) -> Result<Observed, Error> {
        Ok(Observed::Absent)
    }

    async fn apply(&self, context: &mut Context, log: &mut Log<'_>) -> Result<Applied, Error> {
        same_place::record(context, log)?;
        let (verdict, remarks) = check(context, log.facts()).await?;
        for remark in &remarks {
            log.say(remark);
        }
        match verdict {
            Verdict::Accepted => log.say("the issuer accepts the value in use"),
            Verdict::Refused => {
                log.say("the issuer refuses the value in use: going on all the same");
            }
        }
        Ok(Applied::Done)
    }
}

/// What `--dry-run` does: the check, and the test of a candidate if one was given. Gives
/// the issuer's word on the value in use.
pub(crate) async fn trial(context: &mut Context) -> Result<Verdict, Error> {
    let (verdict, _) = check(context, &Facts::default()).await?;
    if let Some(candidate) = &context.candidate {
        super::test::test(context, candidate).await?;
    }
    Ok(verdict)
}

/// Sees that the issuer accepts what each service has.
pub(crate) async fn prove_in_use(context: &Context) -> Result<(), Error> {
    let described = steps::settleable_consumers(context).await?;
    let oauth_client = oauth_client(context).await?;
    for (consumer, service) in described {
        let value = context.value_in_use(consumer, service.bound).await?;
        let place = format!("what `{}` reads", consumer.service);
        expect_accepted(context, &oauth_client, &value, &place).await?;
    }
    Ok(())
}

/// The issuer's word on the value in use, and what is to be said of the services.
async fn check(context: &Context, facts: &Facts) -> Result<(Verdict, Vec<String>), Error> {
    let described = steps::settleable_consumers(context).await?;
    steps::refuse_unchangeable(context).await?;
    steps::refuse_foreign_versions(context, facts, &described).await?;
    let (consumer, service) = described.first().ok_or(Error::NoVersion)?;
    let value = context.value_in_use(consumer, service.bound);
    let (value, oauth_client) = try_join(value, oauth_client(context)).await?;
    context.check_form(&value, &format!("what `{}` reads", consumer.service))?;
    let verdict = ask_issuer(context, &oauth_client, &value).await?;
    let mut unsettled = described.iter().filter(|(_, service)| service.is_unsettled);
    match (verdict, unsettled.next()) {
        // It may run with another value, and would be restarted with one that doesn't work.
        (Verdict::Refused, Some((consumer, service))) if service.bound == Bound::Inline => {
            Err(context.not_in_store(consumer))
        }
        (verdict, _) => Ok((verdict, steps::unsettled_remarks(&described))),
    }
}
