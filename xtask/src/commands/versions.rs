//! `cargo xtask disable-version` and `enable-version`: one version of a secret, by hand.

use platform::VersionState;
use secret::VersionNumber;
use tokio_util::sync::CancellationToken;

use super::{fail, surroundings};
use crate::cli;
use crate::exit_code;
use crate::failure::Failure;
use crate::input::confirm;
use crate::output::Printer;
use crate::procedure::{Options, Procedure};
use crate::settings;

/// Runs the command and gives its exit code.
pub(super) async fn run(
    typed: &cli::OneVersion,
    to: VersionState,
    interrupt: &CancellationToken,
) -> u8 {
    let printer = Printer::default();
    match change(typed, to, &printer, interrupt).await {
        Ok(said) => {
            printer.data(&said);
            exit_code::DONE
        }
        Err(failure) => fail(&failure.at(&typed.place), &printer),
    }
}

async fn change(
    typed: &cli::OneVersion,
    to: VersionState,
    printer: &Printer,
    interrupt: &CancellationToken,
) -> Result<String, Failure> {
    let surroundings = surroundings(false, *printer, interrupt);
    let settings = settings::procedure(&typed.place, &surroundings)?;
    let (secret, options) = (settings.secret_called(&typed.secret)?, Options::default());
    let procedure = Procedure::new(settings, secret, options, &typed.timeouts, &surroundings);
    let mut procedure = procedure.await?;
    let version = VersionNumber::from(typed.number);
    if to == VersionState::Disabled {
        procedure.refuse_version_of_run(version)?;
    }
    let state = procedure.check_version(version, to).await?;
    // What is destroyed can't be read any more either.
    let is_unreadable = state == VersionState::Destroyed && to == VersionState::Disabled;
    if state == to || is_unreadable {
        return Ok(format!("Version {version} is {state} already."));
    }
    printer.note(&format!(
        "Version {version} of `{}`, in `{}`, is to be {to}.",
        procedure.store_name(),
        procedure.place_of_store()
    ));
    let question = match to {
        VersionState::Disabled => {
            printer.note("Revisions that read it and don't serve are made unreachable first.");
            "Disable it?"
        }
        VersionState::Enabled | VersionState::Destroyed => "Enable it?",
    };
    let ask_on = surroundings.terminal.as_ref().filter(|_| !typed.yes);
    let confirmed = confirm(question, ask_on, interrupt)?;
    procedure.change_version(version, to, confirmed).await?;
    Ok(format!("Version {version} is {to}."))
}
