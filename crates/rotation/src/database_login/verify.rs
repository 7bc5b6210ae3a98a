//! The proof of the whole, with what is stored.

use async_trait::async_trait;
use runbook::{About, Applied, Facts, Kind, Log, Observed, Step, Undo};

use crate::context::{Context, new_version, old_version};
use crate::error::Error;
use crate::steps;

/// Logs in with what the services read now.
pub(super) struct Verify;

const ABOUT: About = About {
    name: "verify",
    title: "Verify the whole",
    kind: Kind::Check,
    told: None,
    does: "Reads the new version from the store once more and logs in with it: its role may do all that \
           the old one may. Looks that each service is ready and serves with a revision that reads it, \
           and counts the sessions that the old role still has.",
    touches: "nothing",
    verified: "what the services read logs in",
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
        steps::expect_new_version(context, log.facts()).await?;
        steps::refuse_foreign_version(context, log.facts(), old_version(log.facts())?).await?;
        let (old, new) = context.urls(log.facts()).await?;
        let place = format!("version {version}");
        context.expect_login(&new, &old, &place).await?;
        if new.user()? != old.user()? {
            let sessions = context.roles()?.sessions(&new, old.user()?).await?;
            log.say(&format!(
                "`{}` has {} sessions left here and {} elsewhere",
                old.user()?,
                sessions.here,
                sessions.elsewhere
            ));
        }
        Ok(Applied::Done)
    }
}
