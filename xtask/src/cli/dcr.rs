//! What can be typed for the table of clients: its re-encryption, and its survey.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use reencrypt::ColumnName;

use super::{Going, Output, Place, Timeouts, values};

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
/// Lists every cell that none of the keys opens. Changes nothing, and nobody waits for it.
///
/// With a platform the keys are those of the store's enabled versions, and it says which of them is
/// read. Keys that are given go before: any one is enough; with both, it shows how far a rotation is.
#[derive(Args, Debug, Default)]
#[command(after_long_help = concat!("Examples:
    # by the versions in the store
    cargo xtask survey-dcr --platform local

    # how far a rotation is
    cargo xtask survey-dcr --old-key-file old.key --new-key-file new.key

    # what the key in use doesn't open: for a script, and with more time for a statement
    cargo xtask survey-dcr --old-key-file old.key --format json
    cargo xtask survey-dcr --old-key-file old.key --statement-timeout 5min

", environment!()))]
pub(crate) struct SurveyDcr {
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) keys: Keys,
    #[command(flatten)]
    pub(crate) timeouts: Timeouts,
    #[command(flatten)]
    pub(crate) output: Output,
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
