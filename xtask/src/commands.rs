//! The commands, one file each.

mod abandon;
mod completions;
mod connect;
mod demo;
mod doctor;
mod man;
mod report;
mod resume;
mod rollback;
mod rotate_dcr;
mod rotate_on_platform;
mod rotate_secret;
mod runbook;
mod soak;
mod status;
mod survey_dcr;
mod tidy;
mod versions;

use std::io::{self, IsTerminal};
use std::time::Duration;

use platform::VersionState;
use tokio_util::sync::CancellationToken;

use crate::cli::{Command, Format, Output};
use crate::exit_code;
use crate::failure::{Failure, chain};
use crate::input::Terminal;
use crate::interrupt;
use crate::output::{Printer, is_data_lost};
use crate::settings::Surroundings;

/// Tasks are dropped in microseconds, on a machine that has time for it. Only a thread that is
/// stuck, as in a read from a terminal, takes all of it.
const TO_DROP_WHAT_IS_LEFT: Duration = Duration::from_millis(250);

/// Runs a command and gives its exit code.
pub(crate) fn run(command: Command) -> u8 {
    match command {
        Command::RotateDcr(typed) => {
            block_on(async |interrupt| rotate_dcr::run(&typed, interrupt).await)
        }
        Command::RotateSecret(typed) => {
            block_on(async |interrupt| rotate_secret::run(&typed, interrupt).await)
        }
        Command::SurveyDcr(typed) => printed(block_on(async |interrupt| {
            survey_dcr::run(&typed, interrupt).await
        })),
        Command::Doctor(typed) => printed(block_on(async |interrupt| {
            doctor::run(&typed, interrupt).await
        })),
        Command::Status(typed) => printed(block_on(async |interrupt| {
            status::run(&typed, interrupt).await
        })),
        Command::Resume(typed) => block_on(async |interrupt| resume::run(&typed, interrupt).await),
        Command::Rollback(typed) => {
            block_on(async |interrupt| rollback::run(&typed, interrupt).await)
        }
        Command::Abandon(typed) => {
            block_on(async |interrupt| abandon::run(&typed, interrupt).await)
        }
        Command::DisableVersion(typed) => block_on(async |interrupt| {
            versions::run(&typed.one, VersionState::Disabled, interrupt).await
        }),
        Command::EnableVersion(typed) => block_on(async |interrupt| {
            versions::run(&typed.one, VersionState::Enabled, interrupt).await
        }),
        Command::Report(typed) => printed(report::run(&typed)),
        Command::Runbook(typed) => printed(runbook::run(&typed)),
        Command::Demo(typed) => block_on(async |interrupt| demo::run(&typed, interrupt).await),
        Command::Completions(typed) => printed(completions::run(&typed)),
        Command::Man(typed) => man::run(&typed),
        Command::StandInService(typed) => demo::stand_in(&typed),
        Command::Tidy(typed) => tidy::run(&typed),
        Command::Soak(typed) => soak::run(&typed),
    }
}

/// The exit code of a command that does nothing but print: it is not done when what it
/// printed is lost.
pub(crate) fn printed(exit_code: u8) -> u8 {
    match exit_code {
        exit_code::DONE if is_data_lost() => exit_code::CHECK_FAILED,
        other => other,
    }
}

/// Runs what needs a runtime, with signals heeded.
fn block_on(work: impl AsyncFnOnce(&CancellationToken) -> u8) -> u8 {
    // One worker beside this thread: the heavy work is done in threads for
    // blocking, and each further worker costs wake-ups.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return not_begun(&error),
    };
    let exit_code = runtime.block_on(async {
        match interrupt::listen() {
            Ok(interrupt) => work(&interrupt).await,
            Err(error) => not_begun(&error),
        }
    });
    // What a connection that is over still holds in the background, a login among it, is wiped
    // when that is dropped. Whatever a driver still waits for, nobody waits for.
    runtime.shutdown_timeout(TO_DROP_WHAT_IS_LEFT);
    exit_code
}

fn not_begun(error: &io::Error) -> u8 {
    let failure = Failure::check(format!("the program can't be set up: {}", chain(error)));
    fail(&failure.nothing_changed(), &Printer::default())
}

/// Shows a failure, and gives its exit code.
fn fail(failure: &Failure, printer: &Printer) -> u8 {
    printer.failure(failure);
    failure.exit_code
}

/// A printer for what was asked for: a script that wants JSON, with nobody
/// watching, is told of warnings and failures only.
fn printer(output: Output) -> Printer {
    let quiet = output.format == Format::Json && !io::stderr().is_terminal();
    Printer::new(quiet, output.verbose)
}

/// The environment and the terminal of this process.
fn surroundings<'a>(
    standard_input_is_used: bool,
    printer: Printer,
    interrupt: &'a CancellationToken,
) -> Surroundings<'a> {
    Surroundings {
        environment: &|name| std::env::var_os(name),
        terminal: Terminal::find(standard_input_is_used),
        printer,
        interrupt,
    }
}

/// Waits until what was asked of `gcloud` is ended: by threads, which look every few
/// milliseconds whether anybody still waits. This program must not be gone before them.
async fn let_children_end() {
    tokio::time::sleep(Duration::from_millis(200)).await;
}
