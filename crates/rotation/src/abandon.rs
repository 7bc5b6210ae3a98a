//! Whether a run can be left where it stands, for good: what services have must be all that
//! anybody needs.

use futures_util::future::try_join;
use platform::{Service, VersionState};
use runbook::{Deed, History, Kind, StepStatus};
use secret::VersionNumber;

use crate::client_secret::{self, REVOKE_FIRST};
use crate::context::{Consumer, Context};
use crate::database_login;
use crate::dcr_encryption_key;
use crate::emergency::is_emergency;
use crate::error::Error;
use crate::evidence::texts;
use crate::material::Material;
use crate::same_place;
use crate::steps::{self, CUT_OVER, PIN, RESTART_BY_HAND};

/// Refuses to leave a run where it stands while anything depends on its going on, or on its
/// being undone: the services have to do their work with what they have. Reads only.
///
/// # Errors
///
/// What would be left unsound; when the run is of another place.
pub async fn refuse_abandoning(
    context: &mut Context,
    history: &History,
    restarted: Restarted,
) -> Result<(), Error> {
    same_place::refuse_other_services(context, history)?;
    steps::refuse_closed(context, &history.facts).await?;
    let described = steps::settleable_consumers(context).await?;
    if restarted == Restarted::Unknown {
        refuse_what_people_know(history, &described)?;
    }
    match context.material {
        Material::Key(_) => dcr_encryption_key::prove_in_use(context).await,
        Material::ClientSecret(_) => client_secret::prove_in_use(context).await,
        Material::Login(_) => database_login::prove_in_use(context).await,
    }
}

/// Whether people say that they have given the services what these have, and restarted them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restarted {
    /// They say so.
    ByPeople,
    /// Nobody says so.
    Unknown,
}

/// A service may run with another value than its configuration has, which may work no more; and
/// what it has may be about to be revoked.
fn refuse_what_people_know(
    history: &History,
    described: &[(&Consumer, Service)],
) -> Result<(), Error> {
    let has_cut_over = history.step_status(CUT_OVER) != StepStatus::Pending;
    if history.step_status(REVOKE_FIRST).may_have_effect() && !has_cut_over {
        return Err(Error::RevocationAsked);
    }
    let by_hand = history.step(RESTART_BY_HAND);
    let waits = has_cut_over && by_hand.is_some_and(|step| step.status != StepStatus::Done);
    let unsettled = described
        .iter()
        .filter(|(_, service)| waits || !service.ready);
    let services: Vec<&str> = unsettled
        .map(|(consumer, _)| consumer.service.as_str())
        .collect();
    match services.is_empty() {
        true => Ok(()),
        false => Err(Error::NotRestarted {
            services: services.join("`, `"),
        }),
    }
}

/// Takes away what the run has prepared beside what serves, so that the services are deployed
/// again as before it. Tells what is to be said of services for which that isn't so.
///
/// # Errors
///
/// When the platform can't be asked.
pub async fn tidy_services(context: &Context, history: &History) -> Result<Vec<String>, Error> {
    let mut remarks = Vec::new();
    if history.step_status(PIN) == StepStatus::Pending {
        return Ok(remarks);
    }
    for (consumer, service) in context.describe_all_at_rest().await? {
        let stays = format!(
            "what the run prepared of `{}` stays until the next rotation",
            consumer.service
        );
        if !service.ready {
            remarks.push(stays);
            continue;
        }
        match steps::discard_others(context, consumer).await {
            Ok(kept) => remarks.extend(kept.map(|kept| kept.to_string())),
            Err(error) => remarks.push(format!("{stays}: {error}")),
        }
    }
    Ok(remarks)
}

/// The titles of the steps after the cutover that a run has left to people. Before that, and on
/// the way back, there is nothing that they had better do.
pub(crate) fn left_to_people(history: &History) -> Vec<&'static str> {
    let is_back = history
        .hands
        .iter()
        .any(|hand| hand.deed == Deed::RolledBack);
    if is_back || history.step_status(CUT_OVER) != StepStatus::Done {
        return Vec::new();
    }
    let later = texts::of(history).into_iter();
    let later = later.skip_while(|about| about.name != CUT_OVER).skip(1);
    let left = later.filter(|about| {
        matches!(about.kind, Kind::Change | Kind::People)
            && history.step_status(about.name) != StepStatus::Done
            // It was seen to, or said.
            && about.name != RESTART_BY_HAND
    });
    left.map(|about| about.title).collect()
}

/// What an abandoned run has left to people: one thing each.
pub fn duties(history: &History) -> Vec<String> {
    let is_leaked = is_emergency(history) && history.step_status(CUT_OVER) != StepStatus::Done;
    let leaked = is_leaked.then(|| {
        "the value that others know may be in use still: it is to be rotated anew, at once"
            .to_owned()
    });
    let left = left_to_people(history).into_iter();
    let left = left.map(|title| format!("`{title}`, to which the run didn't come"));
    leaked.into_iter().chain(left).collect()
}

/// The enabled versions that no service reads: for people to disable, once nobody needs them.
///
/// # Errors
///
/// When the platform can't be asked.
pub async fn unread_versions(context: &Context) -> Result<Vec<VersionNumber>, Error> {
    let (versions, described) = try_join(context.versions(), context.describe_all()).await?;
    let latest = versions.first().map(|version| version.number);
    let is_read = |number| {
        let mut services = described.iter();
        services.any(|(_, service)| service.readers_of(number, latest).next().is_some())
    };
    let enabled = versions.iter();
    let enabled = enabled.filter(|version| version.state == VersionState::Enabled);
    let numbers = enabled.map(|version| version.number);
    Ok(numbers.filter(|number| !is_read(*number)).collect())
}
