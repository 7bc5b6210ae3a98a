//! What can be typed to have an installation examined.

use clap::Args;

use super::{Format, Place};

/// Find out what a rotation would fail at, before it begins
///
/// Looks at everything that the rotations need: who is logged in, every permission on the very thing
/// that it is needed on, every version that the services read, the services and their traffic, the
/// newest backup, the databases, whether the key in use opens every token, and whether the issuers
/// accept the client secrets in use. Each finding comes with the command that mends it. Changes nothing.
#[derive(Args, Debug, Default)]
#[command(after_long_help = "Examples:
    cargo xtask doctor --platform local
    cargo xtask doctor --platform google-cloud --settings rotation.toml
    cargo xtask doctor --platform local --format json

Environment:
    DATABASE_URL          the database, in place of the one that the service reads
    DATABASE_REQUIRE_SSL  true: demand TLS, as the service does")]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) place: Place,
    /// For people, or one JSON object on standard output
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}
