//! A run in words, and what to do next with it.

use std::path::{Path, PathBuf};

use clap::ValueEnum as _;
use runbook::{History, RunStatus, RunSummary, StepStatus};

use crate::cli;
use crate::settings::PlatformName;

/// Where it was looked.
pub(super) struct Placed {
    /// Contacts that the settings should name.
    pub(super) missing_contacts: Vec<&'static str>,
    /// What was typed.
    pub(super) typed: cli::Place,
    /// The platform that this, or the settings, named.
    pub(super) platform: PlatformName,
    /// Where runs are.
    pub(super) state_dir: PathBuf,
}

impl Placed {
    /// A command with the flags that were typed, and with the run's platform and folder where
    /// nothing else names those.
    fn complete(&self, command: &str, run: &RunSummary, history: &History) -> String {
        let mut typed = self.typed.clone();
        if let Some(state_dir) = run.folder.parent().and_then(Path::parent)
            && state_dir != self.state_dir
        {
            typed.state_dir = Some(state_dir.to_owned());
        }
        if self.platform == PlatformName::None {
            typed.platform = PlatformName::from_str(history.platform.as_str(), false).ok();
        }
        typed.complete_one(command)
    }
}

/// How far it is.
pub(super) fn words(run: &RunSummary, history: &History) -> String {
    let step = history.current_step();
    let name = step.map(|step| step.name.to_string()).unwrap_or_default();
    let reason = step
        .and_then(|step| step.reason.as_ref())
        .map(|reason| format!(": {reason}"))
        .unwrap_or_default();
    let of = history.steps.len();
    let number = step
        .and_then(|step| {
            history
                .steps
                .iter()
                .position(|other| other.name == step.name)
        })
        .map_or(0, |index| index + 1);
    let at = format!("step {number} of {of}, `{name}`");
    match history.status {
        RunStatus::Done => format!("done {:.0}", history.last_at),
        RunStatus::RolledBack => format!("rolled back {:.0}", history.last_at),
        RunStatus::Abandoned => format!("abandoned {:.0}", history.last_at),
        _ if run.is_carried_on => format!("running, at {at}"),
        RunStatus::RollingBack if history.is_stuck() => format!("STUCK undoing {at}{reason}"),
        RunStatus::RollingBack if rotation::waits_for_restart(history) => {
            format!("waits for people while undoing {at}")
        }
        RunStatus::RollingBack => format!("stopped while undoing {at}"),
        RunStatus::Forward => match step.map(|step| (step.status, step.until)) {
            Some((StepStatus::Failed, _)) => format!("failed at {at}{reason}"),
            Some((StepStatus::Waiting, Some(until))) => format!("waits until {until:.0} at {at}"),
            Some((StepStatus::Waiting, None)) if rotation::waits_for_value(history) => {
                format!("waits for the new value at {at}")
            }
            Some((StepStatus::Waiting, None)) => format!("waits for people at {at}"),
            _ => format!("stopped at {at}"),
        },
    }
}

/// The commands with which it goes on.
pub(super) fn next_commands(run: &RunSummary, history: &History, place: &Placed) -> Vec<String> {
    let name = &run.name;
    let next = |command: String| place.complete(&command, run, history);
    if run.is_carried_on || !history.is_unfinished() {
        return Vec::new();
    }
    if rotation::waits_for_restart(history) {
        return vec![next(format!("cargo xtask resume {name} --done"))];
    }
    if history.status == RunStatus::RollingBack {
        return vec![next(format!("cargo xtask rollback {name}"))];
    }
    // A value that isn't there yet can't be said to be done: it has to be given.
    let waits_for_people = !rotation::waits_for_value(history)
        && history
            .current_step()
            .is_some_and(|step| step.status == StepStatus::Waiting && step.until.is_none());
    let done = if waits_for_people { " --done" } else { "" };
    vec![
        next(format!("cargo xtask resume {name}{done}")),
        next(format!("cargo xtask rollback {name}")),
    ]
}
