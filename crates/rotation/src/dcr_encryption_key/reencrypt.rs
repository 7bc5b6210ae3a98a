//! The re-encryption: the table goes over to the new key.

use async_trait::async_trait;
use reencrypt::Mode;
use runbook::{About, Applied, Fact, Facts, Kind, Log, Observed, Step, Undo};
use secret::FernetKey;

use crate::context::{Context, new_version, old_version};
use crate::database::Tokens;
use crate::error::Error;
use crate::facts;
use crate::steps;

/// Puts every token under the new key, in one transaction.
pub(super) struct Reencrypt;

const ABOUT: About = About {
    name: "re-encrypt",
    title: "Re-encrypt the table",
    kind: Kind::Change,
    told: None,
    does: "Puts every token under the new key in one transaction, reads every cell back, and commits all \
           of it or nothing. A commit whose answer was lost is decided by looking.",
    touches: "dcr_clients: every token",
    verified: "inside the transaction, every cell opens with the new key alone and gives the same plaintext",
    undo: Undo::By(
        "every token is put under the old key again, in the same way, until none is left",
    ),
    outage: Some("from its commit to the cutover, the service can't answer known orders"),
};

#[async_trait(?Send)]
impl Step<Context, Error> for Reencrypt {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    /// It is all or nothing: where a token is under the new key, all that were
    /// there are. Those under the old key were written since, and are swept.
    async fn observe(&self, context: &mut Context, facts: &Facts) -> Result<Observed, Error> {
        let Ok(reencrypted) = facts.count(facts::REENCRYPTED) else {
            return Ok(Observed::Absent);
        };
        let tokens = count(context, facts).await?;
        let others = tokens.under_old + tokens.unreadable;
        let is_gone = reencrypted > 0 && tokens.under_new == 0 && others > 0;
        Ok(Observed::when(!is_gone))
    }

    async fn apply(&self, context: &mut Context, log: &mut Log<'_>) -> Result<Applied, Error> {
        let (old, new) = keys(context, log.facts()).await?;
        let mut written = context.table()?.reencrypt(&old, &new, Mode::Commit).await?;
        if written == 0 {
            // The key is this run's own: what is under it, this run has written, before
            // a crash perhaps.
            written = context.table()?.count(&old, Some(&new)).await?.under_new;
            log.say("no token was under the old key: nothing was written now");
        }
        log.record(facts::REENCRYPTED, Fact::Count(written))?;
        Ok(Applied::Done)
    }

    async fn undo(&self, context: &mut Context, log: &mut Log<'_>) -> Result<(), Error> {
        let old = context.key(old_version(log.facts())?).await?;
        let staged = match new_version(log.facts()) {
            Ok(version) => Some(version),
            Err(_) => steps::find_candidate(context, log.facts()).await?,
        };
        let Some(staged) = staged else { return Ok(()) };
        // Disabled by an undo that was repeated; or by somebody, and then it is needed.
        if !context.is_enabled(staged).await? && context.table()?.is_all_under(&old).await? {
            return Ok(());
        }
        let new = context.key(staged).await?;
        context
            .table()?
            .reencrypt_until_none_is_left(&new, &old)
            .await?;
        Ok(())
    }
}

async fn keys(context: &Context, facts: &Facts) -> Result<(FernetKey, FernetKey), Error> {
    let old = context.key(old_version(facts)?).await?;
    let new = context.key(new_version(facts)?).await?;
    Ok((old, new))
}

/// The tokens by the two keys. Those under an old version that is retired are among
/// the unreadable.
pub(super) async fn count(context: &mut Context, facts: &Facts) -> Result<Tokens, Error> {
    let old = old_version(facts)?;
    let new = context.key(new_version(facts)?).await?;
    if context.is_enabled(old).await? {
        let old = context.key(old).await?;
        return context.table()?.count(&old, Some(&new)).await;
    }
    let tokens = context.table()?.count(&new, None).await?;
    Ok(Tokens {
        under_new: tokens.under_old,
        under_old: 0,
        ..tokens
    })
}
