//! `cargo xtask resume`: find the run, say where it stands, go on.

use runbook::{History, RunStatus, StepStatus};
use tokio_util::sync::CancellationToken;

use super::{printer, surroundings};
use crate::cli;
use crate::failure::Failure;
use crate::input::{candidate, confirm, is_standard_input};
use crate::output::Printer;
use crate::procedure::{Asked, Ended, Procedure};

/// Runs the command and gives its exit code.
pub(super) async fn run(typed: &cli::Resume, interrupt: &CancellationToken) -> u8 {
    let printer = printer(typed.output);
    let ended = resume(typed, &printer, interrupt).await;
    let ended = ended.unwrap_or_else(Ended::not_begun).at(&typed.place);
    ended.print(typed.output.format, &printer)
}

async fn resume(
    typed: &cli::Resume,
    printer: &Printer,
    interrupt: &CancellationToken,
) -> Result<Ended, Failure> {
    let uses_standard_input = typed.value_file.as_deref().is_some_and(is_standard_input);
    let surroundings = surroundings(uses_standard_input, *printer, interrupt);
    let asked = Asked {
        place: &typed.place,
        run: typed.run.as_deref(),
        verb: "resume",
    };
    let (mut procedure, found) = Procedure::of_run(asked, &typed.timeouts, &surroundings).await?;
    let takes_value = procedure.takes_value() && still_lacks_value(&found.history);
    if typed.value_file.is_some() && !takes_value {
        let name = &found.name;
        return Err(
            Failure::usage(format!("the run `{name}` doesn't wait for a value"))
                .nothing_changed()
                .hint("leave `--value-file` out"),
        );
    }
    printer.note(&where_it_stands(&found.name, &found.history));
    let ask_on = surroundings.terminal.as_ref().filter(|_| !typed.going.yes);
    let confirmed = confirm("Go on with it?", ask_on, interrupt)?;
    if takes_value {
        let file = typed.value_file.as_deref();
        procedure.take(candidate(found.secret.name, file, &surroundings)?);
    }
    Ok(procedure
        .resume(&found.name, typed.done, typed.going, confirmed)
        .await)
}

/// Until the value is stored, every process has to be given it anew.
fn still_lacks_value(history: &History) -> bool {
    history.status == RunStatus::Forward && history.step_status("stage") != StepStatus::Done
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
