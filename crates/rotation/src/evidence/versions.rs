//! What was in use before and after: versions, services, roles.

use jiff::Timestamp;
use runbook::{Facts, History, RunStatus, StepHistory, StepStatus};
use secret::VersionNumber;
use serde::Serialize;

use crate::facts;
use crate::secrets::Role;
use crate::steps::{CUT_OVER, DESTROY, RETIRE, STAGE, copies};

/// A version of the secret, and what became of it.
#[derive(Clone, Debug, Serialize)]
pub struct VersionChange {
    /// What it is to the run.
    pub role: VersionRole,
    /// Its number.
    pub number: u64,
    /// What names its value; none where the value isn't random all through.
    pub fingerprint: Option<String>,
    /// What it is like after the run, in words.
    pub state: &'static str,
    /// Since when.
    pub since: Option<Timestamp>,
}

/// What a version is to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VersionRole {
    /// In use when the run began.
    Old,
    /// Of the same value as the old one.
    CopyOfOld,
    /// Made by the run.
    New,
    /// The old value, stored once more by a rollback.
    OldStoredAgain,
}

/// A service before and after.
#[derive(Clone, Debug, Serialize)]
pub struct ServiceChange {
    /// What it is for: `agent` or `handler`.
    pub role: &'static str,
    /// What the platform calls it.
    pub name: String,
    /// The version that it was bound to before: a number, or `latest`.
    pub bound_before: Option<String>,
    /// The revision that reads the new version.
    pub new_revision: Option<String>,
}

/// The roles of a login before and after.
#[derive(Clone, Debug, Serialize)]
pub struct Login {
    /// The role that was in use.
    pub old_role: String,
    /// The role that takes over; none where the run didn't come to that.
    pub new_role: Option<String>,
    /// Whether that was `absent` or `idle` before.
    pub new_role_before: Option<String>,
}

impl VersionRole {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            VersionRole::Old => "before",
            VersionRole::CopyOfOld => "copy of the one before",
            VersionRole::New => "after",
            VersionRole::OldStoredAgain => "the one before, stored again",
        }
    }
}

pub(super) fn of(history: &History) -> Vec<VersionChange> {
    let facts = &history.facts;
    let fingerprint = |name| facts.fingerprint(name).ok().map(ToString::to_string);
    let mut versions = Vec::new();
    if let Ok(number) = facts.version(facts::OLD_VERSION) {
        let (state, since) = of_old(history);
        let change = |role, number| VersionChange {
            role,
            number,
            fingerprint: fingerprint(facts::OLD_KEY),
            state,
            since,
        };
        versions.push(change(VersionRole::Old, number));
        let copies = copies(facts).into_iter().map(VersionNumber::get);
        versions.extend(copies.map(|number| change(VersionRole::CopyOfOld, number)));
    }
    if let Ok(number) = facts.version(facts::NEW_VERSION) {
        let (state, since) = of_new(history);
        versions.push(VersionChange {
            role: VersionRole::New,
            number,
            fingerprint: fingerprint(facts::NEW_KEY),
            state,
            since,
        });
    }
    if let Ok(number) = facts.version(facts::REPUBLISHED_VERSION) {
        versions.push(VersionChange {
            role: VersionRole::OldStoredAgain,
            number,
            fingerprint: fingerprint(facts::OLD_KEY),
            state: "the newest version",
            since: at(history, STAGE),
        });
    }
    versions
}

type State = (&'static str, Option<Timestamp>);

fn of_old(history: &History) -> State {
    if history.step_status(DESTROY) == StepStatus::Done {
        return ("destroyed", at(history, DESTROY));
    }
    if may_be(history, DESTROY) {
        return ("disabled, perhaps destroyed", at(history, DESTROY));
    }
    match history.step_status(RETIRE) {
        StepStatus::Done => return ("disabled", at(history, RETIRE)),
        StepStatus::Pending | StepStatus::Undone => {}
        _ => return ("perhaps disabled", at(history, RETIRE)),
    }
    match history.step_status(CUT_OVER) {
        StepStatus::Done => ("enabled, not in use", cut_over_at(history)),
        StepStatus::Pending => ("in use", None),
        StepStatus::Undone => ("in use again", at(history, CUT_OVER)),
        _ => ("enabled, perhaps in use", at(history, CUT_OVER)),
    }
}

fn of_new(history: &History) -> State {
    match (history.step_status(STAGE), history.step_status(CUT_OVER)) {
        (StepStatus::Undone, _) => ("disabled", at(history, STAGE)),
        (_, StepStatus::Done) => ("in use", cut_over_at(history)),
        (_, StepStatus::Pending | StepStatus::Undone) => ("stored, not in use", at(history, STAGE)),
        _ => ("stored, perhaps in use", at(history, CUT_OVER)),
    }
}

fn may_be(history: &History, step: &str) -> bool {
    history.step_status(step).may_have_effect()
}

fn at(history: &History, step: &str) -> Option<Timestamp> {
    history
        .step(step)
        .and_then(|step: &StepHistory| step.last_at)
}

fn cut_over_at(history: &History) -> Option<Timestamp> {
    let exact = history.facts.time(facts::CUT_OVER_AT).ok();
    exact.or_else(|| at(history, CUT_OVER))
}

pub(super) fn services(history: &History) -> Vec<ServiceChange> {
    let facts = &history.facts;
    let change = |(role, called)| {
        let names = facts::of_consumer(role);
        let known = |name| facts.name(name).ok().map(str::to_owned);
        Some(ServiceChange {
            role: called,
            name: known(names.service)?,
            bound_before: known(names.bound_before).or_else(|| version(facts, names.bound_before)),
            new_revision: known(names.new_revision)
                .filter(|_| history.status != RunStatus::RolledBack),
        })
    };
    ROLES.into_iter().filter_map(change).collect()
}

const ROLES: [(Role, &str); 2] = [(Role::Agent, "agent"), (Role::Handler, "handler")];

fn version(facts: &Facts, name: &'static str) -> Option<String> {
    facts.version(name).ok().map(|number| number.to_string())
}

pub(super) fn is_of_service(fact: &str) -> bool {
    ROLES.into_iter().any(|(role, _)| {
        let names = facts::of_consumer(role);
        [names.service, names.bound_before, names.new_revision].contains(&fact)
    })
}

impl Login {
    pub(super) fn of(history: &History) -> Option<Login> {
        let known = |name| history.facts.name(name).ok().map(str::to_owned);
        Some(Login {
            old_role: known(facts::OLD_ROLE)?,
            new_role: known(facts::NEW_ROLE),
            new_role_before: known(facts::ROLE_BEFORE),
        })
    }
}
