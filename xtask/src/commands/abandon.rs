//! `cargo xtask abandon`: find the run, say what it has done, leave it as it is.

use rotation::Restarted;
use tokio_util::sync::CancellationToken;

use super::{printer, surroundings};
use crate::cli;
use crate::failure::Failure;
use crate::input::confirm;
use crate::output::Printer;
use crate::procedure::{Asked, Ended, Procedure};

/// Runs the command and gives its exit code.
pub(super) async fn run(typed: &cli::Abandon, interrupt: &CancellationToken) -> u8 {
    let printer = printer(typed.output);
    let ended = abandon(typed, &printer, interrupt).await;
    let ended = ended.unwrap_or_else(Ended::not_begun).at(&typed.place);
    ended.print(typed.output.format, &printer)
}

async fn abandon(
    typed: &cli::Abandon,
    printer: &Printer,
    interrupt: &CancellationToken,
) -> Result<Ended, Failure> {
    let surroundings = surroundings(false, *printer, interrupt);
    let asked = Asked {
        place: &typed.place,
        run: typed.run.as_deref(),
        verb: "abandon",
    };
    let (mut procedure, found) = Procedure::of_run(asked, &typed.timeouts, &surroundings).await?;
    let state = rotation::state(&found.history);
    printer.note(&format!("{}: {state}", found.name));
    for duty in rotation::duties(&found.history) {
        printer.note(&format!("  left to you: {duty}"));
    }
    printer.note(
        "If the services work with what they have, this run ends here: it can't be gone on with, nor \
         undone.",
    );
    let ask_on = surroundings.terminal.filter(|_| !typed.yes);
    let confirmed = confirm("Leave it as it is?", ask_on.as_ref(), interrupt)?;
    let restarted = match typed.done {
        true => Restarted::ByPeople,
        false => Restarted::Unknown,
    };
    Ok(procedure.abandon(&found.name, restarted, confirmed).await)
}
