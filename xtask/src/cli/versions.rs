//! What can be typed of one version of a secret.

use std::num::NonZeroU64;

use std::ffi::OsStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Args, Command};

use super::rotate_secret::secrets;
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
    /// The secret, by its name, its environment variable or its name in the store
    #[arg(value_name = "SECRET", value_parser = AnyName)]
    pub(crate) secret: String,
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

/// Any name: which one a secret has in the store, only the settings tell. Those that are known
/// without them are proposed.
#[derive(Clone)]
struct AnyName;

impl TypedValueParser for AnyName {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let known: Vec<PossibleValue> = secrets().possible_values().into_iter().flatten().collect();
        Some(Box::new(known.into_iter()))
    }
}
