//! What can be typed of one version of a secret.

use std::num::NonZeroU64;

use clap::Args;
use clap::builder::TypedValueParser as _;
use rotation::Secret;

use super::rotate_secret::{secret, secrets};
use super::{Place, Timeouts};

/// Disable a version that nothing needs
///
/// For what a rotation by hand, or a run whose journal is lost, has left behind: no rotation begins
/// beside a newer version that nobody reads. Looks first that no service reads the version and, of the
/// key, that no token is under it. Refuses what a run that isn't finished goes by.
#[derive(Args, Debug)]
#[command(after_long_help = "Examples:
    cargo xtask disable-version dcr-encryption-key 2

    # without a question
    cargo xtask disable-version gma-client-secret 3 --platform local --yes")]
pub(crate) struct DisableVersion {
    #[command(flatten)]
    pub(crate) one: OneVersion,
}

/// Enable a version that is disabled
///
/// Services that are bound to it, or go back to it, can read it again. Disabled versions are kept until
/// they are destroyed.
#[derive(Args, Debug)]
#[command(after_long_help = "Examples:
    cargo xtask enable-version dcr-encryption-key 1

    # without a question
    cargo xtask enable-version database-url 4 --platform local --yes")]
pub(crate) struct EnableVersion {
    #[command(flatten)]
    pub(crate) one: OneVersion,
}

/// Which version, and where.
#[derive(Args, Debug)]
pub(crate) struct OneVersion {
    /// The secret, by its name, its environment variable or its default name in the store
    #[arg(value_name = "SECRET", value_parser = secrets().try_map(|name| secret(&name)))]
    pub(crate) secret: Secret,
    /// The version's number
    #[arg(value_name = "NUMBER")]
    pub(crate) number: NonZeroU64,
    /// Don't ask
    #[arg(long, short)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) timeouts: Timeouts,
}
