//! Whether a rollback can come to its end: what is undone last must not fail when the
//! first is undone already.

use futures_util::future::try_join;
use platform::{Bound, VersionState};
use runbook::History;
use secret::VersionNumber;

use crate::client_secret::{self, REVOKE_FIRST};
use crate::context::{Context, new_version, old_version};
use crate::database_login;
use crate::dcr_encryption_key::{self, RE_ENCRYPT};
use crate::error::Error;
use crate::material::Material;
use crate::steps::CUT_OVER;

/// Looks that a rollback of this run can come to its end, before it begins.
///
/// # Errors
///
/// What would stop it on its way.
pub async fn refuse_rollback(context: &mut Context, history: &History) -> Result<(), Error> {
    let facts = &history.facts;
    if history.step_status(REVOKE_FIRST).may_have_effect() {
        client_secret::refuse_after_revocation(context, facts).await?;
    }
    let (Ok(old), Ok(new)) = (old_version(facts), new_version(facts)) else {
        return Ok(());
    };
    let is_cut_over = history.step_status(CUT_OVER).may_have_effect();
    let is_moved = is_cut_over || history.step_status(RE_ENCRYPT).may_have_effect();
    let described = async {
        match is_moved {
            true => context.describe_all().await,
            // By its journal: that may be an older copy of what was written since.
            false => Ok(context.describe_all().await.unwrap_or_default()),
        }
    };
    let (state, described) = try_join(context.state(old), described).await?;
    if state == VersionState::Destroyed {
        return Err(Error::OldVersionGone {
            secret: context.store.name.clone(),
            version: old,
        });
    }
    for (consumer, service) in described {
        if !is_cut_over && service.bound == Bound::Pinned(new) {
            return Err(Error::WrongRevision {
                service: consumer.service.clone(),
                revision: service.serving,
                bound: format!("version {new}, to which this run has not moved it by its journal"),
            });
        }
        if is_cut_over && service.bound == Bound::Inline {
            return Err(context.not_in_store(consumer));
        }
        if let Bound::Pinned(version) = service.bound
            && ![old, new].contains(&version)
            && !context.has_value_of(version, old).await?
            && !context.has_value_of(version, new).await?
        {
            return Err(Error::WrongRevision {
                service: consumer.service.clone(),
                revision: service.serving,
                bound: format!("version {version}, which this run doesn't know"),
            });
        }
    }
    match is_moved {
        true => refuse_useless_value(context, history, old, state).await,
        false => Ok(()),
    }
}

/// Sees that the old value is still there, and still of use to services that go back to it.
///
/// To be read, a disabled version has to be enabled, as the way back does first anyway. Where
/// there is no way back, it is disabled again.
async fn refuse_useless_value(
    context: &mut Context,
    history: &History,
    old: VersionNumber,
    state: VersionState,
) -> Result<(), Error> {
    let is_disabled = state == VersionState::Disabled;
    if is_disabled {
        let store = &context.platform.store;
        store.enable(&context.store.name, old).await?;
    }
    let looked = look_at(context, history, old).await;
    if is_disabled && looked.is_err() {
        let (store, secret) = (&context.platform.store, &context.store.name);
        if store.disable(secret, old).await.is_err() {
            return Err(Error::WrongState {
                secret: secret.clone(),
                version: old,
                state: VersionState::Enabled,
            });
        }
    }
    looked
}

async fn look_at(
    context: &mut Context,
    history: &History,
    old: VersionNumber,
) -> Result<(), Error> {
    let value = context.value(old).await?;
    match context.material {
        // Late tokens may be under the old key, which is readable now.
        Material::Key(_) => dcr_encryption_key::refuse_rollback(context, history).await,
        Material::ClientSecret(_) => client_secret::refuse_rollback(context, history, &value).await,
        Material::Login(_) => database_login::refuse_rollback(context, history, &value).await,
    }
}
