//! Whether a run can be left where it stands, for good: what services have must be all that
//! anybody needs.

use platform::Service;
use runbook::{Deed, History, Kind, RunStatus, StepStatus, Undo};
use secret::VersionNumber;

use crate::client_secret::{self, REVOKE_FIRST};
use crate::context::{Consumer, Context, new_version, old_version};
use crate::database_login;
use crate::dcr_encryption_key;
use crate::error::Error;
use crate::evidence::texts;
use crate::material::Material;
use crate::same_place;
use crate::steps::{self, RESTART_BY_HAND};

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
    same_place::refuse_other_services(context, &history.facts)?;
    steps::refuse_closed(context, &history.facts).await?;
    let has_cut_over = history.step_status("cut-over") != StepStatus::Pending;
    if history.step_status(REVOKE_FIRST).may_have_effect() && !has_cut_over {
        return Err(Error::RevocationAsked);
    }
    let described = steps::settleable_consumers(context).await?;
    if restarted == Restarted::Unknown {
        refuse_not_restarted(history, has_cut_over, &described)?;
    }
    match context.material {
        Material::Key(_) => dcr_encryption_key::prove_in_use(context).await,
        Material::ClientSecret(_) => client_secret::prove_in_use(context).await,
        Material::Login(_) => database_login::prove_in_use(context).await,
    }
}

/// Whether people say that they have restarted the services since these were changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restarted {
    /// They say so.
    ByPeople,
    /// Nobody says so.
    Unknown,
}

/// A service may run with another value than its configuration has: after the table has gone
/// over, or the password, that is one which works no more.
fn refuse_not_restarted(
    history: &History,
    has_cut_over: bool,
    described: &[(&Consumer, Service)],
) -> Result<(), Error> {
    let by_hand = history.step(RESTART_BY_HAND);
    let waits = by_hand.is_some_and(|step| step.status != StepStatus::Done) && has_cut_over;
    let unsettled = described
        .iter()
        .find(|(_, service)| waits || !service.ready);
    match unsettled {
        None => Ok(()),
        Some((consumer, _)) => Err(Error::NotRestarted {
            service: consumer.service.clone(),
        }),
    }
}

/// Takes away what the run had prepared beside what serves, so that the services are deployed
/// again as before it.
///
/// # Errors
///
/// When a platform can't; it can be repeated.
pub async fn tidy_services(context: &Context) -> Result<(), Error> {
    for (consumer, service) in context.describe_all().await? {
        // Of what isn't as recorded, the next rotation takes care.
        if service.ready {
            steps::discard_others(context, consumer).await?;
        }
    }
    Ok(())
}

/// The titles of the steps that a run has left to people: those of the way forward that are not
/// done, those of the way back that are not undone.
pub fn left_to_people(history: &History) -> Vec<&'static str> {
    let is_back = history
        .hands
        .iter()
        .any(|hand| hand.deed == Deed::RolledBack);
    let texts = texts::of(history);
    let left = texts.into_iter().filter(|about| {
        let Some(step) = history.step(about.name) else {
            return false;
        };
        match is_back {
            true => step.is_to_be_undone() && !matches!(about.undo, Undo::Nothing(_)),
            false => {
                let changes = matches!(about.kind, Kind::Change | Kind::People);
                changes && step.status != StepStatus::Done
            }
        }
    });
    match history.status {
        RunStatus::Done | RunStatus::RolledBack => Vec::new(),
        _ => left.map(|about| about.title).collect(),
    }
}

/// The versions that a run has left enabled, and no service reads by its journal: they are for
/// people to disable, once nobody needs them.
pub fn versions_left(history: &History) -> Vec<VersionNumber> {
    let (old, new) = (old_version(&history.facts), new_version(&history.facts));
    let is_served = matches!(history.step_status("cut-over"), StepStatus::Done);
    let unread = if is_served { old } else { new };
    let is_retired = history.step_status("retire") == StepStatus::Done;
    unread
        .into_iter()
        .filter(|_| !(is_served && is_retired))
        .collect()
}
