//! What state things are in, in words, for whoever has to decide at night.

use runbook::{History, RunStatus, StepStatus};

use crate::facts;
use crate::secrets::DCR_ENCRYPTION_KEY;

/// What a run has left behind so far, by its journal: the versions, what the
/// services read, what the table is under. It says *perhaps* of what was begun and
/// not finished.
pub fn state(history: &History) -> String {
    let mut parts = Vec::new();
    let old = history.facts.version(facts::OLD_VERSION);
    let new = history.facts.version(facts::NEW_VERSION);
    if let Ok(new) = new {
        parts.push(of_step(
            history,
            "stage",
            &format!("version {new} is stored"),
        ));
    }
    parts.push(of_step(
        history,
        "re-encrypt",
        "the table is under the new key",
    ));
    parts.push(of_step(
        history,
        "cut-over",
        "the services read the new version",
    ));
    if let (Ok(old), StepStatus::Undone) = (&old, history.step_status("cut-over")) {
        parts.push(Some(format!("the services read version {old} again")));
    }
    if let Ok(old) = old {
        parts.push(of_step(
            history,
            "retire",
            &format!("version {old} is disabled"),
        ));
    }
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let has_table = history.rotation.as_str() == DCR_ENCRYPTION_KEY.name;
    let who = if has_table {
        "services and table"
    } else {
        "the services"
    };
    match (parts.is_empty(), history.status) {
        (_, RunStatus::RolledBack) => "everything is as it was before the run".to_owned(),
        (true, _) => match old {
            Ok(old) => format!("{who} go on with version {old}"),
            Err(_) => format!("{who} go on as before"),
        },
        (false, _) => parts.join("; "),
    }
}

/// Whether a run that is rolled back had come no further than to look around.
pub fn did_nothing(history: &History) -> bool {
    let later_steps = history.steps.iter().skip(1);
    history.status == RunStatus::RolledBack
        && later_steps.into_iter().all(|step| step.began_at.is_none())
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
