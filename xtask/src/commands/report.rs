//! `cargo xtask report`: the evidence of a run, printed again.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use platform::local::write_whole_file;
use rotation::Evidence;
use runbook::{History, RunSummary};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{fail, surroundings};
use crate::cli::{self, EvidenceForm};
use crate::evidence::{json_line, render};
use crate::exit_code;
use crate::failure::{Failure, chain};
use crate::input::shown_run;
use crate::output::Printer;
use crate::settings;

/// Runs the command and gives its exit code.
pub(super) fn run(typed: &cli::Report) -> u8 {
    let printer = Printer::default();
    match find(typed, &printer).and_then(|evidence| tell(typed, &evidence, &printer)) {
        Ok(()) => exit_code::DONE,
        Err(failure) => {
            let failure = failure.at(&typed.place);
            if typed.format == EvidenceForm::Json && typed.output.is_none() {
                printer.json(&json!({"error": failure.json()}).to_string());
            }
            fail(&failure, &printer)
        }
    }
}

fn find(typed: &cli::Report, printer: &Printer) -> Result<Evidence, Failure> {
    let interrupt = CancellationToken::new();
    let settings = settings::procedure(&typed.place, &surroundings(false, *printer, &interrupt))?;
    let runs = settings.runs();
    let found = runs.list().map_err(|error| Failure::from_runs(&error))?;
    let history = match &typed.run {
        Some(name) => named(found, name),
        None => newest(found, printer),
    };
    let history = history.unwrap_or_else(|message| {
        let folder = runs.folder().display();
        Err(Failure::check(format!("{message}, in `{folder}`"))
            .nothing_changed()
            .hint("`cargo xtask status` lists the runs"))
    })?;
    Ok(Evidence::of(&history, settings.rotate_every))
}

/// A run, or why its journal can't be read; what to say where there is none.
type Found = Result<Result<History, Failure>, String>;

fn named(runs: Vec<RunSummary>, name: &str) -> Found {
    let mut runs = runs.into_iter();
    let run = runs.find(|run| run.name == name);
    let run = run.ok_or_else(|| format!("there is no run {}", shown_run(name)))?;
    Ok(run.history.map_err(|error| Failure::from_journal(&error)))
}

/// The newest whose journal can be read; others are told of, for one may be newer.
fn newest(runs: Vec<RunSummary>, printer: &Printer) -> Found {
    let mut damaged = None;
    let mut newest = None;
    for run in runs {
        match run.history {
            Ok(history) => newest = newest.or(Some(history)),
            Err(error) => damaged = damaged.or(Some(error)),
        }
    }
    match (newest, damaged) {
        (Some(history), Some(error)) => {
            printer.warning(&chain(&error));
            Ok(Ok(history))
        }
        (Some(history), None) => Ok(Ok(history)),
        (None, Some(error)) => Ok(Err(Failure::from_journal(&error))),
        (None, None) => Err("there is no run yet".to_owned()),
    }
}

fn tell(typed: &cli::Report, evidence: &Evidence, printer: &Printer) -> Result<(), Failure> {
    match (&typed.output, typed.format) {
        (Some(path), form) => write(path, &render(evidence, form), printer),
        (None, EvidenceForm::Json) => {
            printer.json(&json_line(evidence));
            Ok(())
        }
        (None, form) => {
            printer.data(render(evidence, form).trim_end());
            Ok(())
        }
    }
}

fn write(path: &Path, text: &str, printer: &Printer) -> Result<(), Failure> {
    let there = path.metadata().ok();
    if there.as_ref().is_some_and(is_standard_output) {
        printer.data(text.trim_end());
        return Ok(());
    }
    let written = if there.is_some_and(|found| !found.is_file() && !found.is_dir()) {
        write_through(path, text)
            .map_err(|error| format!("cannot write `{}`: {error}", path.display()))
    } else {
        // A link stays, and leads to the new file.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        write_whole_file(&path, text.as_bytes()).map_err(|error| chain(&error))
    };
    written.map_err(|message| {
        Failure::check(message)
            .nothing_changed()
            .hint("name another file, or none for standard output")
    })?;
    printer.note(&format!("report: {}", path.display()));
    Ok(())
}

/// Whether it is what standard output goes to, as `/dev/stdout` is: what is there already
/// must stay.
fn is_standard_output(found: &Metadata) -> bool {
    let output = File::from(match io::stdout().as_fd().try_clone_to_owned() {
        Ok(output) => output,
        Err(_) => return false,
    });
    let output = output.metadata();
    output.is_ok_and(|output| (output.dev(), output.ino()) == (found.dev(), found.ino()))
}

/// A device or a pipe is there to be written to: only a file can be replaced by another one.
fn write_through(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.flush()
}
