//! The role that is to take over.

use async_trait::async_trait;
use runbook::{About, Applied, Fact, Facts, Kind, Log, Name, Observed, Step, Undo};

use crate::context::{Context, new_version, old_version};
use crate::error::Error;
use crate::facts;

/// Makes the second role ready.
pub(super) struct SecondRole;

pub(crate) const NAME: &str = "second-role";

const ABOUT: About = About {
    name: NAME,
    title: "Make the second role ready",
    kind: Kind::Change,
    told: None,
    does: "Makes the role that takes turns with the one in use, if it isn't there, and gives it the \
           password of the stored URL; the server gets a verifier alone. Each role can use the tables \
           that the other one has and will make.",
    touches: "the database's roles: the one that is not in use",
    verified: "the stored URL logs in, and its role may do all that the role in use may",
    undo: Undo::By("the role is removed if this run made it, else locked out again"),
    outage: None,
};

/// In a journal, of a role that wasn't there before.
const ABSENT: &str = "absent";
/// In a journal, of a role that was there before.
const IDLE: &str = "idle";

#[async_trait(?Send)]
impl Step<Context, Error> for SecondRole {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    /// That the role logs in isn't enough: it does so before it has all that it is to
    /// have, and the other one what it is to have of it.
    async fn observe(&self, context: &mut Context, facts: &Facts) -> Result<Observed, Error> {
        let new = new_version(facts)?;
        if facts.version(facts::ROLE_READY).ok() != Some(new.get()) {
            return Ok(Observed::Absent);
        }
        let new = context.url(new).await?;
        Ok(Observed::when(context.is_accepted(&new).await?))
    }

    async fn apply(&self, context: &mut Context, log: &mut Log<'_>) -> Result<Applied, Error> {
        let (old, new) = context.urls(log.facts()).await?;
        let roles = context.roles()?;
        if log.facts().name(facts::ROLE_BEFORE).is_err() {
            let before = match roles.role(&old, new.user()?).await? {
                None => ABSENT,
                Some(_) => IDLE,
            };
            log.record(facts::ROLE_BEFORE, Fact::Name(Name::new(before)?))?;
        }
        roles.prepare_second(&old, &new).await?;
        let version = new_version(log.facts())?;
        log.record(facts::ROLE_READY, Fact::Version(version.get()))?;
        Ok(Applied::Done)
    }

    async fn verify(&self, context: &mut Context, facts: &Facts) -> Result<(), Error> {
        // Once the old version is retired, the verification has proved it.
        if !context.is_enabled(old_version(facts)?).await? {
            return Ok(());
        }
        let (old, new) = context.urls(facts).await?;
        context.expect_login(&new, &old, "the new version").await
    }

    async fn undo(&self, context: &mut Context, log: &mut Log<'_>) -> Result<(), Error> {
        let Ok(before) = log.facts().name(facts::ROLE_BEFORE) else {
            return Ok(());
        };
        let before = before.to_owned();
        let old = context.url(old_version(log.facts())?).await?;
        let role = log.facts().name(facts::NEW_ROLE)?.to_owned();
        if before == ABSENT {
            return Ok(context.roles()?.drop_second(&old, &role).await?);
        }
        let idle = old.for_idle(&role)?;
        if !context.is_accepted(&idle).await? {
            let staged = context.url(new_version(log.facts())?).await?;
            if !context.is_accepted(&staged).await? {
                log.say(&format!(
                    "`{role}` keeps the password that it has: this run didn't give it that"
                ));
                return Ok(());
            }
            let password = idle.password()?;
            context.roles()?.set_password(&staged, &password).await?;
        }
        context.roles()?.end_sessions(&idle).await?;
        Ok(())
    }
}
