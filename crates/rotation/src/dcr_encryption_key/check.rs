//! Nothing begins that can't end.

use async_trait::async_trait;
use platform::{Bound, VersionState};
use reencrypt::Mode;
use runbook::{About, Applied, Facts, History, Kind, Log, Observed, Step, Undo};
use secret::{FernetKey, SecretValue};

use crate::context::{Consumer, Context, new_version, old_version};
use crate::database::Tokens;
use crate::error::Error;
use crate::facts;
use crate::place;
use crate::steps::{self, has_value_of};

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
        place::record(context, log)?;
        let tokens = check(context).await?;
        refuse_foreign_versions(context, log.facts()).await?;
        log.say(&format!(
            "{} clients, {} tokens under the key in use",
            tokens.clients, tokens.under_old
        ));
        Ok(Applied::Done)
    }

    /// The last word of a rollback: whatever was undone, the service must be able to
    /// read every token.
    async fn undo(&self, context: &mut Context, log: &mut Log<'_>) -> Result<(), Error> {
        if log.facts().version(facts::OLD_VERSION).is_ok() {
            check(context).await?;
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
pub async fn trial(context: &mut Context) -> Result<u64, Error> {
    check(context).await?;
    refuse_foreign_versions(context, &Facts::default()).await?;
    let key = key_in_use(context).await?;
    let thrown_away = FernetKey::generate();
    context
        .database
        .reencrypt(&key, &thrown_away, Mode::DryRun)
        .await
}

/// Looks that a rollback can come to its end, before it begins: what is undone last
/// must not fail when the first is undone already.
///
/// # Errors
///
/// What would stop it on its way.
pub async fn refuse_rollback(context: &mut Context, history: &History) -> Result<(), Error> {
    let facts = &history.facts;
    let (Ok(old), Ok(new)) = (old_version(facts), new_version(facts)) else {
        return Ok(());
    };
    let state = context.state(old).await?;
    if state == VersionState::Destroyed {
        return Err(Error::OldVersionGone {
            secret: context.store.name.clone(),
            version: old,
        });
    }
    if !history.step_status("re-encrypt").may_have_effect() {
        return Ok(());
    }
    for consumer in &context.consumers {
        let service = context.describe(consumer).await?;
        if let Bound::Pinned(version) = service.bound
            && ![old, new].contains(&version)
            && !has_value_of(context, version, old).await?
            && !has_value_of(context, version, new).await?
        {
            return Err(Error::WrongRevision {
                service: consumer.service.clone(),
                revision: service.serving,
                bound: format!("version {version}, which this run doesn't know"),
            });
        }
    }
    let tokens = super::reencrypt::count(context, facts).await?;
    if tokens.unreadable > 0 {
        return Err(Error::Unreadable {
            cells: tokens.unreadable,
        });
    }
    Ok(())
}

async fn check(context: &mut Context) -> Result<Tokens, Error> {
    for consumer in &context.consumers {
        let service = context.describe(consumer).await?;
        if !service.ready && service.bound == Bound::Inline {
            // Changed by hand since it was recorded.
            return Err(context.not_in_store(consumer));
        }
        if !service.ready {
            return Err(Error::NotReady {
                service: consumer.service.clone(),
            });
        }
    }
    let key = key_in_use(context).await?;
    context.database.check().await?;
    let tokens = context.database.count(&key, None).await?;
    if tokens.unreadable > 0 {
        return Err(Error::Unreadable {
            cells: tokens.unreadable,
        });
    }
    Ok(tokens)
}

/// What is newer than the version in use would stop the run when it stages.
async fn refuse_foreign_versions(context: &Context, facts: &Facts) -> Result<(), Error> {
    for consumer in &context.consumers {
        if context.describe(consumer).await?.bound != Bound::Inline {
            let current = context.current(consumer).await?;
            steps::refuse_foreign_version(context, facts, current.version).await?;
        }
    }
    Ok(())
}

async fn key_in_use(context: &Context) -> Result<FernetKey, Error> {
    let consumer = context.consumers.first().ok_or(Error::NoVersion)?;
    let value = value_in_use(context, consumer).await?;
    context.parse_key(&value, &format!("what `{}` reads", consumer.service))
}

async fn value_in_use(context: &Context, consumer: &Consumer) -> Result<SecretValue, Error> {
    if context.describe(consumer).await?.bound == Bound::Inline {
        let services = &context.platform.services;
        let variable = &context.store.variable;
        return Ok(services.inline_value(&consumer.service, variable).await?);
    }
    Ok(context.current(consumer).await?.value)
}
