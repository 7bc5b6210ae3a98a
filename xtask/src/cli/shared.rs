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
    /// What was typed of it, to be typed again: it begins with a space, or is empty.
    pub(crate) fn flags(&self) -> String {
        let mut flags = String::new();
        if let Some(platform) = self.platform {
            flags.push_str(&format!(" --platform {platform}"));
        }
        for (flag, path) in [("settings", &self.settings), ("state-dir", &self.state_dir)] {
            if let Some(path) = path {
                flags.push_str(&format!(
                    " --{flag} {}",
                    quoted(&path.display().to_string())
                ));
            }
        }
        flags
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
