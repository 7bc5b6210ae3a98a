//! The candidate, stored and read back before anything depends on it.

use async_trait::async_trait;
use platform::{Change, Version, VersionState};
use runbook::{About, Applied, Fact, Facts, Forecast, Kind, Log, Observed, Step, Undo};
use secret::VersionNumber;

use super::candidate::{
    adopt, find_in, find_staged, is_candidate, proves_itself, refuse_foreign_in,
};
use crate::context::{Context, new_version, old_version};
use crate::error::Error;
use crate::facts;

/// Stores the candidate as a version and reads it back.
pub(crate) struct Stage;

pub(crate) const NAME: &str = "stage";

const ABOUT: About = About {
    name: NAME,
    title: "Stage the candidate and read it back",
    kind: Kind::Change,
    told: None,
    does: "Adds the candidate to the store as a new version. Its number is read from the store's answer, \
           never computed. Nobody reads it yet: every service is pinned to the old version.",
    touches: "the store: one new version",
    verified: "the version is read back by its number and compared byte for byte",
    undo: Undo::By(
        "the old value is stored once more, as the newest version, for `latest` is the newest whatever \
         its state; then the candidate's version is disabled",
    ),
    outage: None,
};

#[async_trait(?Send)]
impl Step<Context, Error> for Stage {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    async fn observe(&self, context: &mut Context, facts: &Facts) -> Result<Observed, Error> {
        let Ok(version) = new_version(facts) else {
            return Ok(Observed::Absent);
        };
        if !context.is_enabled(version).await? {
            return Ok(Observed::Absent);
        }
        let is_candidate = is_candidate(context, facts, version).await?;
        Ok(Observed::when(is_candidate))
    }

    async fn apply(&self, context: &mut Context, log: &mut Log<'_>) -> Result<Applied, Error> {
        let versions = context.versions().await?;
        let version = match find_in(context, log.facts(), &versions).await? {
            Some(version) => adopt(context, log.facts(), version).await?,
            None => add(context, log, &versions).await?,
        };
        log.record(facts::NEW_VERSION, Fact::Version(version.get()))?;
        Ok(Applied::Done)
    }

    async fn verify(&self, context: &mut Context, facts: &Facts) -> Result<(), Error> {
        let version = new_version(facts)?;
        let read_back = context.value(version).await?;
        let is_same = match &context.candidate {
            Some(candidate) => read_back == *candidate,
            // Stored by a process that ended before it had read it back.
            None => {
                is_candidate(context, facts, version).await?
                    && proves_itself(context, facts, &read_back).await?
            }
        };
        if !is_same {
            return Err(Error::ReadBack {
                secret: context.store.name.clone(),
                version,
            });
        }
        // From here on it comes from the store.
        context.candidate = None;
        Ok(())
    }

    async fn foresee(&self, context: &mut Context, forecast: &mut Forecast) -> Result<(), Error> {
        let secret = context.store.name.clone();
        context
            .rehearse(Change::AddVersion { secret }, forecast)
            .await
    }

    async fn undo(&self, context: &mut Context, log: &mut Log<'_>) -> Result<(), Error> {
        let versions = context.versions().await?;
        let staged = find_staged(context, log.facts(), &versions).await?;
        let mut latest = versions.first().map(|version| version.number);
        if !staged.is_empty() {
            let republished = republish_old(context, log, &versions, &staged).await?;
            latest = republished.or(latest);
        }
        for version in staged {
            if context.state_in(&versions, version)? == VersionState::Enabled {
                give_back(context, log.facts(), version, latest).await?;
                context
                    .platform
                    .store
                    .disable(&context.store.name, version)
                    .await?;
            }
        }
        Ok(())
    }
}

async fn add(
    context: &Context,
    log: &mut Log<'_>,
    versions: &[Version],
) -> Result<VersionNumber, Error> {
    let old = old_version(log.facts())?;
    refuse_foreign_in(context, log.facts(), old, versions).await?;
    let candidate = context.candidate.as_ref().ok_or(Error::CandidateLost)?;
    if context.material.fingerprint(candidate).is_none() {
        let latest = versions.first().ok_or(Error::NoVersion)?.number;
        log.record(facts::LATEST_BEFORE, Fact::Version(latest.get()))?;
    }
    let store = &context.platform.store;
    Ok(store.add(&context.store.name, candidate).await?)
}

/// Makes the old value the latest version, if it isn't: its number then.
async fn republish_old(
    context: &Context,
    log: &mut Log<'_>,
    versions: &[Version],
    staged: &[VersionNumber],
) -> Result<Option<VersionNumber>, Error> {
    let old = old_version(log.facts())?;
    let is_latest = match versions.first() {
        // The candidate is another value than the one in use.
        Some(latest) if staged.contains(&latest.number) => false,
        _ => is_latest(context, old, versions).await?,
    };
    if is_latest {
        // Stored by a process that ended before it wrote down the number.
        if let Some(again) = versions.first().map(|latest| latest.number)
            && staged.iter().all(|staged| *staged < again)
        {
            log.record(facts::REPUBLISHED_VERSION, Fact::Version(again.get()))?;
        }
        return Ok(None);
    }
    let value = context.value(old).await?;
    let store = &context.platform.store;
    let version = store.add(&context.store.name, &value).await?;
    log.record(facts::REPUBLISHED_VERSION, Fact::Version(version.get()))?;
    Ok(Some(version))
}

/// Whether whoever reads the latest version gets the value of this one.
async fn is_latest(
    context: &Context,
    version: VersionNumber,
    versions: &[Version],
) -> Result<bool, Error> {
    match versions.first() {
        Some(latest) if latest.number == version => Ok(latest.state == VersionState::Enabled),
        Some(latest) => context.has_value_of(latest.number, version).await,
        None => Ok(false),
    }
}

/// Makes a candidate that nobody is to read any more one that nothing needs: an
/// instance that was slow to end may have written with it since.
async fn give_back(
    context: &mut Context,
    facts: &Facts,
    version: VersionNumber,
    latest: Option<VersionNumber>,
) -> Result<(), Error> {
    context.move_over(version, old_version(facts)?).await?;
    context.refuse_if_needed(version, latest).await
}
