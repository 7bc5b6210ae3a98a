//! What the services are to read, by the journals of the runs.

use platform::{Binding, Expected};
use runbook::{Facts, History, RunStatus, StepStatus};
use secret::VersionNumber;

use crate::context::{new_version, old_version};
use crate::dcr_encryption_key::RE_ENCRYPT;
use crate::facts;
use crate::secrets::{Role, Secret};
use crate::steps::{CUT_OVER, LATEST, PIN};

#[cfg(test)]
mod tests;

/// The run that has the last word on a secret, and what it bound the services to.
#[derive(Clone, Debug)]
pub struct LeftBehind {
    /// The run.
    pub run: String,
    /// Each service that it bound.
    pub services: Vec<Expected>,
}

/// What the services are to read, of each secret by the newest run that bound them.
/// The order of the runs doesn't matter. Where none did, nothing is expected.
///
/// A run that was rolled back left things to those before it, but for the services that read
/// the latest version again: what that is, it has seen to. A request for another one may have
/// been given up, and come since.
pub fn left_behind<'a>(histories: impl IntoIterator<Item = &'a History>) -> Vec<LeftBehind> {
    let mut histories: Vec<&History> = histories.into_iter().collect();
    histories.sort_by_key(|history| std::cmp::Reverse(history.began_at));
    let mut settled = Vec::new();
    let mut rolled_back = Vec::new();
    let mut left = Vec::new();
    for history in histories {
        let rotation = history.rotation.as_str();
        if settled.contains(&rotation) {
            continue;
        }
        let has_begun = old_version(&history.facts).is_ok();
        if history.status == RunStatus::Abandoned {
            // What the services had then was right, whatever that was.
            if has_begun {
                settled.push(rotation);
            }
            continue;
        }
        if history.status == RunStatus::RolledBack && has_begun && !rolled_back.contains(&rotation)
        {
            rolled_back.push(rotation);
            left.extend(expected_of_latest(history));
        }
        if let Some(services) = expected(history) {
            settled.push(rotation);
            left.push(LeftBehind {
                run: history.run.to_string(),
                services,
            });
        }
    }
    left
}

fn expected(history: &History) -> Option<Vec<Expected>> {
    let versions = versions(history)?;
    let secret = Secret::named(history.rotation.as_str())?;
    let of_role = |role: &Role| {
        let (service, binding) = bound(history, *role)?;
        Some(Expected {
            service,
            binding,
            versions: versions.clone(),
            follows_latest: false,
            is_settled: history.status == RunStatus::Done,
        })
    };
    Some(secret.readers.iter().filter_map(of_role).collect())
}

/// The services that read the latest version again after a rollback, with what that was.
fn expected_of_latest(history: &History) -> Option<LeftBehind> {
    let secret = Secret::named(history.rotation.as_str())?;
    let old = old_version(&history.facts).ok()?;
    let is_stored_again = history.facts.version(facts::REPUBLISHED_VERSION).is_ok();
    if new_version(&history.facts).is_ok() && !is_stored_again {
        // Then the number of what was stored again was lost with the process that did it.
        return None;
    }
    let latest = old_ones(&history.facts, old).into_iter().next()?;
    let of_role = |role: &Role| {
        let bound_before = facts::of_consumer(*role).bound_before;
        if history.facts.name(bound_before).ok()? != LATEST {
            return None;
        }
        let (service, binding) = bound(history, *role)?;
        Some(Expected {
            service,
            binding,
            versions: vec![latest],
            follows_latest: true,
            is_settled: true,
        })
    };
    let services: Vec<Expected> = secret.readers.iter().filter_map(of_role).collect();
    let run = history.run.to_string();
    (!services.is_empty()).then_some(LeftBehind { run, services })
}

/// A service and its variable, as the run knew them.
fn bound(history: &History, role: Role) -> Option<(String, Binding)> {
    let secret = Secret::named(history.rotation.as_str())?;
    let service = history.facts.name(facts::of_consumer(role).service).ok()?;
    let binding = Binding {
        variable: secret.variable.to_owned(),
        secret: history.facts.name(facts::SECRET).ok()?.to_owned(),
    };
    Some((service.to_owned(), binding))
}

/// The versions that are right now; none where services may be bound to anything, as they may
/// before they are pinned, and once that is undone.
fn versions(history: &History) -> Option<Vec<VersionNumber>> {
    if history.step_status(PIN) != StepStatus::Done {
        return None;
    }
    let old = old_version(&history.facts).ok()?;
    let new = new_version(&history.facts).ok();
    if history.facts.version(facts::SENT_BACK).is_ok() {
        return Some(old_ones(&history.facts, old));
    }
    // A table that has gone over goes with the new one, whoever has moved the services.
    let has_table_moved = history.step_status(RE_ENCRYPT).may_have_effect();
    Some(match (history.step_status(CUT_OVER), new) {
        (StepStatus::Done, Some(new)) => vec![new],
        (StepStatus::Pending, Some(new)) if has_table_moved => {
            [old_ones(&history.facts, old), vec![new]].concat()
        }
        (StepStatus::Pending | StepStatus::Undone, _) | (_, None) => old_ones(&history.facts, old),
        (_, Some(new)) => [old_ones(&history.facts, old), vec![new]].concat(),
    })
}

/// The old version, and what a rollback stored its value as: to some platforms these are
/// one.
fn old_ones(facts: &Facts, old: VersionNumber) -> Vec<VersionNumber> {
    let again = facts.version(facts::REPUBLISHED_VERSION).ok();
    let again = again.and_then(VersionNumber::new);
    again.into_iter().chain([old]).collect()
}
