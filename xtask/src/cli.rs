//! What can be typed: the commands, their flags, and their help.

mod dcr;
mod demo;
mod doctor;
mod examples;
pub(crate) mod exit_codes;
mod help;
mod next_commands;
mod refused;
mod report;
mod repository;
mod rotate_secret;
mod runbook;
mod runs;
mod shared;
mod usage_error;
mod values;
mod versions;

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches as _, Parser, Subcommand};

pub(crate) use self::dcr::{Keys, RotateDcr, SurveyDcr};
pub(crate) use self::demo::{Demo, StandInService};
pub(crate) use self::doctor::Doctor;
pub(crate) use self::help::{Completions, Man};
pub(crate) use self::report::{EvidenceForm, Report};
pub(crate) use self::repository::{Soak, Tidy};
pub(crate) use self::rotate_secret::{Contain, RotateSecret};
pub(crate) use self::runbook::Runbook;
pub(crate) use self::runs::{Abandon, Resume, Rollback, Status};
pub(crate) use self::shared::{Format, Going, Output, Place, Timeouts, quoted};
pub(crate) use self::values::{local_path, waiting_time};
pub(crate) use self::versions::{DisableVersion, EnableVersion, OneVersion};
use crate::failure::Failure;

/// What the arguments ask for.
pub(crate) enum Parsed {
    /// A command.
    Command(Command),
    /// The help or the version, to be printed.
    Help(String),
}

/// Rotates the secrets of the service, beginning with the key of its dcr_clients table
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// The commands, each with what was typed after it.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    RotateDcr(RotateDcr),
    RotateSecret(RotateSecret),
    SurveyDcr(SurveyDcr),
    Doctor(Doctor),
    Status(Status),
    Resume(Resume),
    Rollback(Rollback),
    Abandon(Abandon),
    DisableVersion(DisableVersion),
    EnableVersion(EnableVersion),
    Report(Report),
    Runbook(Runbook),
    Demo(Demo),
    Completions(Completions),
    Man(Man),
    #[command(hide = true)]
    StandInService(StandInService),
    Tidy(Tidy),
    Soak(Soak),
}

/// Reads the arguments; the first is the program's name.
///
/// # Errors
///
/// Wrong usage, without any argument quoted that may be a secret.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Parsed, Failure> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    refused::refuse_secrets(&arguments)?;
    let parsed = command()
        .try_get_matches_from(&arguments)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    match parsed {
        Ok(cli) => Ok(Parsed::Command(cli.command)),
        Err(error) if error.exit_code() == 0 => Ok(Parsed::Help(error.to_string())),
        Err(error) => Err(usage_error::explain(&error, &arguments)),
    }
}

/// The command with everything in it, to read arguments and to render documents from.
pub(crate) fn command() -> clap::Command {
    Cli::command().mut_subcommands(|command| {
        let before = command.get_after_long_help().map(ToString::to_string);
        let exit_codes = exit_codes::section(command.get_name());
        let sections: Vec<String> = before.into_iter().chain(exit_codes).collect();
        command.after_long_help(sections.join("\n\n"))
    })
}

/// The same without what nobody types, and under another name: no shell and no manual
/// knows a command with a space in it.
pub(crate) fn command_named(name: &'static str) -> clap::Command {
    let all = command();
    let shown = all
        .get_subcommands()
        .filter(|command| !command.is_hide_set());
    let about = all.get_about().cloned().unwrap_or_default();
    clap::Command::new(name)
        .about(about)
        .disable_help_subcommand(true)
        .subcommand_required(true)
        .subcommands(shown.cloned())
}
