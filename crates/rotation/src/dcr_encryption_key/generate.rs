//! The candidate.

use async_trait::async_trait;
use runbook::{About, Applied, Fact, Facts, Fingerprint, Kind, Log, Observed, Step, Undo};
use secret::{FernetKey, SecretValue};

use crate::context::Context;
use crate::error::Error;
use crate::facts;
use crate::steps;

/// Generates the new key.
pub(super) struct Generate;

const ABOUT: About = About {
    name: "generate",
    title: "Generate the candidate",
    kind: Kind::InMemory,
    told: None,
    does: "Draws a new key from the operating system's random numbers and writes its fingerprint into \
           the journal, by which it is known again wherever it is found. The key itself is in memory alone.",
    touches: "nothing outside this process",
    verified: "the key is read back from its text",
    undo: Undo::Nothing("the key is forgotten with the process"),
    outage: None,
};

#[async_trait(?Send)]
impl Step<Context, Error> for Generate {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    /// In memory, or in the store where a process that ended has put it.
    async fn observe(&self, context: &mut Context, facts: &Facts) -> Result<Observed, Error> {
        let Ok(expected) = facts.fingerprint(facts::NEW_KEY) else {
            return Ok(Observed::Absent);
        };
        if let Some(candidate) = &context.candidate {
            let key = context.parse_key(candidate, "the candidate")?;
            return Ok(Observed::when(
                key.fingerprint().to_string() == expected.as_str(),
            ));
        }
        let staged = steps::find_candidate(context, facts).await?;
        Ok(Observed::when(staged.is_some()))
    }

    async fn apply(&self, context: &mut Context, log: &mut Log<'_>) -> Result<Applied, Error> {
        let key = FernetKey::generate();
        let fingerprint = Fingerprint::new(key.fingerprint().to_string())?;
        log.record(facts::NEW_KEY, Fact::Fingerprint(fingerprint))?;
        context.candidate = Some(SecretValue::from(&key));
        Ok(Applied::Done)
    }

    async fn undo(&self, context: &mut Context, _: &mut Log<'_>) -> Result<(), Error> {
        context.candidate = None;
        Ok(())
    }
}
