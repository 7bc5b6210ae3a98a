//! What can be typed for a first look, and for the service that stands in there.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::values;

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
