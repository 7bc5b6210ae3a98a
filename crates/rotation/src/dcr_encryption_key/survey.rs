//! What the re-encryption will find, counted and then tried.

use async_trait::async_trait;
use reencrypt::Mode;
use runbook::{About, Applied, Fact, Facts, Kind, Log, Observed, Step, Undo};

use crate::context::{Context, new_version, old_version};
use crate::error::Error;
use crate::facts;
use crate::steps;

/// Counts every token by the key that opens it.
pub(super) struct Survey;

const SURVEY: About = About {
    name: "survey",
    title: "Survey the table",
    kind: Kind::Check,
    told: None,
    does: "Counts every token by the key that opens it, the old one or the new one. A cell that neither \
           opens stops the run here.",
    touches: "nothing; readers and writers go on",
    verified: "the counts add up to the number of cells",
    undo: Undo::Nothing("nothing was changed"),
    outage: None,
};

#[async_trait(?Send)]
impl Step<Context, Error> for Survey {
    fn about(&self) -> &'static About {
        &SURVEY
    }

    async fn observe(&self, _: &mut Context, _: &Facts) -> Result<Observed, Error> {
        Ok(Observed::Absent)
    }

    async fn apply(&self, context: &mut Context, log: &mut Log<'_>) -> Result<Applied, Error> {
        let version = old_version(log.facts())?;
        steps::refuse_foreign_version(context, log.facts(), version).await?;
        let old = context.key(version).await?;
        let new = context.key(new_version(log.facts())?).await?;
        let tokens = context.table()?.count(&old, Some(&new)).await?;
        tokens.refuse_unreadable()?;
        log.record(facts::CLIENTS, Fact::Count(tokens.clients))?;
        log.record(facts::TOKENS_UNDER_OLD_KEY, Fact::Count(tokens.under_old()))?;
        Ok(Applied::Done)
    }
}

/// Does the whole re-encryption and rolls it back.
pub(super) struct DryRun;

const DRY_RUN: About = About {
    name: "dry-run",
    title: "Re-encrypt on trial",
    kind: Kind::Check,
    told: None,
    does: "Does the whole re-encryption in one transaction, reads every cell back, and rolls it back: \
           locks, permissions, triggers and space are tried before they matter.",
    touches: "nothing that lasts; writers of the table wait while it runs",
    verified: "every cell is read back inside the transaction",
    undo: Undo::Nothing("it was rolled back"),
    outage: Some(
        "who registers a client waits while it runs: about two seconds for 100,000 clients",
    ),
};

#[async_trait(?Send)]
impl Step<Context, Error> for DryRun {
    fn about(&self) -> &'static About {
        &DRY_RUN
    }

    async fn observe(&self, _: &mut Context, _: &Facts) -> Result<Observed, Error> {
        Ok(Observed::Absent)
    }

    async fn apply(&self, context: &mut Context, log: &mut Log<'_>) -> Result<Applied, Error> {
        let old = context.key(old_version(log.facts())?).await?;
        let new = context.key(new_version(log.facts())?).await?;
        context.table()?.reencrypt(&old, &new, Mode::DryRun).await?;
        Ok(Applied::Done)
    }
}
