//! The end of the old version.

use async_trait::async_trait;
use platform::{Bound, Change, Version, VersionState, Which};
use runbook::{About, Applied, Fact, Facts, Forecast, Kind, Log, Name, Observed, Step, Undo};
use secret::VersionNumber;

use super::candidate::refuse_foreign_in;
use super::services::{discard_others, discard_side_by_side, expect};
use crate::context::{Context, in_use, new_version, old_version};
use crate::dcr_encryption_key::is_all_under_new;
use crate::error::Error;
use crate::facts;
use crate::material::{Found, Material};

/// Disables the old version, when nothing needs it any more.
pub(crate) struct Retire;

pub(crate) const NAME: &str = "retire";

const ABOUT: About = About {
    name: NAME,
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
        if context.state(old_version(facts)?).await? == VersionState::Enabled {
            return Ok(Observed::Absent);
        }
        // A process may have ended between the disabling and its last look.
        Ok(match context.material {
            Material::Key(_) => Observed::when(is_all_under_new(context, facts).await?),
            Material::ClientSecret(_) | Material::Login(_) => Observed::Present,
        })
    }

    async fn apply(&self, context: &mut Context, log: &mut Log<'_>) -> Result<Applied, Error> {
        let old = old_version(log.facts())?;
        let bound = Bound::Pinned(new_version(log.facts())?);
        discard_side_by_side(context, log, async |consumer| {
            expect(context, consumer, bound).await?;
            discard_others(context, consumer).await
        })
        .await?;
        let versions = context.versions().await?;
        if context.state_in(&versions, old)? != VersionState::Enabled {
            return Ok(Applied::Done);
        }
        refuse_foreign_in(context, log.facts(), old, &versions).await?;
        let latest = versions.first().map(|version| version.number);
        for copy in record_copies(context, log, old, &versions).await? {
            // Disabled already by a process that ended before it came to the old one.
            if context.state_in(&versions, copy)? == VersionState::Enabled {
                context.refuse_if_needed(copy, latest).await?;
                let store = &context.platform.store;
                store.disable(&context.store.name, copy).await?;
            }
        }
        context.refuse_if_needed(old, latest).await?;
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

    async fn foresee(&self, context: &mut Context, forecast: &mut Forecast) -> Result<(), Error> {
        let discarded = |service| Change::DiscardOthers { service };
        context.rehearse_for_all(discarded, forecast).await?;
        if let Ok(old) = old_version(forecast.facts()) {
            let versions = context.versions().await?;
            let copies = find_copies(context, &[old], Vec::new(), &versions).await?;
            if let Some(fact) = as_fact(&copies)? {
                forecast.record(facts::COPIES, fact);
            }
        }
        let copies = copies(forecast.facts()).into_iter().map(Which::Number);
        let versions = copies.chain([in_use(forecast)]);
        let state = VersionState::Disabled;
        context.rehearse_states(versions, state, forecast).await
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
    versions: &[Version],
) -> Result<Vec<VersionNumber>, Error> {
    // The new version is another value: that was seen before it was stored.
    let known = [old, new_version(log.facts())?];
    let copies = find_copies(context, &known, copies(log.facts()), versions).await?;
    if let Some(fact) = as_fact(&copies)? {
        log.record(facts::COPIES, fact)?;
    }
    Ok(copies)
}

/// The enabled versions that have the value of the first of those that are known, beside
/// the copies that are.
async fn find_copies(
    context: &Context,
    known: &[VersionNumber],
    mut copies: Vec<VersionNumber>,
    versions: &[Version],
) -> Result<Vec<VersionNumber>, Error> {
    let unknown: Vec<VersionNumber> = versions
        .iter()
        .filter(|version| version.state == VersionState::Enabled)
        .map(|version| version.number)
        .filter(|number| !known.contains(number) && !copies.contains(number))
        .collect();
    if let (Some(old), false) = (known.first(), unknown.is_empty()) {
        let value = context.value(*old).await?;
        for number in unknown {
            if context.enabled_value(number).await?.as_ref() == Some(&value) {
                copies.push(number);
            }
        }
    }
    Ok(copies)
}

fn as_fact(copies: &[VersionNumber]) -> Result<Option<Fact>, Error> {
    if copies.is_empty() {
        return Ok(None);
    }
    let numbers: Vec<String> = copies.iter().map(VersionNumber::to_string).collect();
    Ok(Some(Fact::Name(Name::new(numbers.join("-"))?)))
}

/// The other versions with the old value that the run retires.
pub(crate) fn copies(facts: &Facts) -> Vec<VersionNumber> {
    let numbers = facts.name(facts::COPIES).unwrap_or_default();
    let numbers = numbers.split('-');
    numbers.filter_map(|number| number.parse().ok()).collect()
}

/// Disables it, and looks again: somebody may have written with it since the last look.
async fn disable(context: &mut Context, version: VersionNumber) -> Result<(), Error> {
    let secret = context.store.name.clone();
    if !context.material.is_needed_beside_services() {
        return Ok(context.platform.store.disable(&secret, version).await?);
    }
    let value = context.value(version).await?;
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
