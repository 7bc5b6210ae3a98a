//! What can be typed: the commands, their flags, and their help.

mod doctor;
mod examples;
pub(crate) mod exit_codes;
mod help;
mod procedure;
mod refused;
mod report;
mod rotate_secret;
mod usage_error;
mod values;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, CommandFactory, FromArgMatches as _, Parser, Subcommand, ValueEnum, ValueHint};
use reencrypt::ColumnName;

pub(crate) use self::doctor::Doctor;
pub(crate) use self::help::{Completions, Man};
pub(crate) use self::procedure::{Going, Place, Resume, Rollback, Runbook, Status, quoted};
pub(crate) use self::report::{EvidenceForm, Report};
pub(crate) use self::rotate_secret::{Contain, RotateSecret};
pub(crate) use self::values::{local_path, waiting_time};
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

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    RotateDcr(RotateDcr),
    RotateSecret(RotateSecret),
    SurveyDcr(SurveyDcr),
    Doctor(Doctor),
    Status(Status),
    Resume(Resume),
    Rollback(Rollback),
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

/// Put every token in dcr_clients under a new key, alone or with the whole procedure around it
///
/// Runs in one transaction and verifies every cell before the commit; whatever fails, the table is
/// as it was. While it runs, writers of the table wait and readers don't. It can be run again at any
/// time: tokens that are under the new key already are left alone.
///
/// With `--platform none` that is all: the keys are given. With `--platform local` it is the whole
/// rotation: the old key comes from where the service reads it, the new one is generated and stored,
/// the table is re-encrypted, the service goes over, and the old version is retired. Such a run can be
/// left, resumed and rolled back; `cargo xtask status` lists it.
///
/// It shows what it will do and asks. Without a terminal, or with --yes, it goes on without asking.
#[derive(Args, Debug, Default)]
#[command(after_long_help = concat!("Examples:
    # the whole rotation, for a service that reads a .env: on trial first
    cargo xtask rotate-dcr --platform local --dry-run
    cargo xtask rotate-dcr --platform local --verbose

    # for a script, which is undone at once if it fails
    cargo xtask rotate-dcr --platform local --yes --rollback-on-failure --format json

    # the table alone, with keys from files
    cargo xtask rotate-dcr --old-key-file old.key --new-key-file new.key --dry-run
    cargo xtask rotate-dcr --old-key-file old.key --new-key-file new.key --lock-timeout 30s

    # the same with keys from the environment, where a column is under another key
    cargo xtask rotate-dcr --exclude-column other.code_encrypted

", environment!()))]
pub(crate) struct RotateDcr {
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) keys: Keys,
    /// Do everything but the commit, list every unreadable cell, and roll back
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) going: Going,
    /// Leave this encrypted column, which is under another key, alone. Repeat it for several
    #[arg(long, value_name = "TABLE.COLUMN")]
    pub(crate) exclude_column: Vec<ColumnName>,
    #[command(flatten)]
    pub(crate) timeouts: Timeouts,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Count the tokens in dcr_clients by the key that opens them
///
/// Lists every cell that none of the keys opens. Any one key is enough; with both, it shows how far
/// a rotation is. Changes nothing, and nobody waits for it.
#[derive(Args, Debug, Default)]
#[command(after_long_help = concat!("Examples:
    # how far a rotation is
    cargo xtask survey-dcr --old-key-file old.key --new-key-file new.key

    # what the key in use doesn't open: for a script, and with more time for a statement
    cargo xtask survey-dcr --old-key-file old.key --format json
    cargo xtask survey-dcr --old-key-file old.key --statement-timeout 5min

