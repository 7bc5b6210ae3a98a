//! `cargo xtask disable-version` and `enable-version`: one version of a secret, by hand.

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

/// What is to become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To {
    Disabled,
    Enabled,
}

/// Runs the command and gives its exit code.
pub(super) async fn run(typed: &cli::OneVersion, to: To, interrupt: &CancellationToken) -> u8 {
    let printer = Printer::default();
    match change(typed, to, &printer, interrupt).await {
        Ok(said) => {
            printer.data(&said);
            exit_code::DONE
        }
        Err(failure) => fail(&failure, &printer),
    }
}

async fn change(
    typed: &cli::OneVersion,
    to: To,
    printer: &Printer,
    interrupt: &CancellationToken,
) -> Result<String, Failure> {
    let surroundings = surroundings(false, *printer, interrupt);
    let settings = settings::procedure(&typed.place, &surroundings)?;
    let (secret, options) = (typed.secret, Options::default());
    let procedure = Procedure::new(settings, secret, options, &typed.timeouts, &surroundings);
    let mut procedure = procedure.await?;
    let version = VersionNumber::from(typed.number);
    if to == To::Disabled {
        procedure.refuse_version_of_run(version)?;
    }
    let (question, state) = match to {
        To::Disabled => ("Disable it?", "disabled"),
        To::Enabled => ("Enable it?", "enabled"),
    };
    printer.note(&format!(
        "Version {version} of `{}`, in `{}`, is to be {state}.",
        procedure.store_name(),
        procedure.place_of_store()
    ));
    let ask_on = surroundings.terminal.as_ref().filter(|_| !typed.yes);
    let confirmed = confirm(question, ask_on, interrupt)?;
    let changed = match to {
        To::Disabled => procedure.disable_version(version, confirmed).await?,
        To::Enabled => procedure.enable_version(version, confirmed).await?,
    };
    let already = if changed { "" } else { " already" };
    Ok(format!("Version {version} is {state}{already}."))
}
