//! What can be typed of the evidence of a run.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Place;

/// Print the evidence of a run: what was rotated, by whom, when, and how it was verified
///
/// Every run leaves the same beside its journal, as report.md, report.json and report.html. It holds
/// names, numbers, times and fingerprints, and no secret: it can be pasted into a ticket. The page for a
/// browser needs nothing beside itself, and prints on one sheet. Nothing is asked of the platform.
#[derive(Args, Debug, Default)]
#[command(after_long_help = "Examples:
    # the newest run, for a ticket
    cargo xtask report

    # a page for a browser or a printer
    cargo xtask report dcr-encryption-key-20261123-062445 --format html --output rotation.html")]
pub(crate) struct Report {
    /// The run's name, as `cargo xtask status` lists it [default: the newest run]
    #[arg(value_name = "RUN")]
    pub(crate) run: Option<String>,
    /// The form
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: EvidenceForm,
    /// The file to write, whole or not at all, readable by you alone [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// The form of the evidence of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum EvidenceForm {
    /// Tables and lists, for a ticket
    #[default]
    Markdown,
    /// One object, for a script
    Json,
    /// One page, for a browser or a printer
    Html,
}
