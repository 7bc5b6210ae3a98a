//! `cargo xtask rollback`: find the run, say what is undone, undo it.

use runbook::{History, Undo};
use tokio_util::sync::CancellationToken;

use super::{printer, surroundings};
use crate::cli;
use crate::failure::Failure;
use crate::input::confirm;
use crate::output::Printer;
use crate::procedure::{Asked, Ended, Procedure};

/// Runs the command and gives its exit code.
pub(super) async fn run(typed: &cli::Rollback, interrupt: &CancellationToken) -> u8 {
    let printer = printer(typed.output);
    let ended = roll_back(typed, &printer, interrupt).await;
    let ended = ended.unwrap_or_else(Ended::not_begun).at(&typed.place);
    ended.print(typed.output.format, &printer)
}

async fn roll_back(
    typed: &cli::Rollback,
    printer: &Printer,
    interrupt: &CancellationToken,
) -> Result<Ended, Failure> {
    let surroundings = surroundings(false, *printer, interrupt);
    let asked = Asked {
        place: &typed.place,
        run: typed.run.as_deref(),
        verb: "roll back",
    };
    let (procedure, found) = Procedure::of_run(asked, &typed.timeouts, &surroundings).await?;
    show(&procedure, &found.name, &found.history, printer);
    let ask_on = surroundings.terminal.filter(|_| !typed.yes);
    let confirmed = confirm("Undo it?", ask_on.as_ref(), interrupt)?;
    Ok(procedure.roll_back(&found.name, confirmed).await)
}

fn show(procedure: &Procedure, name: &str, history: &History, printer: &Printer) {
    printer.note(&format!("{name}: {}", rotation::state(history)));
    printer.note("To be undone, the last step first:");
    let steps: Vec<_> = procedure.plan.abouts().zip(&history.steps).collect();
    for (about, step) in steps.into_iter().rev() {
        if let (true, Undo::By(how) | Undo::ByPeople(how)) = (step.is_to_be_undone(), about.undo) {
            printer.note(&format!("  {}: {how}", about.title));
        }
    }
}
