//! The findings, for people and for scripts.

use platform::{Finding, Level};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::output::Printer;
use crate::settings::PlatformName;

/// A list by topic, and the sum.
pub(super) fn human(findings: &[Finding], printer: &Printer) {
    let mut topic = "";
    for finding in findings {
        if finding.topic != topic {
            topic = finding.topic;
            printer.data(&format!("{topic}:"));
        }
        printer.data(&format!("  {:<9}{}", mark(finding.level), finding.text));
        if !finding.stops.is_empty() {
            printer.data(&format!("           stops: {}", finding.stops.join(", ")));
        }
        for command in &finding.mend {
            printer.data(&format!("           mend: {command}"));
        }
    }
    printer.data(&format!("\n{}", sum(findings)));
}

fn mark(level: Level) -> &'static str {
    match level {
        Level::Fine => "ok",
        Level::Warning => "warning",
        Level::Fault => "FAULT",
    }
}

fn sum(findings: &[Finding]) -> String {
    let (faults, warnings) = (
        count(findings, Level::Fault),
        count(findings, Level::Warning),
    );
    let counted = format!(
        "{}, {}",
        number(faults, "fault"),
        number(warnings, "warning")
    );
    match stopped(findings).as_slice() {
        [] if faults == 0 => format!("{counted}: no rotation would fail"),
        [] => counted,
        names => format!(
            "{counted}; these rotations would fail: {}",
            names.join(", ")
        ),
    }
}

fn number(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

fn count(findings: &[Finding], level: Level) -> usize {
    findings.iter().filter(|one| one.level == level).count()
}

/// The rotations that would fail, each once.
fn stopped(findings: &[Finding]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for name in findings.iter().flat_map(|one| &one.stops) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names
}

/// One object.
pub(super) fn json(platform: PlatformName, findings: &[Finding]) -> Value {
    let level = |level| match level {
        Level::Fine => "fine",
        Level::Warning => "warning",
        Level::Fault => "fault",
    };
    let finding = |finding: &Finding| {
        json!({
            "topic": finding.topic,
            "level": level(finding.level),
            "text": finding.text,
            "stops": finding.stops,
            "mend": finding.mend,
        })
    };
    json!({
        "platform": platform.to_string(),
        "findings": findings.iter().map(finding).collect::<Vec<_>>(),
        "faults": count(findings, Level::Fault),
        "warnings": count(findings, Level::Warning),
        "stopped_rotations": stopped(findings),
        "error": null,
    })
}

/// Where nothing could be looked at.
pub(super) fn json_of_failure(failure: &Failure) -> Value {
    json!({
        "platform": null,
        "findings": null,
        "faults": null,
        "warnings": null,
        "stopped_rotations": null,
        "error": failure.json(),
    })
}
