//! Whether a run can be left where it stands, for good: what services have must be all that
//! anybody needs.

use runbook::{History, StepStatus};

use crate::client_secret;
use crate::context::Context;
use crate::database_login;
use crate::dcr_encryption_key;
use crate::error::Error;
use crate::facts;
use crate::material::Material;
use crate::same_place;
use crate::steps::{CLOSE, RESTART_BY_HAND};

/// Refuses to leave a run where it stands while anything depends on its going on, or on its
/// being undone: the services have to do their work with what they have. Reads only.
///
/// Gives the services that may run with something else until somebody restarts them, as people
/// changed their configuration, or a change was cut off.
///
/// # Errors
///
/// What would be left unsound; when the run is of another place.
pub async fn refuse_abandoning(
    context: &mut Context,
    history: &History,
) -> Result<Vec<String>, Error> {
    same_place::refuse_other_settings(context, &history.facts)?;
    if history.step_status(CLOSE).may_have_effect() && history.facts.time(facts::OPENED).is_err() {
        return Err(Error::Closed);
    }
    let of_people = history.step_status(RESTART_BY_HAND);
    if of_people.may_have_effect() && of_people != StepStatus::Done {
        return Err(Error::NotRestarted);
    }
    match context.material {
        Material::Key(_) => dcr_encryption_key::prove_in_use(context).await?,
        Material::ClientSecret(_) => client_secret::prove_in_use(context).await?,
        Material::Login(_) => database_login::prove_in_use(context).await?,
    }
    let described = context.describe_all().await?;
    let unsettled = described.iter().filter(|(_, service)| !service.ready);
    Ok(unsettled
        .map(|(consumer, _)| consumer.service.clone())
        .collect())
}
