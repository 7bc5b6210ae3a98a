//! `cargo xtask resume`: find the run, say where it stands, go on.

use runbook::{History, RunStatus};
use tokio_util::sync::CancellationToken;

use super::{printer, surroundings};
use crate::cli;
use crate::confirm::confirm;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::procedure::{Ended, Procedure};

/// Runs the command and gives its exit code.
pub(super) async fn run(typed: &cli::Resume, interrupt: &CancellationToken) -> u8 {
    let printer = printer(typed.output);
    let ended = resume(typed, &printer, interrupt).await;
    let ended = ended.unwrap_or_else(Ended::not_begun);
    ended.print(typed.output.format, &printer)
}

async fn resume(
    typed: &cli::Resume,
    printer: &Printer,
    interrupt: &CancellationToken,
) -> Result<Ended, Failure> {
    let surroundings = surroundings(&cli::Keys::default(), *printer, interrupt);
    let procedure =
        Procedure::new(&typed.place, &typed.timeouts, typed.output, &surroundings).await?;
    let (name, history) = procedure.find(typed.run.as_deref(), "resume")?;
    printer.note(&where_it_stands(&name, &history));
    let ask_on = surroundings.terminal.filter(|_| !typed.going.yes);
    let confirmed = confirm("Go on with it?", ask_on.as_ref(), interrupt)?;
    Ok(procedure
        .resume(&name, typed.done, typed.going, confirmed)
        .await)
}

fn where_it_stands(name: &str, history: &History) -> String {
    let direction = match history.status {
        RunStatus::RollingBack => "its rollback",
        _ => "it",
    };
    let step = match history.current_step() {
        Some(step) => format!(" at the step `{}`", step.name),
        None => String::new(),
    };
    format!(
        "{name}: {direction} goes on{step}; {}",
        rotation::state(history)
    )
}
