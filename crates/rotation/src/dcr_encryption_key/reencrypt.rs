//! The re-encryption: the table goes over to the new key.

use async_trait::async_trait;
use reencrypt::{Counts, Mode, PerColumn};
use runbook::{About, Applied, Fact, Facts, Kind, Log, Observed, Step, Undo};
use secret::FernetKey;

use super::database::Reencrypted;
use super::tokens::Tokens;
use crate::context::{Context, new_version, old_version};
use crate::error::Error;
use crate::facts;
use crate::steps;

/// Puts every token under the new key, in one transaction.
pub(super) struct Reencrypt;

pub(crate) const NAME: &str = "re-encrypt";

const ABOUT: About = About {
    name: NAME,
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
        let others = tokens.under_old() + tokens.unreadable();
        let is_gone = reencrypted > 0 && tokens.under_new() == 0 && others > 0;
        Ok(Observed::when(!is_gone))
    }

    async fn apply(&self, context: &mut Context, log: &mut Log<'_>) -> Result<Applied, Error> {
        let (old, new) = keys(context, log.facts()).await?;
        let mut done = context.table()?.reencrypt(&old, &new, Mode::Commit).await?;
        if done.written() == 0 {
            log.say("no token was under the old key: nothing was written now");
            written_before(&mut done.columns);
        }
        let written = Fact::Count(done.written());
        log.record_with(facts::REENCRYPTED, written, details(&done))?;
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
    context.table()?.count_under_new(&new).await
}

/// The key is this run's own: what is under it, this run has written, before a crash perhaps.
fn written_before(PerColumn(columns): &mut PerColumn<Counts>) {
    for counts in columns {
        counts.reencrypted = std::mem::take(&mut counts.already_current);
    }
}

/// What the report shows of it.
fn details(done: &Reencrypted) -> Vec<(&'static str, Fact)> {
    let mut columns = done.columns.iter();
    let is_first = columns.all(|(_, counts)| counts.already_current == 0);
    // With tokens under the new key before, an earlier commit began the outage.
    let committed_at = done.committed_at.filter(|_| is_first);
    let committed_at = committed_at.map(|at| (facts::COMMITTED_AT, Fact::Time(at)));
    let mut details: Vec<_> = committed_at.into_iter().collect();
    for (column, counts) in done.columns.iter() {
        let names = facts::of_column(column);
        details.extend([
            (names.scanned, Fact::Count(counts.scanned)),
            (names.reencrypted, Fact::Count(counts.reencrypted)),
            (names.already_current, Fact::Count(counts.already_current)),
            (names.empty, Fact::Count(counts.empty)),
            (names.unreadable, Fact::Count(counts.unreadable)),
        ]);
    }
    details
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn committed_with(already_current: u64) -> bool {
        let written = Counts {
            scanned: 1 + already_current,
            reencrypted: 1,
            already_current,
            ..Counts::default()
        };
        let done = Reencrypted {
            columns: PerColumn([written; 2]),
            committed_at: Some(Timestamp::UNIX_EPOCH),
        };
        let details = details(&done);
        details.iter().any(|(name, _)| *name == facts::COMMITTED_AT)
    }

    /// The outage began with the commit that a process which ended didn't write down.
    #[test]
    fn the_moment_of_a_second_commit_is_not_told() {
        assert!(committed_with(0));
        assert!(!committed_with(1));
    }
}
