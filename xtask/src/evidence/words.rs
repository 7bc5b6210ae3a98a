//! Times, durations and counts, as every form of the evidence shows them.

use std::fmt::Write as _;

use jiff::Timestamp;
use rotation::Evidence;
use rotation::evidence::{EvidenceStep, Pass, TokensCounted, Verification};

use crate::output::grouped;

/// `2026-11-28 02:00:03`, in UTC as all times here.
pub(super) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// `2026-11-28 02:00:03.412`, for what lasts no second.
pub(super) fn exactly(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string()
}

/// The same to the second, where it is known.
pub(super) fn moment_or_dash(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "–".to_owned(), moment)
}

/// `2026-11-28`.
pub(super) fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

/// With two units at most: `412 ms`, `8.3 s`, `4 min 5 s`, `2 d 3 h`.
pub(super) fn duration(milliseconds: u64) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    let seconds = milliseconds.saturating_add(500) / 1000;
    match (milliseconds, seconds) {
        (0..1000, _) => format!("{milliseconds} ms"),
        (1000..9950, _) => {
            let tenths = (milliseconds + 50) / 100;
            format!("{}.{} s", tenths / 10, tenths % 10)
        }
        (_, ..MINUTE) => format!("{seconds} s"),
        (_, ..HOUR) => two(seconds / MINUTE, "min", seconds % MINUTE, "s"),
        (_, ..DAY) => two(seconds / HOUR, "h", seconds % HOUR / MINUTE, "min"),
        _ => two(seconds / DAY, "d", seconds % DAY / HOUR, "h"),
    }
}

fn two(large: u64, of_large: &str, small: u64, of_small: &str) -> String {
    match small {
        0 => format!("{large} {of_large}"),
        _ => format!("{large} {of_large} {small} {of_small}"),
    }
}

/// Between two moments, and nothing where a clock was set back.
pub(super) fn between(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.duration_since(from).as_millis()).unwrap_or_default()
}

/// What somebody did with the run.
pub(super) fn deed(deed: &str) -> &'static str {
    match deed {
        "began" => "began it",
        "resumed" => "went on with it",
        "abandoned" => "left it as it is",
        _ => "rolled it back",
    }
}

/// What the headline says of it.
pub(super) fn outage_in_short(evidence: &Evidence) -> String {
    let outages = &evidence.outages;
    if outages.iter().any(|outage| outage.ended_at.is_none()) {
        return "goes on".to_owned();
    }
    if outages.is_empty() {
        return "none".to_owned();
    }
    let is_at_most = outages.iter().any(|outage| outage.is_at_most);
    at_most(is_at_most, evidence.outage_ms)
}

/// How long it was, or may have been.
pub(super) fn at_most(is_at_most: bool, milliseconds: u64) -> String {
    let at_most = if is_at_most { "at most " } else { "" };
    format!("{at_most}{}", duration(milliseconds))
}

/// Which pass it was.
pub(super) fn pass(pass: Pass) -> &'static str {
    match pass {
        Pass::Reencryption => "re-encryption",
        Pass::Verification => "verification",
    }
}

/// What is to be said of a step beside its state.
pub(super) fn remark(step: &EvidenceStep) -> Option<String> {
    let mut remarks = Vec::new();
    remarks.extend(step.reason.as_ref().map(|reason| match step.status {
        "failed" | "stuck" => reason.clone(),
        _ => format!("had failed: {reason}"),
    }));
    remarks.extend(step.until.map(|until| format!("until {}", moment(until))));
    if step.waited_ms > 0 {
        remarks.push(format!("waited {}", duration(step.waited_ms)));
    }
    if step.attempts > 1 {
        remarks.push(format!("begun {} times", step.attempts));
    }
    if step.lost > 0 {
        remarks.push("what it did was gone, and was to be done again".to_owned());
    }
    (!remarks.is_empty()).then(|| remarks.join("; "))
}

/// For how long it was at work.
pub(super) fn took(step: &EvidenceStep) -> String {
    let is_found = step.status == "found" && step.worked_ms == 0;
    match step.began_at {
        Some(_) if !is_found => duration(step.worked_ms),
        _ => "–".to_owned(),
    }
}

/// The tokens of the table, by what was done with them.
pub(super) fn tokens(counted: &TokensCounted) -> String {
    let mut text = format!(
        "{} clients; {} tokens under the old key before",
        grouped(counted.clients),
        grouped(counted.under_the_old_key_before)
    );
    for (count, what) in [
        (counted.reencrypted, "re-encrypted"),
        (counted.swept, "swept, since they were written meanwhile"),
        (counted.verified, "opened with the new key alone"),
    ] {
        if let Some(count) = count {
            // Never fails on a String.
            let _ = write!(text, "; {} {what}", grouped(count));
        }
    }
    text
}

/// Whose word it is that a step was verified.
pub(super) fn passed(verification: &Verification) -> &'static str {
    match verification.by {
        "people" => "by their word",
        _ => "passed",
    }
}

/// With a capital letter.
pub(super) fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_units_at_most() {
        let told = [
            0,
            999,
            1000,
            9949,
            9950,
            59_499,
            59_500,
            245_000,
            3_600_000,
            7_380_000,
            183_600_000,
            u64::MAX,
        ]
        .map(duration);
        assert_eq!(
            told,
            [
                "0 ms",
                "999 ms",
                "1.0 s",
                "9.9 s",
                "10 s",
                "59 s",
                "1 min",
                "4 min 5 s",
                "1 h",
                "2 h 3 min",
                "2 d 3 h",
                "213503982334 d 14 h"
            ]
        );
    }
}
