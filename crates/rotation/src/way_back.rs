//! Whether a rollback can come to its end: what is undone last must not fail when the
//! first is undone already.

use platform::{Bound, VersionState};
use runbook::History;

use crate::context::{Context, new_version, old_version};
use crate::dcr_encryption_key;
use crate::error::Error;
use crate::material::Material;
use crate::steps::has_value_of;

/// Looks that a rollback of this run can come to its end, before it begins.
///
/// # Errors
///
/// What would stop it on its way.
pub async fn refuse_rollback(context: &mut Context, history: &History) -> Result<(), Error> {
    let facts = &history.facts;
    let (Ok(old), Ok(new)) = (old_version(facts), new_version(facts)) else {
        return Ok(());
    };
    if context.state(old).await? == VersionState::Destroyed {
        return Err(Error::OldVersionGone {
            secret: context.store.name.clone(),
            version: old,
        });
    }
    if history.step_status("cut-over").may_have_effect()
        || history.step_status("re-encrypt").may_have_effect()
    {
        for (consumer, service) in context.describe_all().await? {
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
    }
    match context.material {
        Material::Key(_) => dcr_encryption_key::refuse_rollback(context, history).await,
        Material::ClientSecret(_) | Material::Login(_) => Ok(()),
    }
}
