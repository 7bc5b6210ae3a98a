//! The candidate.

use async_trait::async_trait;
use runbook::{About, Applied, Fact, Facts, Kind, Log, Name, Observed, Step, Undo};
use secret::{Password, SecretValue};

use super::login::next_role;
use crate::context::{Context, old_version};
use crate::error::Error;
use crate::facts;
use crate::steps;

/// Generates the new password, and writes it into the URL.
pub(super) struct Generate;

const ABOUT: About = About {
    name: "generate",
    title: "Generate the candidate",
    kind: Kind::InMemory,
    told: None,
    does: "Draws a new password from the operating system's random numbers and writes it into the URL \
           in use, in place of its login; all else of the URL stays as it is. The new URL is in memory \
           alone, and no role has the password yet.",
    touches: "nothing outside this process",
    verified: "the URL is read back from its text",
    undo: Undo::Nothing("the password is forgotten with the process"),
    outage: None,
};

#[async_trait(?Send)]
impl Step<Context, Error> for Generate {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    /// In memory, or in the store where a process that ended has put it.
    async fn observe(&self, context: &mut Context, facts: &Facts) -> Result<Observed, Error> {
        let is_there =
            context.candidate.is_some() || steps::find_candidate(context, facts).await?.is_some();
        Ok(Observed::when(is_there))
    }

    async fn apply(&self, context: &mut Context, log: &mut Log<'_>) -> Result<Applied, Error> {
        let url = context.url(old_version(log.facts())?).await?;
        let role = next_role(&url, context.logins()?.mode)?;
        let candidate = url.with_login(&role, &Password::generate())?;
        log.record(facts::OLD_ROLE, Fact::Name(Name::new(url.user()?)?))?;
        log.record(facts::NEW_ROLE, Fact::Name(Name::new(role)?))?;
        context.candidate = Some(SecretValue::from(&candidate));
        Ok(Applied::Done)
    }

    async fn undo(&self, context: &mut Context, _: &mut Log<'_>) -> Result<(), Error> {
        context.candidate = None;
        Ok(())
    }
}