", environment!()))]
pub(crate) struct SurveyDcr {
    #[command(flatten)]
    pub(crate) keys: Keys,
    #[command(flatten)]
    pub(crate) timeouts: Timeouts,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Rotate the key of a made-up service, for a first look
///
/// Makes a folder with a `.env`, an SQLite database with 1,000 made-up clients and a stand-in service
/// that reads its key when it starts. Carries out the whole rotation while the service runs, shows what
/// the service saw of it, and leaves everything there. A second run replaces the first.
#[derive(Args, Debug, Default)]
#[command(after_long_help = "Examples:
    cargo xtask demo
    cargo xtask demo --dir look-at-me")]
pub(crate) struct Demo {
    /// The folder to make [default: target/rotation-demo]
    #[arg(long, value_name = "DIR", value_parser = values::path(), value_hint = ValueHint::DirPath)]
    pub(crate) dir: Option<PathBuf>,
}

/// Restart the demonstration's stand-in service
#[derive(Args, Debug, Default)]
pub(crate) struct StandInService {
    /// Be the service, instead of restarting it
    #[arg(long)]
    pub(crate) serve: bool,
    /// The demonstration's folder
    #[arg(value_name = "DIR", value_parser = values::path(), value_hint = ValueHint::DirPath)]
    pub(crate) folder: PathBuf,
}

/// Check that the repository keeps its own rules
///
/// Which crate may depend on which, under which licences dependencies are, and whether the documents that
/// are rendered from the code (docs/cli.md, docs/exit-codes.md, docs/runbook.md, docs/troubleshooting.md)
/// are what it says now.
#[derive(Args, Debug, Default)]
#[command(after_long_help = "Examples:
    cargo xtask tidy
    cargo xtask tidy --fix")]
pub(crate) struct Tidy {
    /// Write those documents anew
    #[arg(long)]
    pub(crate) fix: bool,
}

/// Strike many rotations, and see that each comes to its end
///
/// For whoever works on this repository: it runs the part of its tests that kills the tool, its
/// children, the database server and its sessions, and fills the disk, at any moment of every
/// rotation on both platforms. After each it types what `status` says, until the run is at its end,
/// and looks that no key is lost and every token can be read. The tests run 100 cases; this command
/// as many as there is time for. It needs what the tests need, and nothing of an installation.
#[derive(Args, Debug, Default)]
#[command(after_long_help = "Examples:
    # as many as there is time for
    cargo xtask soak --runs 10000

    # one of them again
    cargo xtask soak --seed 7 --case 12

    # as root on Linux
    cargo xtask soak --power-cuts --runs 100")]
pub(crate) struct Soak {
    /// How many cases
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) runs: u32,
    /// What the cases follow from [default: another one each time, which is printed]
    #[arg(long, value_name = "SEED")]
    pub(crate) seed: Option<u64>,
    /// The only one of the cases to go through
    #[arg(long, value_name = "NUMBER", requires = "seed")]
    pub(crate) case: Option<u32>,
    /// Cut the power instead of all that: what was not synced to the disk is gone. For Linux, and
    /// for root, who can mount a disk that is a file
    #[arg(long)]
    pub(crate) power_cuts: bool,
}

/// Where the keys come from.
#[derive(Args, Debug, Default)]
pub(crate) struct Keys {
    /// A file with an old key, `-` for standard input. Repeat it for several old keys
    #[arg(long, value_name = "FILE", value_parser = values::path(), value_hint = ValueHint::FilePath)]
    pub(crate) old_key_file: Vec<PathBuf>,
    /// The file with the new key, `-` for standard input
    #[arg(long, value_name = "FILE", value_parser = values::path(), value_hint = ValueHint::FilePath)]
    pub(crate) new_key_file: Option<PathBuf>,
}

/// How long to wait.
#[derive(Args, Debug, Default)]
pub(crate) struct Timeouts {
    /// How long to wait for the lock on the table [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = values::waiting_time)]
    pub(crate) lock_timeout: Option<Duration>,
    /// How long one statement may take, on Postgres [default: 60s]
    #[arg(long, value_name = "TIME", value_parser = values::waiting_time)]
    pub(crate) statement_timeout: Option<Duration>,
}

/// What is printed.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct Output {
    /// For people, or one JSON object on standard output
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// Show the whole plan, each phase's time, where keys came from, what of the URL is ignored
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

/// The form of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table and sentences
    #[default]
    Human,
    /// One object on one line
    Json,
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

/// The part of the help that every command with keys and a database shares.
macro_rules! environment {
    () => {
        "Environment:
    DCR_OLD_KEY           the old key; --old-key-file goes before it
    DCR_NEW_KEY           the new key; --new-key-file goes before it
    DATABASE_URL          the database, in the service's own form
    DATABASE_REQUIRE_SSL  true: demand TLS, as the service does

A missing key is asked for on a terminal. Keys and passwords are never arguments: every user of a
machine can see those."
    };
}
use environment;
