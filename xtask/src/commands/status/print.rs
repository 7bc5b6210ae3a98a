//! The same for people.

use runbook::RunSummary;

use super::bonds::{Bond, Standing};
use super::runs::{next_commands, words};
use super::{LAST_FINISHED, Report};
use crate::failure::chain;
use crate::output::Printer;

/// The runs, the secrets, and what is missing.
pub(super) fn human(report: &Report, printer: &Printer) {
    let Report {
        runs,
        unknown,
        ages,
        place,
        ..
    } = report;
    let is_shown = |run: &&RunSummary| {
        run.history
            .as_ref()
            .map_or(true, |history| history.is_unfinished())
    };
    let unfinished: Vec<&RunSummary> = runs.iter().filter(is_shown).collect();
    printer.data("Runs:");
    // A check that failed leaves a run that did nothing: no news.
    let did_something = |run: &&RunSummary| {
        run.history
            .as_ref()
            .is_ok_and(|history| !rotation::did_nothing(history))
    };
    let finished = runs
        .iter()
        .filter(|run| !is_shown(run))
        .filter(did_something)
        .enumerate()
        .filter(|(index, run)| *index < LAST_FINISHED || report.has_news_of(&run.name))
        .map(|(_, run)| run);
    let shown: Vec<&RunSummary> = unfinished.into_iter().chain(finished).collect();
    if shown.is_empty() {
        printer.data("  none yet");
    }
    for run in shown {
        print_run(run, report, printer);
    }
    for reason in unknown {
        printer.data(&format!(
            "  not known, whether there are others elsewhere: {reason}"
        ));
    }
    if !ages.is_empty() {
        printer.data("\nSecrets:");
    }
    for age in ages {
        printer.data(&format!("  {:<26}{}", age.secret.name, age.words()));
    }
    for contact in &place.missing_contacts {
        printer.data(&format!(
            "\nMissing: the contact `{contact}`, under `[contacts]` in the settings"
        ));
    }
}

fn print_run(run: &RunSummary, report: &Report, printer: &Printer) {
    let history = match &run.history {
        Ok(history) => history,
        Err(error) => {
            printer.data(&format!("  {}  unreadable: {}", run.name, chain(error)));
            printer.data(&format!("      {}", error.hint()));
            return;
        }
    };
    printer.data(&format!("  {}  {}", run.name, words(run, history)));
    if history.is_unfinished() {
        printer.data(&format!("      state: {}", rotation::state(history)));
    }
    for bond in report.bonds_of(&run.name) {
        print_bond(bond, printer);
    }
    for command in next_commands(run, history, &report.place) {
        printer.data(&format!("      next: {command}"));
    }
}

/// What is as it was left is no news.
fn print_bond(bond: &Bond, printer: &Printer) {
    match &bond.standing {
        Standing::AsLeft => {}
        Standing::Deviates(finding) => {
            printer.data(&format!("      CHANGED: {}", finding.text));
            for command in &finding.mend {
                printer.data(&format!("         mend: {command}"));
            }
        }
        Standing::Unknown(reason) => {
            let service = &bond.service;
            printer.data(&format!(
                "      not looked at: what `{service}` reads: {reason}"
            ));
        }
    }
}
