//! Whether the services can go back to the old login.

use runbook::History;
use secret::SecretValue;

use super::{LOCK_OUT, LOCK_OUT_FIRST, SET_PASSWORD};
use crate::context::{Context, old_version};
use crate::error::Error;

/// Sees that the server still lets the old URL in: an administrator may have given the role
/// another password. Where the run itself took the password away, the way back gives it again,
/// and there is nothing to see.
pub(crate) async fn refuse_rollback(
    context: &Context,
    history: &History,
    old: &SecretValue,
) -> Result<(), Error> {
    let has_effect = |name| history.step_status(name).may_have_effect();
    if [LOCK_OUT, LOCK_OUT_FIRST, SET_PASSWORD]
        .into_iter()
        .any(has_effect)
    {
        return Ok(());
    }
    let version = old_version(&history.facts)?;
    let url = context.url_in(old, &format!("version {version}"))?;
    match context.is_accepted(&url).await {
        Ok(false) => Err(Error::OldLoginDead {
            secret: context.store.name.clone(),
            version,
            role: url.user()?.to_owned(),
        }),
        // Whoever turns back has no time to lose: a server that can't be asked stops nobody.
        Ok(true) | Err(_) => Ok(()),
    }
}
