//! The new password of the one role.

use async_trait::async_trait;
use platform::database_roles::other_role;
use runbook::{About, Applied, Fact, Facts, Kind, Log, Name, Observed, Step, Undo};
use secret::DatabaseUrl;

use super::{Mode, lock_out};
use crate::context::{Context, new_version, old_version};
use crate::error::Error;
use crate::facts;

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
           that are open stay open; a new one needs the new password from this moment on. Where there is \
           a role whose turn it isn't, its password follows the new one.",
    touches: "the database's roles",
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
        let idle = other_role(old.user()?);
        let is_there = context.roles()?.role(&old, &idle).await?.is_some();
        let now = old.for_idle(&idle)?;
        if is_there && context.is_accepted(&now).await? {
            log.record(facts::IDLE_ROLE, Fact::Name(Name::new(&idle)?))?;
            take_along(context, &idle, &now, &new).await?;
        }
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
    if let Ok(idle) = facts.name(facts::IDLE_ROLE) {
        let new = context.url(new_version(facts)?).await?;
        let now = new.for_idle(idle)?;
        if context.is_accepted(&now).await? {
            take_along(context, idle, &now, &old).await?;
        }
    }
    if !context.is_accepted(&old).await? {
        let new = context.url(new_version(facts)?).await?;
        let password = old.password()?;
        context.roles()?.set_password(&new, &password).await?;
    }
    Ok(())
}

/// Gives the role whose turn it isn't, which logs in with `now`, the password that follows from
/// `then`: by the one that it has, whoever holds the old URL could log in as this role,
/// and it could never take its turn again.
async fn take_along(
    context: &Context,
    idle: &str,
    now: &DatabaseUrl,
    then: &DatabaseUrl,
) -> Result<(), Error> {
    let password = then.for_idle(idle)?.password()?;
    context.roles()?.set_password(now, &password).await?;
    Ok(())
}
