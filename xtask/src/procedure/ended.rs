//! How a rotation on a platform ended, for people and for scripts.

use std::time::Duration;

use rotation::{Evidence, Trial};
use runbook::{Fact, Foreseen, History, Run, StepHistory, StepStatus};
use serde_json::{Map, Value, json};

use super::planned;
use crate::cli::{Format, Place};
use crate::evidence::{self, Left};
use crate::exit_code;
use crate::failure::{Failure, chain};
use crate::output::{Printer, grouped};

/// How a rotation on a platform ended.
pub(crate) struct Ended {
    /// What its journal tells, where it has one.
    history: Option<History>,
    /// The files with the report, where they could be written.
    report: Option<Left>,
    /// What a dry run would have done.
    foreseen: Vec<Foreseen>,
    result: Result<Outcome, Failure>,
    /// What was typed of the place, to be typed again.
    typed: Place,
}

/// How it ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The run is at its end.
    Done,
    /// The run is undone.
    RolledBack,
    /// The run is left where it stood, for good.
    Abandoned,
    /// Everything would work.
    Trial(Trial),
}

impl Ended {
    /// Of a run. Its report is written beside its journal.
    pub(super) fn of_run(
        run: &Run,
        rotate_every: Duration,
        result: Result<Outcome, Failure>,
        printer: &Printer,
    ) -> Ended {
        let evidence = Evidence::of(run.history(), rotate_every);
        let left = evidence::leave(run.folder(), &evidence);
        if let Err(error) = &left {
            printer.warning(&format!("the run has no report: {}", chain(error)));
        }
        Ended {
            history: Some(run.history().clone()),
            report: left.ok(),
            foreseen: Vec::new(),
            result,
            typed: Place::default(),
        }
    }

    /// Of a trial.
    pub(super) fn of_trial(
        tried: Result<Trial, rotation::Error>,
        foreseen: Vec<Foreseen>,
    ) -> Ended {
        Ended {
            history: None,
            report: None,
            foreseen,
            result: tried
                .map(Outcome::Trial)
                .map_err(|error| Failure::from_check(&error)),
            typed: Place::default(),
        }
    }

    /// Where no run was carried on.
    pub(crate) fn not_begun(failure: Failure) -> Ended {
        Ended {
            history: None,
            report: None,
            foreseen: Vec::new(),
            result: Err(failure),
            typed: Place::default(),
        }
    }

    /// With the flags that were typed in the commands of its advice.
    pub(crate) fn at(self, place: &Place) -> Ended {
        Ended {
            result: self.result.map_err(|failure| failure.at(place)),
            typed: place.clone(),
            ..self
        }
    }

    /// Prints it, and gives the exit code.
    pub(crate) fn print(&self, format: Format, printer: &Printer) -> u8 {
        match format {
            Format::Human => self.print_words(printer),
            Format::Json => printer.json(&self.json().to_string()),
        }
        match &self.result {
            Ok(_) => exit_code::DONE,
            Err(failure) => {
                printer.failure(failure);
                failure.exit_code
            }
        }
    }

    fn print_words(&self, printer: &Printer) {
        for line in planned::lines(&self.foreseen) {
            printer.data(&line);
        }
        match (&self.result, &self.history) {
            (Ok(Outcome::Trial(Trial::Tokens(tokens))), _) => printer.data(&format!(
                "Everything would work: {} tokens would be re-encrypted. Nothing was changed.",
                grouped(*tokens)
            )),
            (Ok(Outcome::Trial(Trial::Sound)), _) => printer
                .data("Everything that was looked at is as it has to be. Nothing was changed."),
            (Ok(Outcome::Trial(Trial::RefusedInUse)), _) => printer.data(
                "The issuer refuses the value in use: the services can't log in with it. All else that \
                 was looked at is as it has to be: a rotation would begin. Nothing was changed.",
            ),
            (Ok(outcome), Some(history)) => {
                printer.data(&self.typed.complete(&sentence(*outcome, history)));
            }
            _ => {}
        }
        if let Some(report) = &self.report {
            let path = report.markdown.display();
            printer.note(&format!(
                "report: {path}, and beside it report.json and report.html"
            ));
        }
    }

