//! The end of the old version.

use async_trait::async_trait;
use platform::{Bound, VersionState};
use runbook::{About, Applied, Fact, Facts, Kind, Log, Name, Observed, Step, Undo};
use secret::VersionNumber;

use super::pin::{discard_others, expect};
use super::side_by_side::side_by_side;
use super::stage::{has_value_of, refuse_foreign_version};
use crate::context::{Context, new_version, old_version};
use crate::error::Error;
use crate::facts;
use crate::material::Found;

/// Disables the old version, when nothing needs it any more.
pub(crate) struct Retire;

const ABOUT: About = About {
    name: "retire",
    title: "Retire the old version",
    kind: Kind::Change,
    told: None,
    does: "Looks once more that no revision that serves or can be routed to reads the old version, and \
           that no token is under its key. Then disables it, and with it every other version of the \
           same value, as a rollback leaves one.",
    touches: "the store: the old version is disabled",
    verified: "the store says that the version is disabled",
    undo: Undo::By("the old version is enabled again"),
    outage: None,
};

#[async_trait(?Send)]
impl Step<Context, Error> for Retire {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    async fn observe(&self, context: &mut Context, facts: &Facts) -> Result<Observed, Error> {
        let state = context.state(old_version(facts)?).await?;
        Ok(Observed::when(state != VersionState::Enabled))
    }

    async fn apply(&self, context: &mut Context, log: &mut Log<'_>) -> Result<Applied, Error> {
        let old = old_version(log.facts())?;
        if !context.is_enabled(old).await? {
            return Ok(Applied::Done);
        }
        let bound = Bound::Pinned(new_version(log.facts())?);
        side_by_side(&context.consumers, async |consumer| {
            expect(context, consumer, bound).await?;
            discard_others(context, consumer).await
        })
        .await?;
        refuse_foreign_version(context, log.facts(), old).await?;
        for copy in record_copies(context, log, old).await? {
            // Disabled already by a process that ended before it came to the old one.
            if context.is_enabled(copy).await? {
                context.refuse_if_needed(copy).await?;
                let store = &context.platform.store;
                store.disable(&context.store.name, copy).await?;
            }
        }
        context.refuse_if_needed(old).await?;
        disable(context, old).await?;
        Ok(Applied::Done)
    }

    async fn verify(&self, context: &mut Context, facts: &Facts) -> Result<(), Error> {
        let version = old_version(facts)?;
        match context.state(version).await? {
            VersionState::Enabled => Err(Error::WrongState {
                secret: context.store.name.clone(),
                version,
                state: VersionState::Enabled,
            }),
            VersionState::Disabled | VersionState::Destroyed => Ok(()),
        }
    }

    async fn undo(&self, context: &mut Context, log: &mut Log<'_>) -> Result<(), Error> {
        let old = old_version(log.facts())?;
        for version in copies(log.facts()).into_iter().chain([old]) {
            let store = &context.platform.store;
            store.enable(&context.store.name, version).await?;
        }
        Ok(())
    }
}

/// The other versions with the value of this one, written down for the undo.
async fn record_copies(
    context: &Context,
    log: &mut Log<'_>,
    old: VersionNumber,
) -> Result<Vec<VersionNumber>, Error> {
    let mut copies = copies(log.facts());
    for version in context.platform.store.versions(&context.store.name).await? {
        let number = version.number;
        let is_new = number != old && !copies.contains(&number);
        if is_new && has_value_of(context, number, old).await? {
            copies.push(number);
        }
    }
    if !copies.is_empty() {
        let numbers: Vec<String> = copies.iter().map(VersionNumber::to_string).collect();
        log.record(facts::COPIES, Fact::Name(Name::new(numbers.join("-"))?))?;
    }
    Ok(copies)
}

pub(super) fn copies(facts: &Facts) -> Vec<VersionNumber> {
    let numbers = facts.name(facts::COPIES).unwrap_or_default();
    let numbers = numbers.split('-');
    numbers.filter_map(|number| number.parse().ok()).collect()
}

/// Disables it, and looks again: somebody may have written with it since the last look.
async fn disable(context: &mut Context, version: VersionNumber) -> Result<(), Error> {
    let value = context.value(version).await?;
    let secret = context.store.name.clone();
    context.platform.store.disable(&secret, version).await?;
    let found = Found {
        value: &value,
        secret: &secret,
        place: "the retired version",
    };
    let unneeded = context.material.refuse_if_needed(found, version).await;
    if unneeded.is_err() {
        context.platform.store.enable(&secret, version).await?;
    }
    unneeded
}
