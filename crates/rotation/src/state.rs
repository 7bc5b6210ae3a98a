//! What state things are in, in words, for whoever has to decide at night.

use runbook::{History, RunStatus, StepHistory, StepStatus};

use crate::client_secret::{OBTAIN, REVOKE_FIRST};
use crate::database_login::{LOCK_OUT, LOCK_OUT_FIRST, SECOND_ROLE, SET_PASSWORD};
use crate::dcr_encryption_key::RE_ENCRYPT;
use crate::emergency::is_emergency;
use crate::error::{NOT_WRITTEN, ROLLED_BACK};
use crate::facts;
use crate::secrets::DCR_ENCRYPTION_KEY;
use crate::steps::{CLOSE, CUT_OVER, DRAFT, RESTART_BY_HAND, RETIRE, STAGE};

/// What a run has left behind so far, by its journal: the versions, what the
/// services read, what the table is under, which role logs in. It says *perhaps* of
/// what was begun and not finished.
pub fn state(history: &History) -> String {
    if history.status == RunStatus::RolledBack {
        return "everything is as it was before the run".to_owned();
    }
    let effects = [made_ready(history), served(history), taken_away(history)].concat();
    if !effects.is_empty() {
        return effects.join("; ");
    }
    let who = if has_table(history) {
        "services and table"
    } else {
        "the services"
    };
    match history.facts.version(facts::OLD_VERSION) {
        Ok(old) => format!("{who} go on with version {old}"),
        Err(_) => format!("{who} go on as before"),
    }
}

fn made_ready(history: &History) -> Vec<String> {
    let facts = &history.facts;
    let mut effects = Vec::new();
    if let Ok(new) = facts.version(facts::NEW_VERSION) {
        let stored = format!("version {new} is stored");
        effects.extend(of_step(history, STAGE, &stored));
    }
    if !is_seen_not_to_be_written(history) {
        let moved_over = "the table is under the new key";
        effects.extend(of_step(history, RE_ENCRYPT, moved_over));
    }
    if let Ok(role) = facts.name(facts::NEW_ROLE) {
        let ready = format!("`{role}` is ready to take over");
        effects.extend(of_step(history, SECOND_ROLE, &ready));
        let alone = format!("`{role}` logs in with the new password alone");
        effects.extend(of_step(history, SET_PASSWORD, &alone));
    }
    effects
}

fn served(history: &History) -> Vec<String> {
    let old = history.facts.version(facts::OLD_VERSION);
    match (history.step_status(CUT_OVER), old) {
        (StepStatus::Undone, Ok(old)) => vec![format!("the services read version {old} again")],
        (_, Ok(old)) if waits_for_restart(history) => vec![format!(
            "the services are given version {old} again, and read it once they are restarted"
        )],
        _ => {
            let effect = match is_to_be_restarted(history) {
                true => {
                    "the services are given the new version, and read it once they are restarted"
                }
                false => "the services read the new version",
            };
            of_step(history, CUT_OVER, effect).into_iter().collect()
        }
    }
}

/// Whether people have not said yet that they have restarted the service.
fn is_to_be_restarted(history: &History) -> bool {
    let step = history.step(RESTART_BY_HAND);
    step.is_some_and(|step| step.status != StepStatus::Done)
}

fn taken_away(history: &History) -> Vec<String> {
    let facts = &history.facts;
    let mut effects = Vec::new();
    if let Ok(role) = facts.name(facts::OLD_ROLE) {
        let locked_out = format!("`{role}` is locked out");
        effects.extend(of_step(history, LOCK_OUT, &locked_out));
        effects.extend(of_step(history, LOCK_OUT_FIRST, &locked_out));
    }
    if let Ok(old) = facts.version(facts::OLD_VERSION) {
        let disabled = format!("version {old} is disabled");
        effects.extend(of_step(history, RETIRE, &disabled));
    }
    if facts.time(facts::OPENED).is_err() {
        effects.extend(of_step(history, CLOSE, "nobody may call the services"));
    }
    let revoked = "the issuer refuses the value that the services had";
    effects.extend(of_step(history, REVOKE_FIRST, revoked));
    effects
}

