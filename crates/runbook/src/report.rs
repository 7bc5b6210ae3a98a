//! What a run leaves for the ticket: who did what and when, in Markdown.

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::history::{History, StepHistory};
use crate::status::{RunStatus, StepStatus};

/// The report of a run, however far it came. It holds what the journal holds, and
/// so no secret.
pub fn report(history: &History) -> String {
    let mut text = format!("# {}\n\n", history.run);
    for (title, value) in [
        ("Secret", history.rotation.to_string()),
        ("Platform", history.platform.to_string()),
        ("Begun by", history.operator.to_string()),
        ("Carried on by", history.last_operator.to_string()),
        ("Begun", time(history.began_at)),
        ("Last record", time(history.last_at)),
        ("State", state(history).to_owned()),
    ] {
        // Never fails on a String, here and below.
        let _ = writeln!(text, "- {title}: {value}");
    }
    text.push_str("\n| step | state | begun | last | why |\n| --- | --- | --- | --- | --- |\n");
    for step in &history.steps {
        let [begun, last] =
            [step.began_at, step.last_at].map(|at| at.map(time).unwrap_or_default());
        let _ = writeln!(
            text,
            "| {} | {} | {begun} | {last} | {} |",
            step.name,
            word(step),
            why(step)
        );
    }
    if history.facts.iter().next().is_none() {
        return text;
    }
    text.push_str("\n| fact | value |\n| --- | --- |\n");
    for (name, fact) in history.facts.iter() {
        let _ = writeln!(text, "| {name} | {fact} |");
    }
    text
}

fn state(history: &History) -> &'static str {
    match history.status {
        RunStatus::Forward => "not finished",
        RunStatus::Done => "done",
        RunStatus::RollingBack if history.is_stuck() => "stuck: an undo failed",
        RunStatus::RollingBack => "being rolled back",
        RunStatus::RolledBack => "rolled back",
    }
}

fn word(step: &StepHistory) -> &'static str {
    match step.status {
        StepStatus::Pending => "not begun",
        StepStatus::Begun => "begun",
        StepStatus::Waiting => "waits",
        StepStatus::Failed => "failed",
        StepStatus::Done if step.found => "was so already",
        StepStatus::Done => "done",
        StepStatus::Undoing => "being undone",
        StepStatus::Undone => "undone",
        StepStatus::Stuck => "undo failed",
    }
}

/// Why it failed, or until when it waits.
fn why(step: &StepHistory) -> String {
    match (&step.reason, step.until) {
        (Some(reason), _) => reason.to_string(),
        (None, Some(until)) => format!("until {}", time(until)),
        (None, None) => String::new(),
    }
}

fn time(at: Timestamp) -> String {
    format!("{at:.0}")
}
