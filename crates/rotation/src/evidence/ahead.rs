//! What is still to come after what a run did.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use runbook::{History, RunStatus, StepHistory, StepStatus};
use serde::Serialize;

use super::texts;
use crate::abandon::duties;
use crate::emergency::is_emergency;
use crate::facts;
use crate::state::{has_table, needs_restart_by_hand};
use crate::steps::{DESTROY, RETIRE, STAGE};

/// Something that is still to come.
#[derive(Clone, Debug, Serialize)]
pub struct Ahead {
    /// What.
    pub what: String,
    /// When, where there is a date.
    pub due_at: Option<Timestamp>,
    /// The command that does it, or goes on.
    pub command: Option<String>,
}

pub(super) fn of(history: &History, rotate_every: Duration) -> Vec<Ahead> {
    let mut ahead = Vec::new();
    match history.status {
        RunStatus::Forward => {
            ahead.extend(next_step(history));
            ahead.extend(end_of_old_version(history));
        }
        RunStatus::RollingBack => ahead.push(Ahead {
            what: "the run is to be undone to its end".to_owned(),
            due_at: None,
            command: Some(format!("cargo xtask resume {}", history.run)),
        }),
        RunStatus::RolledBack => ahead.extend(after_rollback(history)),
        RunStatus::Abandoned => ahead.extend(after_abandonment(history)),
        RunStatus::Done => {
            ahead.extend(clients_to_issue_anew(history));
            ahead.extend(destruction(history));
            ahead.extend(next_rotation(history, rotate_every));
        }
    }
    ahead
}

fn next_step(history: &History) -> Option<Ahead> {
    let step = history.current_step()?;
    let texts = texts::of(history);
    let about = texts.iter().find(|about| about.name == step.name.as_str());
    let title = about.map_or(step.name.as_str(), |about| about.title);
    let what = match (step.status, step.until) {
        (StepStatus::Waiting, Some(_)) => format!("the run waits at `{title}`, then goes on"),
        (StepStatus::Waiting, None) => format!("people: `{title}`; then the run goes on"),
        (StepStatus::Failed, _) => {
            format!("`{title}` failed: the run is to be gone on with, or rolled back")
        }
        _ => format!("the run stands at `{title}`, and is to be gone on with"),
    };
    Some(Ahead {
        what,
        due_at: step.until,
        command: Some(format!("cargo xtask resume {}", history.run)),
    })
}

/// What later steps do with the old version.
fn end_of_old_version(history: &History) -> Vec<Ahead> {
    let Ok(old) = history.facts.version(facts::OLD_VERSION) else {
        return Vec::new();
    };
    let is_open =
        |step: Option<&StepHistory>| step.is_some_and(|step| step.status != StepStatus::Done);
    let later = |what: String| Ahead {
        what,
        due_at: history.facts.time(facts::SOAK_ENDS).ok(),
        command: None,
    };
    let mut ahead = Vec::new();
    if is_open(history.step(RETIRE)) {
        ahead.push(later(format!(
            "retirement: version {old} is to be disabled"
        )));
    }
    if is_open(history.step(DESTROY)) {
        ahead.push(later(format!(
            "destruction: version {old} is to be destroyed"
        )));
    }
    ahead
}

fn after_rollback(history: &History) -> Vec<Ahead> {
    let mut ahead = Vec::new();
    if needs_restart_by_hand(history) {
        ahead.push(Ahead {
            what: "people restart the service, which may still run with the new value".to_owned(),
            due_at: None,
            command: None,
        });
    }
    let what = if is_emergency(history) {
        "the value that others know is in use again: it is to be rotated anew, at once"
    } else {
        "the secret wasn't rotated: the old value is in use, and as old as it was"
    };
    ahead.push(Ahead {
        what: what.to_owned(),
        due_at: None,
        command: None,
    });
    ahead
}

/// What services had works; that the run's own work was done nobody has seen.
fn after_abandonment(history: &History) -> Vec<Ahead> {
    let left = duties(history).into_iter().map(|what| Ahead {
        what: format!("people: {what}"),
        due_at: None,
        command: None,
    });
    let emergency = match is_emergency(history) {
        true => " --emergency",
        false => "",
    };
    let next = Ahead {
        what: "the next rotation begins with what the services have".to_owned(),
        due_at: None,
        command: Some(format!(
            "cargo xtask rotate-secret {}{emergency}",
            history.rotation
        )),
    };
    left.chain(clients_to_issue_anew(history))
        .chain([next])
        .collect()
}

fn clients_to_issue_anew(history: &History) -> Option<Ahead> {
    let clients = history.facts.count(facts::CLIENTS_LISTED).ok()?;
    (clients > 0).then(|| Ahead {
        what: format!(
            "{clients} clients are to register anew: their secrets may be known to others; \
             `clients.csv` beside the run's journal names them"
        ),
        due_at: None,
        command: None,
    })
}

/// Outside of an emergency no step destroys, and nobody has set a date.
fn destruction(history: &History) -> Option<Ahead> {
    if is_emergency(history) {
        return None;
    }
    let old = history.facts.version(facts::OLD_VERSION).ok()?;
    let until = if has_table(history) {
        "it opens what backups from before this run hold, so not before the last of them is gone"
    } else {
        "not before nobody wants to roll this run back any more"
    };
    Some(Ahead {
        what: format!("destruction: version {old} is kept, disabled; no date is set: {until}"),
        due_at: None,
        command: None,
    })
}

/// By the age of the new version.
fn next_rotation(history: &History, rotate_every: Duration) -> Option<Ahead> {
    let stored_at = history.step(STAGE)?.last_at?;
    let every = SignedDuration::try_from(rotate_every).ok()?;
    Some(Ahead {
        what: "next rotation: by then, the new version is as old as the settings let it become"
            .to_owned(),
        due_at: stored_at.checked_add(every).ok(),
        command: None,
    })
}
