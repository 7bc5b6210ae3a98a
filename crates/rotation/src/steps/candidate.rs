//! Which version of the store is the candidate, and which is somebody else's.

use platform::{Bound, Service, Version, VersionState};
use runbook::Facts;
use secret::{SecretValue, VersionNumber};

use crate::client_secret;
use crate::context::{Consumer, Context, new_version, old_version};
use crate::database_login;
use crate::error::Error;
use crate::facts;
use crate::material::Material;

/// The enabled version, newer than the old one, that is the candidate: stored by a
/// process that ended before it could write down the number.
pub(crate) async fn find_candidate(
    context: &Context,
    facts: &Facts,
) -> Result<Option<VersionNumber>, Error> {
    // Nothing is staged before the value in use is known.
    if old_version(facts).is_err() {
        return Ok(None);
    }
    find_in(context, facts, &context.versions().await?).await
}

pub(super) async fn find_in(
    context: &Context,
    facts: &Facts,
    versions: &[Version],
) -> Result<Option<VersionNumber>, Error> {
    let Ok(old) = old_version(facts) else {
        return Ok(None);
    };
    for version in newer_than(old, versions) {
        if is_candidate(context, facts, version).await? {
            return Ok(Some(version));
        }
    }
    Ok(None)
}

/// Every version that holds the candidate. There are several where the first was lost and the
/// process ended before it wrote down the other, or where a request that was given up was
/// carried out in the end. The one whose number is known comes last: as long as it is enabled,
/// the others are found by its value.
pub(super) async fn find_staged(
    context: &Context,
    facts: &Facts,
    versions: &[Version],
) -> Result<Vec<VersionNumber>, Error> {
    let known = new_version(facts).ok();
    let mut staged = Vec::new();
    if let (Some(found), Ok(old)) = (find_in(context, facts, versions).await?, old_version(facts)) {
        let others = newer_than(old, versions).filter(|version| Some(*version) != known);
        for version in others {
            if version == found || context.has_value_of(version, found).await? {
                staged.push(version);
            }
        }
    }
    staged.extend(known);
    Ok(staged)
}

/// The enabled ones.
fn newer_than(old: VersionNumber, versions: &[Version]) -> impl Iterator<Item = VersionNumber> {
    let is_newer = move |one: &&Version| one.number > old && one.state == VersionState::Enabled;
    versions.iter().filter(is_newer).map(|one| one.number)
}

pub(super) async fn is_candidate(
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
        Ok(staged) if staged.get() > before => {
            // Its value once more is a request that was repeated, and carried out twice.
            Ok(version == staged || context.has_value_of(version, staged).await?)
        }
        _ if version.get() <= before => Ok(false),
        _ => match &context.candidate {
            Some(candidate) => Ok(context.value(version).await? == *candidate),
            None => Ok(!context.has_value_of(version, old_version(facts)?).await?),
        },
    }
}

/// Takes over what a process that ended seems to have stored. Where that is known by its
/// number alone, somebody else may have stored it: so it must prove itself as what is
/// staged has done.
pub(super) async fn adopt(
    context: &Context,
    facts: &Facts,
    version: VersionNumber,
) -> Result<VersionNumber, Error> {
    let value = context.value(version).await?;
    if proves_itself(context, facts, &value).await? {
        return Ok(version);
    }
    Err(Error::ForeignVersion {
        secret: context.store.name.clone(),
        version,
    })
}

/// Whether a value that is known by its number alone does what the candidate is to do.
pub(super) async fn proves_itself(
    context: &Context,
    facts: &Facts,
    value: &SecretValue,
) -> Result<bool, Error> {
    match &context.material {
        // A key is known by its fingerprint.
        Material::Key(_) => Ok(true),
        Material::ClientSecret(_) => client_secret::is_candidate(context, value).await,
        Material::Login(_) => database_login::is_candidate(context, facts, value).await,
    }
}

/// What is newer than the version in use would stop the run when it stages. What another
/// service reads is nobody's new value.
pub(crate) async fn refuse_foreign_versions(
    context: &Context,
    facts: &Facts,
    described: &[(&Consumer, Service)],
) -> Result<(), Error> {
    match pinned_version(context, described).await? {
        Some(version) => refuse_foreign_version(context, facts, version).await,
        None => Ok(()),
    }
}

/// The version that services read, where one of them reads it by its number: than the
/// latest, none is newer.
pub(crate) async fn pinned_version(
    context: &Context,
    described: &[(&Consumer, Service)],
) -> Result<Option<VersionNumber>, Error> {
    let is_pinned = |(_, service): &(&Consumer, Service)| matches!(service.bound, Bound::Pinned(_));
    match described.iter().any(is_pinned) {
        true => context.version_in_use(described).await,
        false => Ok(None),
    }
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
pub(super) async fn refuse_foreign_in(
    context: &Context,
    facts: &Facts,
    old: VersionNumber,
    versions: &[Version],
) -> Result<(), Error> {
    for version in newer_than(old, versions) {
        if !is_candidate(context, facts, version).await?
            && !context.has_value_of(version, old).await?
        {
            // An error where the old one can't be read: whose value this is, isn't known then.
            context.value(old).await?;
            return Err(Error::ForeignVersion {
                secret: context.store.name.clone(),
                version,
            });
        }
    }
    Ok(())
}
