//! Reports for people.

use std::time::Duration;

use reencrypt::{Counts, Outcome, PerColumn, SurveyCounts};
use secret::Fingerprint;

use super::table::table;
use super::{Rotation, Subject, Survey, plan, stored};
use crate::output::{Printer, grouped, plain};

pub(super) fn print_rotation(rotation: &Rotation, printer: &Printer) {
    rotation.unreadable.print_rest(printer);
    if let Ok(outcome) = &rotation.result {
        printer.data(&headline(*outcome, rotation));
    }
    if let Some(columns) = &rotation.columns {
        let written = if matches!(rotation.result, Ok(Outcome::Rotated)) {
            "= re-encrypted"
        } else {
            "= to re-encrypt"
        };
        printer.data(&rotation_table(written, columns));
    }
    if let Ok(outcome) = &rotation.result {
        for line in rotation_advice(*outcome, rotation) {
            printer.data(&line);
        }
    }
}

pub(super) fn print_survey(report: &Survey, printer: &Printer) {
    let Ok(survey) = &report.result else {
        return;
    };
    printer.data(&format!(
        "Surveyed {} in {}.",
        counted(survey.clients, "client"),
        seconds(survey.duration)
    ));
    printer.data(&survey_table(&report.subject, survey));
    let verdict = match report.subject.stored.is_empty() {
        true => vec![verdict(&report.subject, survey)],
        false => stored::verdict(&report.subject, survey),
    };
    for line in verdict {
        printer.data(&line);
    }
    for column in &survey.unknown_columns {
        printer.warning(&format!(
            "`{}` holds encrypted values, too; this tool neither counts nor re-encrypts them",
            plain(&column.to_string())
        ));
    }
    plan::warn_of_unsearched(&survey.unsearched_tables, printer);
}

fn headline(outcome: Outcome, rotation: &Rotation) -> String {
    let clients = rotation.clients.unwrap_or_default();
    let took = seconds(rotation.duration);
    match outcome {
        _ if clients == 0 => "dcr_clients is empty: there is nothing to re-encrypt; nothing was written.".to_owned(),
        Outcome::Rotated => format!(
            "Re-encrypted {} of {} in {took}; every cell was verified.",
            counted(written(rotation), "token"),
            counted(clients, "client")
        ),
        Outcome::DryRun if written(rotation) > 0 => format!(
            "Dry run: {} of {} were re-encrypted and verified in {took}, then all of it was \
             rolled back; nothing was written.",
            counted(written(rotation), "token"),
            counted(clients, "client")
        ),
        Outcome::NothingToDo | Outcome::DryRun if tokens(rotation) == 0 => {
            "No cell holds a token: there is nothing to re-encrypt; nothing was written.".to_owned()
        }
        Outcome::NothingToDo | Outcome::DryRun => {
            "Every token is already under the new key: there is nothing to re-encrypt; nothing was written."
                .to_owned()
        }
    }
}

fn rotation_advice(outcome: Outcome, rotation: &Rotation) -> Vec<String> {
    let mut lines = keys(&rotation.subject);
    match outcome {
        Outcome::Rotated => lines.push(
            "next: give the service the new key, then run this again with the same keys, for what was \
             written under the old key meanwhile."
                .to_owned(),
        ),
        Outcome::DryRun if written(rotation) > 0 => {
            lines.push("next: the same command without `--dry-run` does it.".to_owned());
        }
        _ if tokens(rotation) > 0 => lines.push(
            "If you expected tokens under the old key, the two keys may be swapped: check the fingerprints."
                .to_owned(),
        ),
        _ => {}
    }
    lines
}

fn rotation_table(written: &str, columns: &PerColumn<Counts>) -> String {
    let row = |name: &str, count: fn(&Counts) -> u64| {
        (
            name.to_owned(),
            columns.iter().map(|(_, counts)| count(counts)).collect(),
        )
    };
    table(&[
        row("scanned", |counts| counts.scanned),
        row(written, |counts| counts.reencrypted),
        row("+ already current", |counts| counts.already_current),
        row("+ empty", |counts| counts.empty),
        row("+ unreadable", |counts| counts.unreadable),
    ])
}

