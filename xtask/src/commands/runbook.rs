//! `cargo xtask runbook`: the document, rendered from the steps, and who is told.

use tokio_util::sync::CancellationToken;

use super::{fail, surroundings};
use crate::cli;
use crate::exit_code;
use crate::output::{Printer, plain};
use crate::settings;

/// Runs the command and gives its exit code.
pub(super) fn run(typed: &cli::Runbook) -> u8 {
    let printer = Printer::default();
    let interrupt = CancellationToken::new();
    let settings =
        match settings::procedure(&typed.place, &surroundings(false, printer, &interrupt)) {
            Ok(settings) => settings,
            Err(failure) => return fail(&failure, &printer),
        };
    printer.data(rotation::runbook_document().trim_end());
    printer.data("\n## Contacts of this installation\n");
    for (name, contact) in settings.contacts() {
        printer.data(&format!(
            "- `{name}`: {}",
            plain(contact.unwrap_or("not set"))
        ));
    }
    exit_code::DONE
}
