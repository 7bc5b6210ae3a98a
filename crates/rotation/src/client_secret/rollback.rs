//! Whether the services can go back to the old value.

use platform::Verdict;
use runbook::{History, RunStatus};
use secret::SecretValue;

use super::{ask_issuer, oauth_client};
use crate::context::{Context, old_version};
use crate::error::Error;

/// Sees that the issuer still accepts the old value. Those who issue it were asked to keep it
/// valid until it is retired, and no longer; and they may have revoked it sooner.
pub(crate) async fn refuse_rollback(
    context: &Context,
    history: &History,
    old: &SecretValue,
) -> Result<(), Error> {
    let asked = async {
        let oauth_client = oauth_client(context).await?;
        let verdict = ask_issuer(context, &oauth_client, old).await?;
        Ok((verdict, oauth_client.issuer.to_string()))
    };
    match asked.await {
        Ok((Verdict::Accepted, _)) => Ok(()),
        Ok((Verdict::Refused, issuer)) => Err(Error::OldValueDead {
            secret: context.store.name.clone(),
            version: old_version(&history.facts)?,
            issuer,
        }),
        // It was accepted when the run began, and whoever turns back has no time to lose.
        Err(_) if history.status != RunStatus::Done => Ok(()),
        Err(error) => Err(error),
    }
}
