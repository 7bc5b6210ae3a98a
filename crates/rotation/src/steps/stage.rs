//! The candidate, stored and read back before anything depends on it.

use async_trait::async_trait;
use futures_util::future::try_join;
use platform::VersionState;
use runbook::{About, Applied, Fact, Facts, Kind, Log, Observed, Step, Undo};
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
        let version = match find(context, log.facts()).await? {
            Some(version) => adopt(context, log.facts(), version).await?,
            None => add(context, log).await?,
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

    async fn undo(&self, context: &mut Context, log: &mut Log<'_>) -> Result<(), Error> {
        // Two, where the first was lost, and the process ended before it wrote down the other.
        let mut staged: Vec<VersionNumber> = new_version(log.facts()).into_iter().collect();
        staged.extend(find(context, log.facts()).await?);
        if !staged.is_empty() {
            republish_old(context, log).await?;
        }
        for version in staged {
            if context.is_enabled(version).await? {
                give_back(context, log.facts(), version).await?;
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
    let Ok(old) = old_version(facts) else {
        return Ok(None);
    };
    for version in context.platform.store.versions(&context.store.name).await? {
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
    let value = context.value(version).await?;
    if let Ok(expected) = facts.fingerprint(facts::NEW_KEY) {
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
            Some(candidate) => Ok(value == *candidate),
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

async fn add(context: &Context, log: &mut Log<'_>) -> Result<VersionNumber, Error> {
    refuse_foreign_version(context, log.facts(), old_version(log.facts())?).await?;
    let candidate = context.candidate.as_ref().ok_or(Error::CandidateLost)?;
    if context.material.fingerprint(candidate).is_none() {
        let latest = context.latest().await?.ok_or(Error::NoVersion)?;
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
    for version in context.platform.store.versions(&context.store.name).await? {
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

/// Makes the old value the latest version, if it isn't.
async fn republish_old(context: &Context, log: &mut Log<'_>) -> Result<(), Error> {
    let old = old_version(log.facts())?;
    if !is_latest(context, old).await? {
        let value = context.value(old).await?;
        let store = &context.platform.store;
        let version = store.add(&context.store.name, &value).await?;
        log.record(facts::REPUBLISHED_VERSION, Fact::Version(version.get()))?;
    }
    Ok(())
}

/// Whether whoever reads the latest version gets the value of this one.
pub(crate) async fn is_latest(context: &Context, version: VersionNumber) -> Result<bool, Error> {
    match context.latest().await? {
        Some(latest) => has_value_of(context, latest, version).await,
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
) -> Result<(), Error> {
    context.move_over(version, old_version(facts)?).await?;
    context.refuse_if_needed(version).await
}
