//! One version by hand: what a rotation by hand, or a run whose journal is lost, left behind.

use platform::{Kept, VersionState};
use runbook::History;
use secret::VersionNumber;

use crate::context::{Context, new_version, old_version};
use crate::error::Error;
use crate::material::{Found, Material};

/// Refuses to disable a version that a service serves with or, of a key, that tokens are under.
/// Gives the state that it is in.
///
/// # Errors
///
/// With what needs it; when there is no such version.
pub async fn refuse_needed_version(
    context: &mut Context,
    version: VersionNumber,
) -> Result<VersionState, Error> {
    let versions = context.versions().await?;
    let state = context.state_in(&versions, version)?;
    if state == VersionState::Enabled {
        let latest = versions.first().map(|latest| latest.number);
        for (consumer, service) in context.describe_all().await? {
            let mut readers = service.readers_of(version, latest);
            if let Some(serving) = readers.find(|reader| reader.name == service.serving) {
                return Err(Error::StillRead {
                    secret: context.store.name.clone(),
                    version,
                    service: consumer.service.clone(),
                    revision: serving.name.clone(),
                });
            }
        }
        if let Material::Key(_) = context.material {
            refuse_if_tokens_are_under(context, version).await?;
        }
    }
    Ok(state)
}

/// Disables a version that nothing needs, after the revisions that read it and don't serve are
/// made unreachable. Tells what services keep of the rotation that made those.
///
/// # Errors
///
/// When it can't be: then it may be disabled, or not.
pub async fn disable_version(
    context: &Context,
    version: VersionNumber,
) -> Result<Vec<Kept>, Error> {
    let services = &context.platform.services;
    let mut kept = Vec::new();
    for (consumer, service) in context.describe_all().await? {
        // Of one that isn't as recorded, the record says that another one serves.
        if service.is_unsettled {
            continue;
        }
        for reader in service.readers_of(version, None) {
            kept.extend(services.discard(&consumer.service, &reader.name).await?);
        }
    }
    let store = &context.platform.store;
    store.disable(&context.store.name, version).await?;
    expect(context, version, VersionState::Disabled).await?;
    Ok(kept)
}

/// The state that a version is in.
///
/// # Errors
///
/// When the store can't be asked, or has no such version.
pub async fn version_state(
    context: &Context,
    version: VersionNumber,
) -> Result<VersionState, Error> {
    context.state(version).await
}

/// Enables a version.
///
/// # Errors
///
/// When it can't be: then it may be enabled, or not.
pub async fn enable_version(context: &Context, version: VersionNumber) -> Result<(), Error> {
    let store = &context.platform.store;
    store.enable(&context.store.name, version).await?;
    expect(context, version, VersionState::Enabled).await
}

/// Whether a run that isn't at its end goes by this version: it would be in its way.
pub fn goes_by(history: &History, version: VersionNumber) -> bool {
    let of_run = [old_version(&history.facts), new_version(&history.facts)];
    history.is_unfinished() && of_run.into_iter().flatten().any(|one| one == version)
}

/// What holds no key opens no token, and no more does what is lost.
async fn refuse_if_tokens_are_under(
    context: &mut Context,
    version: VersionNumber,
) -> Result<(), Error> {
    let value = match context.value(version).await {
        Err(Error::Platform(platform::Error::ValueGone { .. })) => return Ok(()),
        value => value?,
    };
    let found = Found {
        value: &value,
        secret: &context.store.name,
        place: &format!("version {version}"),
    };
    match found.key() {
        Ok(_) => context.material.refuse_if_needed(found, version).await,
        Err(_) => Ok(()),
    }
}

async fn expect(
    context: &Context,
    version: VersionNumber,
    wanted: VersionState,
) -> Result<(), Error> {
    match context.state(version).await? {
        state if state == wanted => Ok(()),
        state => Err(Error::WrongState {
            secret: context.store.name.clone(),
            version,
            state,
        }),
    }
}
