//! What can be typed to have the runbook.

use clap::Args;

use super::Place;

/// Print the runbook, rendered from the steps that the tool runs
///
/// The same text as docs/runbook.md, which `cargo xtask tidy` keeps up to date, and the contacts of
/// the settings.
#[derive(Args, Debug, Default)]
#[command(after_long_help = "Examples:
    cargo xtask runbook
    cargo xtask runbook --settings rotation.toml")]
pub(crate) struct Runbook {
    #[command(flatten)]
    pub(crate) place: Place,
}
