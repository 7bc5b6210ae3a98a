//! Whether the services can go back to the old value.

use platform::{Verdict, VersionState};
use runbook::{History, RunStatus};
use secret::VersionNumber;

use super::{ask_issuer, oauth_client};
use crate::context::{Context, old_version};
use crate::error::Error;

/// Sees that the issuer still accepts the value that the services would go back to. Those who
/// issue it were asked to keep it valid until it is retired, and no longer; and they may have
/// revoked it sooner. Where the services read it still, there is nothing to see.
///
/// To be read, a disabled version has to be enabled, as the way back does first anyway.
/// Where there is no way back, it is disabled again.
pub(crate) async fn refuse_rollback(
    context: &Context,
    history: &History,
    state: VersionState,
) -> Result<(), Error> {
    if !history.step_status("cut-over").may_have_effect() {
        return Ok(());
    }
    let old = old_version(&history.facts)?;
    if state == VersionState::Enabled {
        return refuse_dead_value(context, history, old).await;
    }
    let (store, secret) = (&context.platform.store, &context.store.name);
    store.enable(secret, old).await?;
    let accepted = refuse_dead_value(context, history, old).await;
    if accepted.is_err() {
        store.disable(secret, old).await?;
    }
    accepted
}

async fn refuse_dead_value(
    context: &Context,
    history: &History,
    version: VersionNumber,
) -> Result<(), Error> {
    let value = context.value(version).await?;
    let asked = async {
        let oauth_client = oauth_client(context).await?;
        let verdict = ask_issuer(context, &oauth_client, &value).await?;
        Ok((verdict, oauth_client.issuer.to_string()))
    };
    match asked.await {
        Ok((Verdict::Accepted, _)) => Ok(()),
        Ok((Verdict::Refused, issuer)) => Err(Error::OldValueDead {
            secret: context.store.name.clone(),
            version,
            issuer,
        }),
        // It was accepted when the run began, and whoever turns back has no time to lose.
        Err(_) if history.status != RunStatus::Done => Ok(()),
        Err(error) => Err(error),
    }
}
