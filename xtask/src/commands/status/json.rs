//! The same for scripts.

use runbook::RunSummary;
use serde_json::{Value, json};

use super::Report;
use super::ages::{Age, Known};
use super::bonds::{Bond, Standing};
use super::runs::{next_commands, words};
use crate::failure::{Failure, chain};

/// The report, as one object.
pub(super) fn of(report: &Report) -> Value {
    let run = |run: &RunSummary| match &run.history {
        Ok(history) => json!({
            "name": run.name,
            "rotation": history.rotation.as_str(),
            "state": words(run, history),
            "is_unfinished": history.is_unfinished(),
            "is_running": run.is_carried_on,
            "is_stuck": history.is_stuck(),
            "began_at": history.began_at,
            "operator": history.operator.as_str(),
            "next": next_commands(run, history, &report.place),
            "services": report.bonds_of(&run.name).map(bond).collect::<Vec<_>>(),
        }),
        Err(error) => json!({"name": run.name, "error": chain(error)}),
    };
    let secret = |age: &Age| {
        let (version, created_at, due_at, also_enabled) = match &age.known {
            Known::Version {
                number,
                created_at,
                due_at,
                also_enabled,
            } => (
                Some(number),
                Some(created_at),
                Some(due_at),
                Some(also_enabled),
            ),
            Known::Inline | Known::NotUsed | Known::Unknown(_) => (None, None, None, None),
        };
        let error = match &age.known {
            Known::Unknown(reason) => Some(reason),
            _ => None,
        };
        json!({
            "name": age.secret.name,
            "version": version,
            "created_at": created_at,
            "due_at": due_at,
            "also_enabled": also_enabled,
            "is_overdue": age.is_overdue(),
            "error": error,
        })
    };
    json!({
        "runs": report.runs.iter().map(run).collect::<Vec<_>>(),
        "secrets": report.ages.iter().map(secret).collect::<Vec<_>>(),
        "unknown_runs": report.unknown,
        "missing_contacts": report.place.missing_contacts,
        "error": null,
    })
}

fn bond(bond: &Bond) -> Value {
    let (is_as_left, finding, error) = match &bond.standing {
        Standing::AsLeft => (Some(true), None, None),
        Standing::Deviates(finding) => (Some(false), Some(finding), None),
        Standing::Unknown(reason) => (None, None, Some(reason)),
    };
    json!({
        "service": bond.service,
        "is_as_left": is_as_left,
        "change": finding.map(|finding| &finding.text),
        "mend": finding.map(|finding| &finding.mend),
        "error": error,
    })
}

/// Where nothing could be looked at.
pub(super) fn of_failure(failure: &Failure) -> Value {
    json!({
        "runs": null,
        "secrets": null,
        "unknown_runs": null,
        "missing_contacts": null,
        "error": failure.json(),
    })
}
