//! What can be typed around a whole rotation: where it happens, and going on with a run.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{Format, Output, Timeouts, values};
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
#[command(after_long_help = "Examples:
    cargo xtask status
    cargo xtask status --platform local --format json

    # of runs that lie elsewhere
    cargo xtask status --platform local --state-dir state")]
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
#[command(after_long_help = "Examples:
    # the only run that isn't finished
    cargo xtask resume

    # one of several, which waits for people to restart the service
    cargo xtask resume dcr-encryption-key-20261123-062445 --done

    # with the value that it waits for
    cargo xtask resume gma-client-secret-20261123-062445 --value-file issued-value")]
pub(crate) struct Resume {
    /// The run's name, as `cargo xtask status` lists it
    #[arg(value_name = "RUN")]
    pub(crate) run: Option<String>,
    /// What the run waits for people to do is done
    #[arg(long)]
    pub(crate) done: bool,
    /// The file with the value that the run waits for, `-` for standard input [default: a hidden prompt]
    #[arg(long, value_name = "FILE", value_parser = values::path(), value_hint = ValueHint::FilePath)]
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
#[command(after_long_help = "Examples:
    # the only run that isn't finished
    cargo xtask rollback

    # the newest finished run of a secret
    cargo xtask rollback dcr-encryption-key-20261123-062445 --yes")]
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
#[command(after_long_help = "Examples:
    cargo xtask runbook
    cargo xtask runbook --settings rotation.toml")]
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
