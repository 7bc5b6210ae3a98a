//! What can be typed of runs: to list them, to go on with one, to undo it, to leave it.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{Format, Going, Output, Place, Timeouts, values};

/// List the runs and how old each secret is
///
/// Shows every run that isn't finished with the next command to type, the last ones that are, and
/// every secret with its version, its age and the day on which it is due. Looks whether each service
/// still reads the version that the newest run bound it to, and says so where somebody's deployment
/// changed that, with the command that mends it. Changes nothing.
#[derive(Args, Debug, Default)]
#[command(after_long_help = "Examples:
    cargo xtask status
    cargo xtask status --platform local --format json

    # of runs that lie elsewhere
    cargo xtask status --platform local --state-dir state")]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) place: Place,
    /// For people, or one JSON object on standard output
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// Go on with a run that was left, failed or was cut off
///
/// Looks first whether what the run did is still there, then goes on: forward, or with a rollback
/// that has begun. Without a name it takes the only run that isn't finished.
#[derive(Args, Debug, Default)]
#[command(after_long_help = "Examples:
    # the only run that isn't finished
    cargo xtask resume

    # one of several, which waits for people to restart the service
    cargo xtask resume dcr-encryption-key-20261123-062445 --done

    # with the value that it waits for
    cargo xtask resume gma-client-secret-20261123-062445 --value-file issued-value")]
pub(crate) struct Resume {
    /// The run's name, as `cargo xtask status` lists it
    #[arg(value_name = "RUN")]
    pub(crate) run: Option<String>,
    /// What the run waits for people to do is done
    #[arg(long)]
    pub(crate) done: bool,
    /// The file with the value that the run waits for, `-` for standard input [default: a hidden prompt]
    #[arg(long, value_name = "FILE", value_parser = values::path(), value_hint = ValueHint::FilePath)]
    pub(crate) value_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) going: Going,
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) timeouts: Timeouts,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Undo a run, the last step first
///
/// Works for a run that was left, failed or was cut off, and for the newest finished run of a secret
/// while its old version can still be enabled. Without a name it takes the only run that isn't finished.
/// Without a terminal, or with --yes, it goes on without asking.
#[derive(Args, Debug, Default)]
#[command(after_long_help = "Examples:
    # the only run that isn't finished
    cargo xtask rollback

    # the newest finished run of a secret
    cargo xtask rollback dcr-encryption-key-20261123-062445 --yes")]
pub(crate) struct Rollback {
    /// The run's name, as `cargo xtask status` lists it
    #[arg(value_name = "RUN")]
    pub(crate) run: Option<String>,
    /// Don't ask
    #[arg(long, short)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) timeouts: Timeouts,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Leave a run as it is, for good
///
/// For a run that can neither go on nor be undone, since somebody has changed meanwhile what it goes
/// by: put the table under a key of their own, restored the store from a backup, lost a value. Looks
/// first that the services can do their work with what they have: every token opens, the issuer
/// accepts the value, the login works. Then takes away what the run has prepared beside what serves,
/// and the next rotation begins with what the services have. What the run didn't come to, such as the
/// old version's end, is left to you, and named. Without a name it takes the only run that isn't finished.
/// Without a terminal, or with --yes, it goes on without asking.
#[derive(Args, Debug, Default)]
#[command(after_long_help = "Examples:
    # the only run that isn't finished
    cargo xtask abandon

    # the services were restarted by hand, with what they have now
    cargo xtask abandon dcr-encryption-key-20261123-062445 --done --yes")]
pub(crate) struct Abandon {
    /// The run's name, as `cargo xtask status` lists it
    #[arg(value_name = "RUN")]
    pub(crate) run: Option<String>,
    /// The services were restarted since somebody changed what they start with
    #[arg(long)]
    pub(crate) done: bool,
    /// Don't ask
    #[arg(long, short)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) timeouts: Timeouts,
    #[command(flatten)]
    pub(crate) output: Output,
}
