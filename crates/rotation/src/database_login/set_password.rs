//! The new password of the one role.

use async_trait::async_trait;
use runbook::{About, Applied, Facts, Kind, Log, Observed, Step, Undo};

use super::{Mode, lock_out};
use crate::context::{Context, new_version, old_version};
use crate::error::Error;

/// What journals call the step; it tells the mode of a run.
pub(crate) const NAME: &str = "set-password";

/// Gives the role its new password.
pub(super) struct SetPassword;

const ABOUT: About = About {
    name: NAME,
    title: "Set the new password",
    kind: Kind::Change,
    told: None,
    does: "Gives the role the password of the stored URL; the server gets a verifier alone. Connections \
           that are open stay open; a new one needs the new password from this moment on.",
    touches: "the database's role",
    verified: "the stored URL logs in",
    undo: Undo::By("the role gets the old password again"),
    outage: Some(
        "until the new revision has started and the traffic has moved, the old one can't open new \
         connections: about as long as a service takes to start",
    ),
};

#[async_trait(?Send)]
impl Step<Context, Error> for SetPassword {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    async fn observe(&self, context: &mut Context, facts: &Facts) -> Result<Observed, Error> {
        let new = context.url(new_version(facts)?).await?;
        Ok(Observed::when(context.is_accepted(&new).await?))
    }

    async fn apply(&self, context: &mut Context, log: &mut Log<'_>) -> Result<Applied, Error> {
        let (old, new) = context.urls(log.facts()).await?;
        let password = new.password()?;
        context.roles()?.set_password(&old, &password).await?;
        Ok(Applied::Done)
    }

    async fn verify(&self, context: &mut Context, facts: &Facts) -> Result<(), Error> {
        let new = context.url(new_version(facts)?).await?;
        context.expect_login(&new, &new, "the new version").await
    }

    async fn undo(&self, context: &mut Context, log: &mut Log<'_>) -> Result<(), Error> {
        let_in_again(context, log.facts()).await
    }
}

/// Gives the role in use the old password again, if it hasn't got it. The way back does
/// so before it sends traffic to the old revision, which could not start otherwise.
pub(crate) async fn let_in_again(context: &Context, facts: &Facts) -> Result<(), Error> {
    if context.logins()?.mode != Mode::InPlace {
        return lock_out::let_in(context, facts).await;
    }
    let old = context.url(old_version(facts)?).await?;
    if !context.is_accepted(&old).await? {
        let new = context.url(new_version(facts)?).await?;
        let password = old.password()?;
        context.roles()?.set_password(&new, &password).await?;
    }
    Ok(())
}
