//! What can be typed around a whole rotation: where it happens, and going on with a run.

use std::path::PathBuf;

use clap::Args;

use super::{Format, Output, Timeouts};
use crate::settings::PlatformName;

/// Where secrets and services live, and where runs are kept.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Place {
    /// Where secrets and services live [default: the settings' platform, else none]
    #[arg(long, value_enum)]
    pub(crate) platform: Option<PlatformName>,
    /// The file with the settings [default: rotation.toml, where it is there]
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,
    /// The folder with the journals of runs [default: a folder of your own outside the repository]
    #[arg(long, value_name = "DIR")]
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

/// For a shell: in single quotes, which it can't hold itself.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// List the runs and how old each secret is
///
/// Shows every run that isn't finished with the next command to type, the last ones that are, and
/// every secret with its version, its age and the day on which it is due. Looks whether each service
/// still reads the version that the newest run bound it to, and says so where somebody's deployment
/// changed that, with the command that mends it. Changes nothing.
#[derive(Args, Debug, Default)]
#[command(after_long_help = "Exit codes:
    0   no secret is overdue, and every service reads what the runs bound it to
    1   a secret is overdue, a service was changed, a contact is missing, or something could not be
        found out
    64  wrong usage")]
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
#[command(after_long_help = "Exit codes:
    0   the run is at its end
    1   there is nothing to resume, or a check failed before anything was changed
    2   failed while changing; the message says what state things are in
    3   stopped or waiting; resume goes on
    4   failed and undone
    5   stuck: an undo failed, a person must look
    64  wrong usage")]
pub(crate) struct Resume {
    /// The run's name, as `cargo xtask status` lists it
    #[arg(value_name = "RUN")]
    pub(crate) run: Option<String>,
    /// What the run waits for people to do is done
    #[arg(long)]
    pub(crate) done: bool,
    /// The file with the value that the run waits for, `-` for standard input [default: a hidden prompt]
    #[arg(long, value_name = "FILE")]
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
#[derive(Args, Debug, Default)]
#[command(after_long_help = "Exit codes:
    0   everything is as it was before the run
    1   there is nothing to roll back, or it can't be
    3   stopped; the same command goes on
    5   stuck: an undo failed, a person must look
    64  wrong usage")]
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

/// Print the runbook, rendered from the steps that the tool runs
///
/// The same text as docs/runbook.md, which `cargo xtask tidy` keeps up to date, and the contacts of
/// the settings.
#[derive(Args, Debug, Default)]
pub(crate) struct Runbook {
    #[command(flatten)]
    pub(crate) place: Place,
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
