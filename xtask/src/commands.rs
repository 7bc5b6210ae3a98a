//! The commands, one file each.

mod completions;
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

use std::io::{self, IsTerminal};

use reencrypt::Database;
use secret::DatabaseTarget;
use tokio_util::sync::CancellationToken;

use crate::cli::{Command, Format, Output, StandInService};
use crate::exit_code;
use crate::failure::{Failure, chain};
use crate::input::Terminal;
use crate::interrupt;
use crate::output::{Printer, Progress};
use crate::settings::{self, Surroundings};

/// Runs a command and gives its exit code.
pub(crate) fn run(command: Command) -> u8 {
    match command {
        Command::RotateDcr(typed) => {
            block_on(async |interrupt| rotate_dcr::run(&typed, interrupt).await)
        }
        Command::RotateSecret(typed) => {
            block_on(async |interrupt| rotate_secret::run(&typed, interrupt).await)
        }
        Command::SurveyDcr(typed) => {
            block_on(async |interrupt| survey_dcr::run(&typed, interrupt).await)
        }
        Command::Doctor(typed) => block_on(async |interrupt| doctor::run(&typed, interrupt).await),
        Command::Status(typed) => block_on(async |interrupt| status::run(&typed, interrupt).await),
        Command::Resume(typed) => block_on(async |interrupt| resume::run(&typed, interrupt).await),
        Command::Rollback(typed) => {
            block_on(async |interrupt| rollback::run(&typed, interrupt).await)
        }
        Command::Report(typed) => report::run(&typed),
        Command::Runbook(typed) => runbook::run(&typed),
        Command::Demo(typed) => block_on(async |interrupt| demo::run(&typed, interrupt).await),
        Command::Completions(typed) => completions::run(&typed),
        Command::Man(typed) => man::run(&typed),
        Command::StandInService(typed) => stand_in(&typed),
        Command::Tidy(typed) => tidy::run(&typed),
        Command::Soak(typed) => soak::run(&typed),
    }
}

fn stand_in(typed: &StandInService) -> u8 {
    let ended = if typed.serve {
        demo::service::serve(&typed.folder)
    } else {
        demo::service::restart(&typed.folder)
    };
    match ended {
        Ok(()) => exit_code::DONE,
        Err(error) => {
            let failure = Failure::check(format!("{error:#}"));
            Printer::default().failure(&failure);
            failure.exit_code
        }
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
    // Whatever a driver still does in the background, nobody waits for.
    runtime.shutdown_background();
    exit_code
}

fn not_begun(error: &io::Error) -> u8 {
    let failure = Failure::check(format!("the program can't be set up: {}", chain(error)));
    Printer::default().failure(&failure.clone().nothing_changed());
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

/// Connects, and with `--verbose` tells how.
async fn connect(
    settings: &settings::Database,
    progress: &mut Progress,
    interrupt: &CancellationToken,
) -> Result<Database, Failure> {
    progress.above(|printer| tell_details(settings, printer));
    progress.begin(format!("connecting to {}", settings.url));
    let connect = Database::connect(&settings.url, settings.tls, settings.timeouts);
    let connected = interrupt.run_until_cancelled(connect).await;
    progress.end();
    connected
        .unwrap_or(Err(reencrypt::Error::Interrupted))
        .map_err(|error| Failure::before_changing(&error))
}

fn tell_details(settings: &settings::Database, printer: &Printer) {
    let lock = humantime::format_duration(settings.timeouts.lock);
    let ignored = match settings.url.target() {
        DatabaseTarget::Sqlite(target) => {
            printer.detail(&format!(
                "SQLite file `{}`, lock timeout {lock}",
                target.path.display()
            ));
            &target.ignored_parameters
        }
        DatabaseTarget::Postgres(target) => {
            let statement = humantime::format_duration(settings.timeouts.statement);
            printer.detail(&format!(
                "Postgres database `{}` as `{}`, lock timeout {lock}, statement timeout {statement}",
                target.database, target.user
            ));
            let mode = target.ssl_mode.map_or_else(
                || "no sslmode".to_owned(),
                |mode| format!("sslmode {mode:?}"),
            );
            let demanded = match settings.tls {
                reencrypt::Tls::Required => "demands TLS over TCP",
                reencrypt::Tls::AsUrlSays => "leaves TLS to the URL",
            };
            printer.detail(&format!(
                "the URL has {mode}, DATABASE_REQUIRE_SSL {demanded}"
            ));
            &target.ignored_parameters
        }
    };
    for parameter in ignored {
        printer.detail(&format!(
            "the URL's parameter `{parameter}` is for other drivers, and ignored"
        ));
    }
}
