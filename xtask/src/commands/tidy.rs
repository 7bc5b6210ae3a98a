//! `cargo xtask tidy`: names every rule of the repository that is broken.

use super::fail;
use crate::cli;
use crate::exit_code;
use crate::failure::Failure;
use crate::output::Printer;
use crate::{tidy, workspace};

/// Runs the command and gives its exit code.
pub(super) fn run(typed: &cli::Tidy) -> u8 {
    let printer = Printer::default();
    match check(typed, &printer) {
        Ok(violations) if violations.is_empty() => {
            printer.data("The repository keeps its rules.");
            exit_code::DONE
        }
        Ok(violations) => {
            for violation in violations {
                printer.line(&format!("error: {violation}"));
            }
            exit_code::CHECK_FAILED
        }
        Err(error) => fail(&Failure::from_anyhow(&error), &printer),
    }
}

fn check(typed: &cli::Tidy, printer: &Printer) -> anyhow::Result<Vec<String>> {
    let root = workspace::root()?;
    if typed.fix {
        for path in tidy::write_documents(&root)? {
            printer.note(&format!("wrote {path}"));
        }
    }
    tidy::violations(&root)
}
