//! Flags that several commands have.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum, ValueHint};

use super::values;
use crate::settings::PlatformName;

/// Where secrets and services live, and where runs are kept.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Place {
    /// Where secrets and services live [default: the settings' platform, else none]
    #[arg(long, value_enum)]
    pub(crate) platform: Option<PlatformName>,
    /// The file with the settings [default: rotation.toml, where it is there]
    #[arg(long, value_name = "FILE", value_parser = values::path(), value_hint = ValueHint::FilePath)]
    pub(crate) settings: Option<PathBuf>,
    /// The folder with the journals of runs [default: a folder of your own outside the repository]
    #[arg(long, value_name = "DIR", value_parser = values::path(), value_hint = ValueHint::DirPath)]
    pub(crate) state_dir: Option<PathBuf>,
}

impl Place {
    /// What was typed of it, to be typed again: the flags with their values.
    pub(super) fn flags(&self) -> Vec<(&'static str, String)> {
        let platform = self.platform.map(|platform| platform.to_string());
        let quoted = |path: &PathBuf| quoted(&path.display().to_string());
        let settings = self.settings.as_ref().map(quoted);
        let state_dir = self.state_dir.as_ref().map(quoted);
        let flags = [
            ("platform", platform),
            ("settings", settings),
            ("state-dir", state_dir),
        ];
        let typed = flags.into_iter();
        typed
            .filter_map(|(flag, value)| Some((flag, value?)))
            .collect()
    }
}

/// How a run is carried on.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct Going {
    /// Don't ask
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Undo the run at once when a step fails
    #[arg(long)]
    pub(crate) rollback_on_failure: bool,
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

/// For a shell: in single quotes, which it can't hold itself.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
