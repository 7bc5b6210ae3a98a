//! Nothing begins that can't end.

use async_trait::async_trait;
use platform::Service;
use reencrypt::{Mode, remark_on_unsearched};
use runbook::{About, Applied, Facts, History, Kind, Log, Observed, Step, Undo};
use secret::FernetKey;

use super::RE_ENCRYPT;
use super::tokens::Tokens;
use crate::context::{Consumer, Context};
use crate::error::Error;
use crate::facts;
use crate::same_place;
use crate::steps;

/// Looks at everything that later steps need.
pub(super) struct Check;

const ABOUT: About = About {
    name: "check",
    title: "Check that the rotation can end before it begins",
    kind: Kind::Check,
    told: None,
    does: "Asks the store for the key in use and each service for its state, connects to the database \
           as the run will, looks for encrypted columns that nobody named, and opens every token with \
           the key in use.",
    touches: "nothing",
    verified: "the store, the services and the database answer, and every token can be read",
    undo: Undo::By("it is looked at again: every token opens with the key in use"),
    outage: None,
};

#[async_trait(?Send)]
impl Step<Context, Error> for Check {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    async fn observe(&self, _: &mut Context, _: &Facts) -> Result<Observed, Error> {
        Ok(Observed::Absent)
    }

    async fn apply(&self, context: &mut Context, log: &mut Log<'_>) -> Result<Applied, Error> {
        same_place::record(context, log)?;
        let Checked {
            tokens, remarks, ..
        } = check(context, log.facts()).await?;
        for remark in &remarks {
            log.say(remark);
        }
        log.say(&format!(
            "{} clients, {} tokens under the key in use",
            tokens.clients,
            tokens.under_old()
        ));
        Ok(Applied::Done)
    }

    /// The last word of a rollback: whatever was undone, the service must be able to
    /// read every token.
    async fn undo(&self, context: &mut Context, log: &mut Log<'_>) -> Result<(), Error> {
        if log.facts().version(facts::OLD_VERSION).is_ok() {
            let described = steps::settleable_consumers(context).await?;
            let key = key_in_use(context, &described).await?;
            count_all(context, &key).await?;
        }
        Ok(())
    }
}

/// The check, then the re-encryption under a key that is thrown away, rolled back:
/// what `--dry-run` does. Changes nothing, and gives the tokens that would be written.
///
/// # Errors
///
/// What would have stopped the rotation.
pub(crate) async fn trial(context: &mut Context) -> Result<u64, Error> {
    let Checked { key, .. } = check(context, &Facts::default()).await?;
    let thrown_away = FernetKey::generate();
    let table = context.table()?;
    let tried = table.reencrypt(&key, &thrown_away, Mode::DryRun).await?;
    Ok(tried.written())
}

/// What a rollback needs of the table: every token must be readable with one of the
/// two keys.
pub(crate) async fn refuse_rollback(context: &mut Context, history: &History) -> Result<(), Error> {
    if !history.step_status(RE_ENCRYPT).may_have_effect() {
        return Ok(());
    }
    let tokens = super::reencrypt::count(context, &history.facts).await?;
    tokens.refuse_unreadable()
}

/// Sees that every token opens with the key that the service has.
pub(crate) async fn prove_in_use(context: &mut Context) -> Result<(), Error> {
    let described = steps::settleable_consumers(context).await?;
    let key = key_in_use(context, &described).await?;
    count_all(context, &key).await?;
    Ok(())
}

/// What a check found.
struct Checked {
    /// The key in use.
    key: FernetKey,
    /// The tokens under it: all that there are.
    tokens: Tokens,
    /// What is to be said of the services and of the table.
    remarks: Vec<String>,
}

/// A version that the run doesn't know comes last. Tokens may be under it, where a run was cut
/// off whose journal is gone, and nobody may be told to disable it then.
async fn check(context: &mut Context, facts: &Facts) -> Result<Checked, Error> {
    let described = steps::settleable_consumers(context).await?;
    let mut remarks = steps::unsettled_remarks(&described);
    steps::refuse_unchangeable(context).await?;
    let key = key_in_use(context, &described).await?;
    let pinned = steps::pinned_version(context, &described).await?;
    let plan = context.table()?.check().await?;
    remarks.extend(remark_on_unsearched(&plan.unsearched_tables));
    remarks.extend(plan.remarks);
    let tokens = count(context, &key).await?;
    if let Some(version) = pinned {
        steps::refuse_foreign_version(context, facts, version).await?;
    }
    Ok(Checked {
        key,
        tokens,
        remarks,
    })
}

async fn count_all(context: &mut Context, key: &FernetKey) -> Result<Tokens, Error> {
    context.table()?.check().await?;
    count(context, key).await
}

async fn count(context: &mut Context, key: &FernetKey) -> Result<Tokens, Error> {
    let tokens = context.table()?.count(key, None).await?;
    tokens.refuse_unreadable()?;
    Ok(tokens)
}

async fn key_in_use(
    context: &Context,
    described: &[(&Consumer, Service)],
) -> Result<FernetKey, Error> {
    let (consumer, service) = described.first().ok_or(Error::NoVersion)?;
    let value = context.value_in_use(consumer, service.bound).await?;
    context.parse_key(&value, &format!("what `{}` reads", consumer.service))
}
