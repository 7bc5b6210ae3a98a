//! What can be typed to rotate any of the secrets.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser as _};
use clap::{Args, ValueEnum, ValueHint};
use rotation::{Means, SECRETS, Secret};

use super::{Going, Output, Place, Timeouts, values};

/// Rotate one of the service's secrets, from the first check to the end of the old value
///
/// Carries out the secret's runbook (`cargo xtask runbook` prints it) on the platform: shows the plan,
/// asks, tests the new value, stores it, rolls every service that reads it to a revision that is pinned
/// to it, verifies, and retires the old version. The run can be left, resumed and rolled back; `cargo
/// xtask status` lists it.
#[derive(Args, Debug)]
#[command(after_long_help = "Examples:
    # everything but the changes, with every command that would be run
    cargo xtask rotate-secret database-url --platform local --dry-run

    # issued by another team: asked for at a hidden prompt, or read from a file
    cargo xtask rotate-secret red-hat-sso-client-secret
    cargo xtask rotate-secret gma-client-secret --value-file issued-value

    # a role that may make no second one gets another password
    cargo xtask rotate-secret session-database-url --in-place

    # others know the key: what contains the leak, then the rotation with the services closed
    cargo xtask rotate-secret dcr-encryption-key --emergency --dry-run
    cargo xtask rotate-secret dcr-encryption-key --emergency --contain close

A new value is never an argument: every user of a machine can see those.")]
pub(crate) struct RotateSecret {
    /// The secret, by its name, its environment variable or its default name in the store
    #[arg(value_name = "SECRET", value_parser = secrets().try_map(|name| secret(&name)))]
    pub(crate) secret: Secret,
    /// The file with the value that was issued, `-` for standard input [default: a hidden prompt]
    #[arg(long, value_name = "FILE", value_parser = values::path(), value_hint = ValueHint::FilePath)]
    pub(crate) value_file: Option<PathBuf>,
    /// For a database URL: give its one role another password, where no second one may take turns with
    /// it. Until the new revision serves, the old one can't open new connections
    #[arg(long)]
    pub(crate) in_place: bool,
    /// Others know the value: wait for nothing, have the old value revoked or locked out, destroy the old
    /// version, and list the clients whose secrets have to be issued anew. Can't be rolled back in the end
    #[arg(long)]
    pub(crate) emergency: bool,
    /// Contain the emergency until the new value serves, by this means; may be given more than once. The
    /// plan shows what each of them does and how it is undone
    #[arg(long, value_name = "MEANS", value_enum, requires = "emergency")]
    pub(crate) contain: Vec<Contain>,
    /// Look at everything, show every command that would be run and the outage, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) going: Going,
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) timeouts: Timeouts,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// A means that contains an emergency, as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Contain {
    /// Nobody may call the services, which is taken back in the end (google-cloud)
    Close,
    /// The login is locked out before the new one serves (database URLs)
    LockOut,
    /// The value is revoked by its issuer before there is a new one (client secrets)
    Revoke,
}

impl Contain {
    /// The same as rotations know it.
    pub(crate) fn means(self) -> Means {
        match self {
            Contain::Close => Means::Close,
            Contain::LockOut => Means::LockOut,
            Contain::Revoke => Means::Revoke,
        }
    }

    /// As it is typed.
    pub(crate) fn word(means: Means) -> &'static str {
        match means {
            Means::Close => "close",
            Means::LockOut => "lock-out",
            Means::Revoke => "revoke",
        }
    }
}

/// What is to be said of each of [`SECRETS`], in their order.
const ABOUT: [&str; SECRETS.len()] = [
    "Issued by another team; both services read it",
    "Issued by another team; the handler reads it",
    "Generated; both services read it",
    "Generated; the agent reads it",
    "Generated, as rotate-dcr does it",
];

/// The names that can be typed. Those that an environment or a store has are taken, too.
pub(super) fn secrets() -> PossibleValuesParser {
    let named = SECRETS.iter().zip(ABOUT).map(|(secret, about)| {
        PossibleValue::new(secret.name)
            .help(about)
            .aliases([secret.variable, secret.store_name])
    });
    PossibleValuesParser::new(named)
}

pub(super) fn secret(name: &str) -> Result<Secret, &'static str> {
    Secret::named(name).ok_or("the service has no such secret")
}
