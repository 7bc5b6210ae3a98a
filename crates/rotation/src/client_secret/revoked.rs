//! The issuer's own word that the old value is worthless.

use async_trait::async_trait;
use futures_util::future::try_join;
use platform::Verdict;
use runbook::{About, Applied, Facts, Kind, Log, Observed, Step, Undo};

use super::{ask_issuer, oauth_client};
use crate::context::{Context, old_version};
use crate::error::Error;

/// Sees that the issuer refuses the old value.
pub(super) struct Revoked;

const ABOUT: About = About {
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
        &ABOUT
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
