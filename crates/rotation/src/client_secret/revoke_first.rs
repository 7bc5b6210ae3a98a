//! The leaked value, revoked before there is a new one.

use async_trait::async_trait;
use platform::Verdict;
use runbook::{About, Applied, Facts, Kind, Log, Observed, Step, Undo};
use secret::SecretValue;

use super::{ask_issuer, expect_accepted, oauth_client};
use crate::context::{Context, old_version};
use crate::error::Error;

/// Waits until the value in use is revoked.
pub(super) struct RevokeFirst;

/// What journals call the step; it tells how a run contains its emergency.
pub(crate) const NAME: &str = "revoke-first";

const REVOKE: About = About {
    name: NAME,
    title: "Have the value in use revoked",
    kind: Kind::People,
    told: Some(
        "those who issued the value, and `users`, `on_call` and `incidents` of the contacts in the \
         settings",
    ),
    does: "Ask those who issued it to revoke the value now, before there is a new one, and ask for the \
           new one at the same time. The run goes on when you say that it is revoked.",
    touches: "the issuer, by other people",
    verified: "by the next step, which asks the issuer",
    undo: Undo::By(
        "it is looked at: while the issuer accepts the value still, nothing has to be undone; where \
         it refuses it, the rollback doesn't begin",
    ),
    outage: Some(
        "from the revocation until the new value serves, the services can't use the client",
    ),
};

#[async_trait(?Send)]
impl Step<Context, Error> for RevokeFirst {
    fn about(&self) -> &'static About {
        &REVOKE
    }

    async fn observe(&self, _: &mut Context, _: &Facts) -> Result<Observed, Error> {
        Ok(Observed::Absent)
    }

    async fn apply(&self, _: &mut Context, _: &mut Log<'_>) -> Result<Applied, Error> {
        Ok(Applied::Done)
    }
}

/// Sees that the issuer refuses the value in use.
pub(super) struct RevokedFirst;

const REVOKED: About = About {
    name: "revoked-first",
    title: "See that the issuer refuses the value in use",
    kind: Kind::Check,
    told: None,
    does: "Tests the value in use at its issuer. While it is accepted, nothing is contained, and the run \
           goes no further.",
    touches: "nothing",
    verified: "the issuer refuses the value in use",
    undo: Undo::Nothing("nothing was changed"),
    outage: None,
};

#[async_trait(?Send)]
impl Step<Context, Error> for RevokedFirst {
    fn about(&self) -> &'static About {
        &REVOKED
    }

    async fn observe(&self, _: &mut Context, _: &Facts) -> Result<Observed, Error> {
        Ok(Observed::Absent)
    }

    async fn apply(&self, context: &mut Context, log: &mut Log<'_>) -> Result<Applied, Error> {
        let (value, _) = value_in_use(context).await?;
        let client = oauth_client(context).await?;
        match ask_issuer(context, &client, &value).await? {
            Verdict::Refused => Ok(Applied::Done),
            Verdict::Accepted => {
                log.say("the issuer still accepts it: ask those who issued it once more");
                Ok(Applied::Waits { until: None })
            }
        }
    }
}

/// A way back leads to the value in use, and that is worthless once it is revoked.
pub(crate) async fn refuse_after_revocation(context: &Context, facts: &Facts) -> Result<(), Error> {
    let (value, place) = match old_version(facts) {
        Ok(old) => (context.value(old).await?, format!("version {old}")),
        Err(_) => value_in_use(context).await?,
    };
    let client = oauth_client(context).await?;
    expect_accepted(context, &client, &value, &place).await
}

async fn value_in_use(context: &Context) -> Result<(SecretValue, String), Error> {
    let consumer = context.consumers.first().ok_or(Error::NoVersion)?;
    let bound = context.describe(consumer).await?.bound;
    let value = context.value_in_use(consumer, bound).await?;
    Ok((value, format!("what `{}` reads", consumer.service)))
}
