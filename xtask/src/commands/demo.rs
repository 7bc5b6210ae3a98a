//! `cargo xtask demo`: a whole rotation to look at, in a sandbox.

mod sandbox;
mod service;

use std::fs;
use std::path::{Path, PathBuf};

use runbook::Runs;
use tokio_util::sync::CancellationToken;

use self::sandbox::Sandbox;
use super::rotate_on_platform::{self, Wanted};
use super::{fail, status};
use crate::cli::{self, Going, Place, quoted};
use crate::exit_code;
use crate::failure::Failure;
use crate::output::Printer;
use crate::procedure::Options;
use crate::workspace;

const CLIENTS: u64 = 1000;

/// Runs the command and gives its exit code.
pub(super) async fn run(typed: &cli::Demo, interrupt: &CancellationToken) -> u8 {
    let printer = Printer::default();
    let shown = match folder_of(typed) {
        Ok(folder) => show(&folder, &printer, interrupt).await,
        Err(error) => Err(error),
    };
    shown.unwrap_or_else(|error| fail(&Failure::from_anyhow(&error), &printer))
}

/// Restarts the stand-in service or is it, and gives the exit code.
pub(super) fn stand_in(typed: &cli::StandInService) -> u8 {
    let ended = if typed.serve {
        service::serve(&typed.folder)
    } else {
        service::restart(&typed.folder)
    };
    match ended {
        Ok(()) => exit_code::DONE,
        Err(error) => fail(&Failure::from_anyhow(&error), &Printer::default()),
    }
}

/// The same functions that the commands run. Ends with the first that fails.
async fn show(
    folder: &Path,
    printer: &Printer,
    interrupt: &CancellationToken,
) -> anyhow::Result<u8> {
    // A service of an earlier demonstration would keep its files.
    service::stop(&Sandbox::at(folder))?;
    let sandbox = Sandbox::make(folder, CLIENTS).await?;
    service::restart(folder)?;
    printer.data(&format!(
        "Made {CLIENTS} clients, a `.env` and a stand-in service in `{}`.\nThe service runs: it \
         answers known orders and registers new ones.\n\n1. The rotation:",
        folder.display()
    ));
    let place = Place {
        settings: Some(sandbox.path("rotation.toml")),
        ..Place::default()
    };
    let mut exit_code = rotate(&place, interrupt).await;
    if exit_code == exit_code::DONE {
        printer.data("\n2. The status after it:");
        exit_code = status::run(&status_of(&place), interrupt).await;
    }
    service::stop(&sandbox)?;
    if exit_code == exit_code::DONE {
        printer.data("\n3. What the service saw meanwhile:");
        let log = fs::read_to_string(sandbox.path("service.log"))?;
        printer.data(log.trim_end());
        printer.data(&what_next(folder, &place)?);
    }
    Ok(exit_code)
}

async fn rotate(place: &Place, interrupt: &CancellationToken) -> u8 {
    let wanted = Wanted {
        secret: rotation::DCR_ENCRYPTION_KEY,
        options: Options::default(),
        place,
        timeouts: &cli::Timeouts::default(),
        output: cli::Output::default(),
        going: Going {
            yes: true,
            ..Going::default()
        },
        dry_run: false,
        value_file: None,
    };
    rotate_on_platform::run(&wanted, interrupt).await
}

fn status_of(place: &Place) -> cli::Status {
    cli::Status {
        place: place.clone(),
        ..cli::Status::default()
    }
}

fn what_next(folder: &Path, place: &Place) -> anyhow::Result<String> {
    let settings = place.settings.clone().unwrap_or_default();
    let settings = quoted(&settings.display().to_string());
    let runs = Runs::in_folder(folder.join("state")).list()?;
    let run = runs
        .first()
        .map(|run| run.name.as_str())
        .unwrap_or_default();
    let folder = folder.display();
    Ok(format!(
        "\nIt is yours to look at:\n  \
         {folder}/.env            what the service reads\n  \
         {folder}/clients.sqlite  the database, now under the new key\n  \
         {folder}/.rotation       the store of versions, and the backup\n  \
         {folder}/state/runs      the run's journal and its report\n\n\
         Its state:\n  \
         cargo xtask status --settings {settings}\n\
         Undo it:\n  \
         cargo xtask rollback {run} --settings {settings}\n\
         Rotate again:\n  \
         cargo xtask rotate-dcr --settings {settings}"
    ))
}

fn folder_of(typed: &cli::Demo) -> anyhow::Result<PathBuf> {
    let folder = match &typed.dir {
        Some(folder) => folder.clone(),
        None => workspace::root()?.join("target/rotation-demo"),
    };
    Ok(std::path::absolute(folder)?)
}