fn survey_table(subject: &Subject, survey: &reencrypt::Survey) -> String {
    let row = |name: String, count: &dyn Fn(&SurveyCounts) -> u64| {
        (
            name,
            survey
                .columns
                .iter()
                .map(|(_, counts)| count(counts))
                .collect::<Vec<u64>>(),
        )
    };
    let mut rows = vec![row("scanned".to_owned(), &|counts| counts.scanned)];
    for (index, key) in survey.keys.iter().enumerate() {
        let sign = if index == 0 { "=" } else { "+" };
        let name = match stored::name(subject, *key) {
            Some(name) => format!("{sign} under {name}"),
            None => format!("{sign} under {} key {key}", role(subject, *key)),
        };
        rows.push(row(name, &|counts| {
            counts.under.get(index).copied().unwrap_or_default()
        }));
    }
    rows.push(row("+ empty".to_owned(), &|counts| counts.empty));
    rows.push(row("+ unreadable".to_owned(), &|counts| counts.unreadable));
    table(&rows)
}

/// What the counts mean, in a sentence.
fn verdict(subject: &Subject, survey: &reencrypt::Survey) -> String {
    let total = |count: &dyn Fn(&SurveyCounts) -> u64| -> u64 {
        survey.columns.iter().map(|(_, counts)| count(counts)).sum()
    };
    let unreadable = total(&|counts| counts.unreadable);
    let under = |wanted: &str| -> u64 {
        let keys = survey
            .keys
            .iter()
            .enumerate()
            .filter(|(_, key)| role(subject, **key) == wanted);
        keys.map(|(index, _)| total(&|counts| counts.under.get(index).copied().unwrap_or(0)))
            .sum()
    };
    let (old, new) = (under("old"), under("new"));
    match (old, new, unreadable) {
        _ if survey.clients == 0 => "dcr_clients is empty.".to_owned(),
        (0, 0, 0) => "No cell holds a token.".to_owned(),
        (0, 0, _) => "No token opens: are these the keys of this database?".to_owned(),
        (_, _, 1..) => format!(
            "{} can't be read with these keys; see the list above.",
            counted(unreadable, "cell")
        ),
        (0, _, _) => {
            "Every token is under the new key. After a rotation, that is complete; before one, \
                      the two keys may be swapped: check the fingerprints."
                .to_owned()
        }
        (_, 0, _) if subject.new_key.is_none() => {
            "Every token opens with the given keys.".to_owned()
        }
        (_, 0, _) => "Every token is under an old key.".to_owned(),
        _ => subject.typed.complete(&format!(
            "The keys are mixed: {} under an old key, {} under the new one; `cargo xtask rotate-dcr` with \
             the same keys mends that.",
            counted(old, "token"),
            counted(new, "token")
        )),
    }
}

fn keys(subject: &Subject) -> Vec<String> {
    let old = subject.old_keys.iter().map(|key| format!("old key {key}"));
    let new = subject.new_key.iter().map(|key| format!("new key {key}"));
    old.chain(new).collect()
}

fn role(subject: &Subject, key: Fingerprint) -> &'static str {
    if subject.new_key == Some(key) {
        "new"
    } else {
        "old"
    }
}

fn written(rotation: &Rotation) -> u64 {
    sum(rotation, |counts| counts.reencrypted)
}

fn tokens(rotation: &Rotation) -> u64 {
    sum(rotation, |counts| counts.scanned - counts.empty)
}

fn sum(rotation: &Rotation, count: fn(&Counts) -> u64) -> u64 {
    rotation
        .columns
        .iter()
        .flat_map(PerColumn::iter)
        .map(|(_, counts)| count(counts))
        .sum()
}

/// `1 token`, `2,000 tokens`.
pub(super) fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(count))
}

fn seconds(duration: Duration) -> String {
    format!("{:.2} s", duration.as_secs_f64())
}