/// What a run that is at its end has done to the versions and, where logins take
/// turns, to the roles: in words, in one line.
pub fn result(history: &History) -> String {
    let facts = &history.facts;
    let (Ok(old), Ok(new)) = (
        facts.version(facts::OLD_VERSION),
        facts.version(facts::NEW_VERSION),
    ) else {
        return "the new version serves".to_owned();
    };
    let gone = if is_emergency(history) {
        "destroyed"
    } else {
        "disabled"
    };
    match (facts.name(facts::OLD_ROLE), facts.name(facts::NEW_ROLE)) {
        (Ok(old_role), Ok(new_role)) if old_role != new_role => format!(
            "version {new} serves, with the role `{new_role}`; version {old} is {gone}, and \
             `{old_role}` is locked out"
        ),
        (Ok(role), Ok(_)) => format!(
            "version {new} serves, with a new password for `{role}`; version {old} is {gone}"
        ),
        _ => format!("version {new} serves; version {old} is {gone}"),
    }
}

/// Whether a run waits for a value that other people issue.
pub fn waits_for_value(history: &History) -> bool {
    let waits = |step: &StepHistory| {
        step.status == StepStatus::Waiting && step.name.as_str() == OBTAIN.name
    };
    history.status == RunStatus::Forward && history.current_step().is_some_and(waits)
}

/// Whether a run that is rolled back leaves people a service to restart: it may have been
/// restarted for the new value, and the platform can't.
pub fn needs_restart_by_hand(history: &History) -> bool {
    let mut steps = history.steps.iter();
    history.status == RunStatus::RolledBack
        && history.step_status(CUT_OVER) == StepStatus::Undone
        && steps.any(|step| step.name.as_str() == RESTART_BY_HAND)
        // They were waited for, unless there is something to restart once more.
        && (history.facts.version(facts::SENT_BACK).is_err()
            || history.facts.version(facts::SENT_BACK_AGAIN).is_ok())
}

/// Whether a rollback waits until people have restarted the service with the old value.
pub fn waits_for_restart(history: &History) -> bool {
    history.status == RunStatus::RollingBack
        && history.step_status(RESTART_BY_HAND) == StepStatus::Undoing
        && history.facts.version(facts::SENT_BACK).is_ok()
}

/// Whether a run that is rolled back had come no further than to look around.
pub fn did_nothing(history: &History) -> bool {
    let mut begun = history.steps.iter().filter(|step| step.began_at.is_some());
    let only_looks = |step: &StepHistory| LOOKS.contains(&step.name.as_str());
    history.status == RunStatus::RolledBack && begun.all(only_looks)
}

/// The steps that change nothing outside the process but a file beside the journal, and
/// come before all others.
const LOOKS: [&str; 4] = ["check", DRAFT, OBTAIN.name, "test"];

/// Whether the secret is the key of a table.
pub(crate) fn has_table(history: &History) -> bool {
    history.rotation.as_str() == DCR_ENCRYPTION_KEY.name
}

/// Whether the re-encryption failed in a way that says that the table is as it was.
fn is_seen_not_to_be_written(history: &History) -> bool {
    let step = history.step(RE_ENCRYPT);
    let failed = step.filter(|step| step.status == StepStatus::Failed);
    let reason = failed.and_then(|step| step.reason.as_ref());
    reason.is_some_and(|reason| [NOT_WRITTEN, ROLLED_BACK].contains(&reason.as_str()))
}

/// Nothing where the step has not begun or is undone.
fn of_step(history: &History, step: &str, effect: &str) -> Option<String> {
    match history.step_status(step) {
        StepStatus::Done => Some(effect.to_owned()),
        StepStatus::Pending | StepStatus::Undone => None,
        StepStatus::Begun
        | StepStatus::Waiting
        | StepStatus::Failed
        | StepStatus::Undoing
        | StepStatus::Stuck => Some(format!("perhaps {effect}")),
    }
}
