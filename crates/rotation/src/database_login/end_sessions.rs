//! The end of the sessions that the old password has opened, where one role stays.

use async_trait::async_trait;
use runbook::{About, Applied, Fact, Facts, Kind, Log, Observed, Step, Undo};

use crate::context::{Context, new_version};
use crate::error::Error;
use crate::facts;

/// Ends the role's sessions.
pub(super) struct EndSessions;

/// What journals call the step; it tells how a run contains its emergency.
pub(crate) const NAME: &str = "end-sessions";

const ABOUT: About = About {
    name: NAME,
    title: "End the sessions of the old password",
    kind: Kind::Change,
    told: None,
    does: "Ends every session of the role, and of one whose turn it isn't: those of whoever has the old \
           password, and those of the services. Only the new password opens another one.",
    touches: "the database's sessions",
    verified: "the server says that they are gone",
    undo: Undo::Nothing("who may log in opens another session"),
    outage: Some("until the new revision serves, the services are without the database: minutes"),
};

#[async_trait(?Send)]
impl Step<Context, Error> for EndSessions {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    /// Sessions of the old password that were ended can't come back: the role has another
    /// one. Those that are there now are of the new one.
    async fn observe(&self, _: &mut Context, facts: &Facts) -> Result<Observed, Error> {
        let new = new_version(facts)?;
        let ended = facts.version(facts::SESSIONS_ENDED).ok();
        Ok(Observed::when(ended == Some(new.get())))
    }

    async fn apply(&self, context: &mut Context, log: &mut Log<'_>) -> Result<Applied, Error> {
        let version = new_version(log.facts())?;
        let new = context.url(version).await?;
        let ended = context.roles()?.end_sessions(&new).await?;
        log.say(&format!("{ended} sessions of `{}` were ended", new.user()?));
        if let Ok(idle) = log.facts().name(facts::IDLE_ROLE) {
            let ended = context.roles()?.end_sessions(&new.for_idle(idle)?).await?;
            log.say(&format!("{ended} sessions of `{idle}` were ended"));
        }
        log.record(facts::SESSIONS_ENDED, Fact::Version(version.get()))?;
        Ok(Applied::Done)
    }
}
