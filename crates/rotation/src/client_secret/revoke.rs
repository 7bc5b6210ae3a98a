//! The old value, revoked by those who issued it.

use async_trait::async_trait;
use futures_util::future::try_join;
use platform::Verdict;
use runbook::{About, Applied, Facts, Kind, Log, Observed, Step, Undo};

use super::{ask_issuer, oauth_client};
use crate::context::{Context, old_version};
use crate::error::Error;

/// Waits until the old value is revoked.
pub(super) struct Revoke;

const REVOKE: About = About {
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
        &REVOKE
    }

    async fn observe(&self, _: &mut Context, _: &Facts) -> Result<Observed, Error> {
        Ok(Observed::Absent)
    }

    async fn apply(&self, _: &mut Context, _: &mut Log<'_>) -> Result<Applied, Error> {
        Ok(Applied::Done)
    }
}

/// Sees that the issuer refuses the old value.
pub(super) struct Revoked;

const REVOKED: About = About {
    name: "revoked",
    title: "See that the issuer refuses the old value",
    kind: Kind::Check,
    told: None,
    does: "Tests the old value at its issuer. While it is accepted, the emergency isn't over, and the \
           run goes no further.",
    touches: "nothing",
    verified: "the issuer refuses the old value",
    undo: Undo::Nothing("nothing was changed"),
    outage: None,
};

#[async_trait(?Send)]
impl Step<Context, Error> for Revoked {
    fn about(&self) -> &'static About {
        &REVOKED
    }

    async fn observe(&self, _: &mut Context, _: &Facts) -> Result<Observed, Error> {
        Ok(Observed::Absent)
    }

    async fn apply(&self, context: &mut Context, log: &mut Log<'_>) -> Result<Applied, Error> {
        let version = old_version(log.facts())?;
        let asked = try_join(context.value(version), oauth_client(context));
        let (value, oauth_client) = asked.await?;
        match ask_issuer(context, &oauth_client, &value).await? {
            Verdict::Refused => Ok(Applied::Done),
            Verdict::Accepted => Err(Error::NotRevoked {
                secret: context.store.name.clone(),
                version,
            }),
        }
    }
}
