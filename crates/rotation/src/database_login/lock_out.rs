//! The end of the old login.

use async_trait::async_trait;
use runbook::{About, Applied, Facts, Kind, Log, Observed, Step, Undo};

use crate::context::{Context, new_version, old_version};
use crate::error::Error;
use crate::facts;

/// Locks the old role out.
pub(super) struct LockOut(&'static About);

impl LockOut {
    /// When the new login serves.
    pub(super) fn last() -> LockOut {
        LockOut(&ABOUT)
    }

    /// Before the new login serves, since others have the old one.
    pub(super) fn first() -> LockOut {
        LockOut(&AT_ONCE)
    }
}

/// What journals call the step that comes first; it tells how a run contains its
/// emergency.
pub(crate) const FIRST: &str = "lock-out-first";

/// What journals call the step that comes last.
pub(crate) const LAST: &str = "lock-out";

const ABOUT: About = About {
    name: LAST,
    title: "Lock the old role out",
    kind: Kind::Change,
    told: None,
    does: "Gives the role that was in use a password that follows from the new one, so that the old URL \
           lets nobody in, and whoever rotates next can let the role in again. Ends the sessions that \
           it still has.",
    touches: "the database's roles: the one that was in use, and its sessions",
    verified: "the old URL is refused",
    undo: Undo::By("the role gets its old password again"),
    outage: None,
};

const AT_ONCE: About = About {
    name: FIRST,
    title: "Lock the old role out at once",
    told: Some("`users`, `on_call` and `incidents` of the contacts in the settings"),
    outage: Some("until the new revision serves, the services are without the database: minutes"),
    ..ABOUT
};

#[async_trait(?Send)]
impl Step<Context, Error> for LockOut {
    fn about(&self) -> &'static About {
        self.0
    }

    /// By the login that it is to have: the old URL's version may be retired already.
    async fn observe(&self, context: &mut Context, facts: &Facts) -> Result<Observed, Error> {
        let new = context.url(new_version(facts)?).await?;
        let role = facts.name(facts::OLD_ROLE)?;
        if !context.is_accepted(&new.for_idle(role)?).await?
            && !is_locked_out_by_others(context, facts).await?
        {
            return Ok(Observed::Absent);
        }
        let sessions = context.roles()?.sessions(&new, role).await?;
        Ok(Observed::when(sessions.here + sessions.elsewhere == 0))
    }

    async fn apply(&self, context: &mut Context, log: &mut Log<'_>) -> Result<Applied, Error> {
        let (old, new) = context.urls(log.facts()).await?;
        let idle = new.for_idle(old.user()?)?;
        let roles = context.roles()?;
        roles.set_password(&old, &idle.password()?).await?;
        let ended = roles.end_sessions(&idle).await?;
        if ended > 0 {
            log.say(&format!("{ended} sessions of `{}` were ended", old.user()?));
        }
        Ok(Applied::Done)
    }

    async fn verify(&self, context: &mut Context, facts: &Facts) -> Result<(), Error> {
        let version = old_version(facts)?;
        if !context.is_enabled(version).await? {
            return Ok(());
        }
        let old = context.url(version).await?;
        if context.is_accepted(&old).await? {
            return Err(Error::StillAccepted {
                secret: context.store.name.clone(),
                version,
                role: old.user()?.to_owned(),
            });
        }
        Ok(())
    }

    async fn undo(&self, context: &mut Context, log: &mut Log<'_>) -> Result<(), Error> {
        let_in(context, log.facts()).await
    }
}

/// Whether the old URL lets nobody in, though not by this run: an administrator locked the role,
/// dropped it, or gave it a password of its own. Of a version that can't be read, nobody knows.
async fn is_locked_out_by_others(context: &Context, facts: &Facts) -> Result<bool, Error> {
    let version = old_version(facts)?;
    match context.enabled_value(version).await? {
        Some(old) => {
            let old = context.url_in(&old, &format!("version {version}"))?;
            Ok(!context.is_accepted(&old).await?)
        }
        None => Ok(false),
    }
}

/// Gives the role its old password again, if it hasn't got it.
pub(super) async fn let_in(context: &Context, facts: &Facts) -> Result<(), Error> {
    let (old, new) = context.urls(facts).await?;
    if context.is_accepted(&old).await? {
        return Ok(());
    }
    let idle = new.for_idle(old.user()?)?;
    let password = old.password()?;
    context.roles()?.set_password(&idle, &password).await?;
    Ok(())
}
