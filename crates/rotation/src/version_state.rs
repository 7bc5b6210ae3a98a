//! One version by hand: what a rotation by hand, or a run whose journal is lost, left behind.

use platform::VersionState;
use runbook::History;
use secret::VersionNumber;

use crate::context::{Context, new_version, old_version};
use crate::error::Error;
use crate::material::Material;

/// Disables a version that no service reads and, of a key, no token is under. Gives whether that
/// was needed.
///
/// # Errors
///
/// With what still needs it.
pub async fn disable_version(context: &mut Context, version: VersionNumber) -> Result<bool, Error> {
    let versions = context.versions().await?;
    if context.state_in(&versions, version)? != VersionState::Enabled {
        return Ok(false);
    }
    let latest = versions.first().map(|latest| latest.number);
    refuse_if_read(context, version, latest).await?;
    if let Material::Key(_) = context.material {
        refuse_if_tokens_are_under(context, version).await?;
    }
    context
        .platform
        .store
        .disable(&context.store.name, version)
        .await?;
    expect(context, version, VersionState::Disabled).await?;
    Ok(true)
}

/// Enables a version. Gives whether that was needed.
///
/// # Errors
///
/// When it is destroyed, or there is none.
pub async fn enable_version(context: &Context, version: VersionNumber) -> Result<bool, Error> {
    if context.is_enabled(version).await? {
        return Ok(false);
    }
    context
        .platform
        .store
        .enable(&context.store.name, version)
        .await?;
    expect(context, version, VersionState::Enabled).await?;
    Ok(true)
}

/// Whether a run that isn't at its end goes by this version: it would be in its way.
pub fn goes_by(history: &History, version: VersionNumber) -> bool {
    let of_run = [old_version(&history.facts), new_version(&history.facts)];
    history.is_unfinished() && of_run.into_iter().flatten().any(|one| one == version)
}

/// Of a service that isn't as recorded, what it has counts, and not what is on record.
async fn refuse_if_read(
    context: &Context,
    version: VersionNumber,
    latest: Option<VersionNumber>,
) -> Result<(), Error> {
    for (consumer, mut service) in context.describe_all().await? {
        if service.is_unsettled {
            let serving = service.serving.clone();
            service
                .revisions
                .retain(|revision| revision.name == serving);
        }
        if let Some(revision) = service.readers_of(version, latest).next() {
            return Err(Error::StillRead {
                secret: context.store.name.clone(),
                version,
                service: consumer.service.clone(),
                revision: revision.name.clone(),
            });
        }
    }
    Ok(())
}

/// What holds no key opens no token.
async fn refuse_if_tokens_are_under(
    context: &mut Context,
    version: VersionNumber,
) -> Result<(), Error> {
    let value = context.value(version).await?;
    let found = crate::material::Found {
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
