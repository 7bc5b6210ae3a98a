//! Whether the services can go back to the old login.

use runbook::History;
use secret::{DatabaseUrl, SecretValue};

use super::{LOCK_OUT, LOCK_OUT_FIRST, SET_PASSWORD};
use crate::context::{Context, new_version, old_version};
use crate::error::Error;
use crate::facts;

/// Sees that the server lets the old URL in, or the login by which the way back gives its role
/// the old password again: an administrator may have given the role another one, locked it, or
/// dropped it.
pub(crate) async fn refuse_rollback(
    context: &Context,
    history: &History,
    old: &SecretValue,
) -> Result<(), Error> {
    let version = old_version(&history.facts)?;
    let old = context.url_in(old, &format!("version {version}"))?;
    let gives_it_back = login_that_gives_it_back(context, history).await;
    for login in [&old].into_iter().chain(&gives_it_back) {
        match context.is_accepted(login).await {
            Ok(false) => {}
            // Whoever turns back has no time to lose: a server that can't be asked stops nobody.
            Ok(true) | Err(_) => return Ok(()),
        }
    }
    Err(Error::OldLoginDead {
        secret: context.store.name.clone(),
        version,
        role: old.user()?.to_owned(),
    })
}

/// Where the run itself has taken the old password away.
async fn login_that_gives_it_back(context: &Context, history: &History) -> Option<DatabaseUrl> {
    let has_effect = |name| history.step_status(name).may_have_effect();
    let new = context.url(new_version(&history.facts).ok()?).await.ok()?;
    if has_effect(SET_PASSWORD) {
        return Some(new);
    }
    if has_effect(LOCK_OUT) || has_effect(LOCK_OUT_FIRST) {
        let role = history.facts.name(facts::OLD_ROLE).ok()?;
        return new.for_idle(role).ok();
    }
    None
}
