//! The candidate, stored and read back before anything depends on it.

use async_trait::async_trait;
use futures_util::future::try_join;
use platform::{Change, Version, VersionState};
use runbook::{About, Applied, Fact, Facts, Forecast, Kind, Log, Observed, Step, Undo};
use secret::VersionNumber;

use crate::client_secret;
use crate::context::{Context, new_version, old_version};
use crate::database_login;
use crate::error::Error;
use crate::facts;
use crate::material::Material;

/// Stores the candidate as a version and reads it back.
pub(crate) struct Stage;

const ABOUT: About = About {
    name: "stage",
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
            None => is_candidate(context, facts, version).await?,
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
        // Two, where the first was lost, and the process ended before it wrote down the other.
        let mut staged: Vec<VersionNumber> = new_version(log.facts()).into_iter().collect();
        let versions = context.versions().await?;
        let found = find_in(context, log.facts(), &versions).await?;
        staged.extend(found.filter(|found| !staged.contains(found)));
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

/// The enabled version, newer than the old one, that is the candidate: stored by a
/// process that ended before it could write down the number.
pub(crate) async fn find(context: &Context, facts: &Facts) -> Result<Option<VersionNumber>, Error> {
    // Nothing is staged before the value in use is known.
    if old_version(facts).is_err() {
        return Ok(None);
    }
    find_in(context, facts, &context.versions().await?).await
}

async fn find_in(
    context: &Context,
    facts: &Facts,
    versions: &[Version],
) -> Result<Option<VersionNumber>, Error> {
    let Ok(old) = old_version(facts) else {
        return Ok(None);
    };
    for version in versions {
        if version.number > old
            && version.state == VersionState::Enabled
            && is_candidate(context, facts, version.number).await?
        {
            return Ok(Some(version.number));
        }
    }
    Ok(None)
}

async fn is_candidate(
    context: &Context,
    facts: &Facts,
    version: VersionNumber,
) -> Result<bool, Error> {
    if let Ok(expected) = facts.fingerprint(facts::NEW_KEY) {
        let value = context.value(version).await?;
        let fingerprint = context.material.fingerprint(&value);
        return Ok(fingerprint.is_some_and(|found| found.to_string() == expected.as_str()));
    }
    // Without a fingerprint it is known by its number alone.
    let Ok(before) = facts.version(facts::LATEST_BEFORE) else {
        return Ok(false);
    };
    match new_version(facts) {
        Ok(staged) if staged.get() > before => Ok(version == staged),
        _ if version.get() <= before => Ok(false),
        _ => match &context.candidate {
            Some(candidate) => Ok(context.value(version).await? == *candidate),
            None => Ok(!has_value_of(context, version, old_version(facts)?).await?),
        },
    }
}

/// Takes over what a process that ended seems to have stored. Where that is known by its
/// number alone, somebody else may have stored it: so it must prove itself as what is
/// staged has done.
async fn adopt(
    context: &Context,
    facts: &Facts,
    version: VersionNumber,
) -> Result<VersionNumber, Error> {
    let value = context.value(version).await?;
    let is_proved = match &context.material {
        Material::Key(_) => true,
        Material::ClientSecret(_) => client_secret::is_candidate(context, &value).await?,
        Material::Login(_) => database_login::is_candidate(context, facts, &value).await?,
    };
    if is_proved {
        return Ok(version);
    }
    Err(Error::ForeignVersion {
        secret: context.store.name.clone(),
        version,
    })
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

/// A newer version that is enabled, and is neither the candidate nor a copy of the
/// old one, is somebody's who rotates by hand.
pub(crate) async fn refuse_foreign_version(
    context: &Context,
    facts: &Facts,
    old: VersionNumber,
) -> Result<(), Error> {
    refuse_foreign_in(context, facts, old, &context.versions().await?).await
}

/// The same, by a list that was asked for before.
pub(crate) async fn refuse_foreign_in(
    context: &Context,
    facts: &Facts,
    old: VersionNumber,
    versions: &[Version],
) -> Result<(), Error> {
    for version in versions {
        if version.number > old
            && version.state == VersionState::Enabled
            && !is_candidate(context, facts, version.number).await?
            && !has_value_of(context, version.number, old).await?
        {
            return Err(Error::ForeignVersion {
                secret: context.store.name.clone(),
                version: version.number,
            });
        }
    }
    Ok(())
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
        return Ok(None);
    }
    let value = context.value(old).await?;
    let store = &context.platform.store;
    let version = store.add(&context.store.name, &value).await?;
    log.record(facts::REPUBLISHED_VERSION, Fact::Version(version.get()))?;
    Ok(Some(version))
}

/// Whether whoever reads the latest version gets the value of this one.
pub(crate) async fn is_latest(
    context: &Context,
    version: VersionNumber,
    versions: &[Version],
) -> Result<bool, Error> {
    match versions.first() {
        Some(latest) if latest.number == version => Ok(latest.state == VersionState::Enabled),
        Some(latest) => has_value_of(context, latest.number, version).await,
        None => Ok(false),
    }
}

/// Whether two versions are enabled and have one value.
pub(crate) async fn has_value_of(
    context: &Context,
    one: VersionNumber,
    other: VersionNumber,
) -> Result<bool, Error> {
    let (one, other) = (context.enabled_value(one), context.enabled_value(other));
    let (one, other) = try_join(one, other).await?;
    Ok(one.is_some() && one == other)
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
