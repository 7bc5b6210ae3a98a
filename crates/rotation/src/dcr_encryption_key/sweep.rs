//! What was written under the old key between the re-encryption and the cutover.

use async_trait::async_trait;
use platform::VersionState;
use runbook::{About, Applied, Fact, Facts, Kind, Log, Observed, Step, Undo};

use crate::context::{Context, new_version, old_version};
use crate::error::Error;
use crate::facts;

/// Re-encrypts until no token is under the old key.
pub(super) struct Sweep;

const ABOUT: About = About {
    name: "sweep",
    title: "Sweep until no token is under the old key",
    kind: Kind::Change,
    told: None,
    does: "Until its last instance was gone, the old revision wrote new orders under the old key. These \
           are re-encrypted too, again and again until a survey counts none.",
    touches: "dcr_clients: tokens that are under the old key",
    verified: "a survey counts zero tokens under the old key",
    undo: Undo::Nothing("undone with the re-encryption"),
    outage: None,
};

#[async_trait(?Send)]
impl Step<Context, Error> for Sweep {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    async fn observe(&self, context: &mut Context, facts: &Facts) -> Result<Observed, Error> {
        let old = old_version(facts)?;
        if context.is_enabled(old).await? {
            let old = context.key(old).await?;
            let tokens = context.table()?.tokens_under(&old).await?;
            return Ok(Observed::when(tokens == 0));
        }
        // Retired, or disabled by somebody.
        Ok(Observed::when(is_all_under_new(context, facts).await?))
    }

    async fn apply(&self, context: &mut Context, log: &mut Log<'_>) -> Result<Applied, Error> {
        let old = old_version(log.facts())?;
        if context.state(old).await? == VersionState::Disabled {
            log.say("not every cell opens with the new key: the old version is enabled again");
            let store = &context.platform.store;
            store.enable(&context.store.name, old).await?;
        }
        sweep(context, log).await?;
        Ok(Applied::Done)
    }
}

/// Whether no token is under the old key, by the new one alone: what doesn't open with that is
/// under another.
pub(crate) async fn is_all_under_new(context: &mut Context, facts: &Facts) -> Result<bool, Error> {
    let new = context.key(new_version(facts)?).await?;
    context.table()?.is_all_under(&new).await
}

/// Puts everything under the new key that is under the old one, until nothing is.
pub(super) async fn sweep(context: &mut Context, log: &mut Log<'_>) -> Result<(), Error> {
    let old = context.key(old_version(log.facts())?).await?;
    let new = context.key(new_version(log.facts())?).await?;
    let swept_before = log.facts().count(facts::SWEPT).unwrap_or_default();
    let swept = context
        .table()?
        .reencrypt_until_none_is_left(&old, &new)
        .await?;
    log.record(
        facts::SWEPT,
        Fact::Count(swept_before.saturating_add(swept)),
    )?;
    Ok(())
}