    fn json(&self) -> Value {
        let outcome = match &self.result {
            Ok(Outcome::Done) => "done",
            Ok(Outcome::RolledBack) => "rolled_back",
            Ok(Outcome::Abandoned) => "abandoned",
            Ok(Outcome::Trial(_)) => "dry_run",
            Err(failure) => match failure.exit_code {
                exit_code::STOPPED => "stopped",
                exit_code::UNDONE => "failed_and_undone",
                exit_code::STUCK => "stuck",
                _ => "failed",
            },
        };
        let error = self.result.as_ref().err().map(Failure::json);
        let history = self.history.as_ref();
        json!({
            "outcome": outcome,
            "run": history.map(|history| history.run.as_str()),
            "rotation": history.map(|history| history.rotation.as_str()),
            "platform": history.map(|history| history.platform.as_str()),
            "steps": history.map(|history| history.steps.iter().map(step).collect::<Vec<_>>()),
            "facts": history.map(facts),
            "report": self.report.as_ref().map(|report| &report.markdown),
            "reports": self.report.as_ref().map(|report| json!({
                "markdown": report.markdown,
                "json": report.json,
                "html": report.html,
            })),
            "planned": planned::json(&self.foreseen),
            "error": error,
        })
    }
}

fn sentence(outcome: Outcome, history: &History) -> String {
    let count = |name| grouped(history.facts.count(name).unwrap_or_default());
    match outcome {
        Outcome::RolledBack if rotation::needs_restart_by_hand(history) => format!(
            "Rolled back {}: everything is as it was, once you have restarted the service. It may \
             still run with the new value.",
            history.run
        ),
        Outcome::RolledBack => format!("Rolled back {}: everything is as it was.", history.run),
        Outcome::Abandoned => abandoned(history),
        _ if history.rotation.as_str() != rotation::DCR_ENCRYPTION_KEY.name => format!(
            "Rotated {}: {}. The run is {}.",
            history.rotation,
            rotation::result(history),
            history.run
        ),
        _ => format!(
            "Rotated {}: {} tokens re-encrypted, {} swept, {} verified. The run is {}.",
            history.rotation,
            count("tokens re-encrypted"),
            count("tokens swept"),
            count("tokens verified"),
            history.run
        ),
    }
}

fn abandoned(history: &History) -> String {
    let left = rotation::duties(history);
    let left = match left.as_slice() {
        [] => String::new(),
        left => format!(" It leaves to you: {}.", left.join("; ")),
    };
    format!(
        "Abandoned {}: the services go on with what they have, and the next rotation begins with that. \
         By its journal, {}.{left}",
        history.run,
        rotation::state(history)
    )
}

fn step(step: &StepHistory) -> Value {
    let status = match step.status {
        StepStatus::Pending => "pending",
        StepStatus::Begun => "begun",
        StepStatus::Waiting => "waiting",
        StepStatus::Failed => "failed",
        StepStatus::Done => "done",
        StepStatus::Undoing => "undoing",
        StepStatus::Undone => "undone",
        StepStatus::Stuck => "stuck",
    };
    json!({
        "name": step.name.as_str(),
        "status": status,
        "began_at": step.began_at,
        "ended_at": step.last_at,
    })
}

fn facts(history: &History) -> Map<String, Value> {
    let value = |fact: &Fact| match fact {
        Fact::Version(number) | Fact::Count(number) => json!(number),
        other => json!(other.to_string()),
    };
    history
        .facts
        .iter()
        .map(|(name, fact)| (name.replace([' ', '-'], "_").replace(',', ""), value(fact)))
        .collect()
}
