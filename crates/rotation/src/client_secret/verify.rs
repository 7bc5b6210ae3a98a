//! The proof of the whole, with what is stored.

use async_trait::async_trait;
use futures_util::future::try_join4;
use runbook::{About, Applied, Facts, Kind, Log, Observed, Step, Undo};

use super::{expect_accepted, oauth_client};
use crate::context::{Context, new_version, old_version};
use crate::error::Error;
use crate::steps;

/// Tests what the services read now.
pub(super) struct Verify;

const ABOUT: About = About {
    name: "verify",
    title: "Verify the whole",
    kind: Kind::Check,
    told: None,
    does: "Reads the new version from the store once more and tests it at its issuer. Looks that each \
           service is ready and serves with a revision that reads it.",
    touches: "nothing",
    verified: "the issuer accepts what the services read",
    undo: Undo::Nothing("nothing was changed"),
    outage: None,
};

#[async_trait(?Send)]
impl Step<Context, Error> for Verify {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    async fn observe(&self, _: &mut Context, _: &Facts) -> Result<Observed, Error> {
        Ok(Observed::Absent)
    }

    async fn apply(&self, context: &mut Context, log: &mut Log<'_>) -> Result<Applied, Error> {
        let version = new_version(log.facts())?;
        let old = old_version(log.facts())?;
        let ((), (), value, oauth_client) = try_join4(
            steps::expect_new_version(context, log.facts()),
            steps::refuse_foreign_version(context, log.facts(), old),
            context.value(version),
            oauth_client(context),
        )
        .await?;
        let place = format!("version {version}");
        expect_accepted(context, &oauth_client, &value, &place).await?;
        Ok(Applied::Done)
    }
}
