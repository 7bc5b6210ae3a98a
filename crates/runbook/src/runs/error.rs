//! What can be wrong with the folder of runs.

use std::io;
use std::path::{Path, PathBuf};

use crate::journal::JournalError;

/// A run can't be begun, opened or listed.
#[derive(Debug, thiserror::Error)]
pub enum RunsError {
    /// The disk, or the permissions.
    #[error("can't {operation} `{path}`")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process rotates the same secret.
    #[error("another process is rotating `{rotation}` now")]
    Busy {
        /// The rotation.
        rotation: String,
    },
    /// A run of the same secret isn't at its end.
    #[error("the run `{run}` of `{rotation}` is not finished")]
    Unfinished {
        /// The run.
        run: String,
        /// The rotation.
        rotation: String,
    },
    /// A run of the same secret isn't at its end, and its journal is in another folder.
    #[error("the run `{run}` of `{rotation}` is not finished; its journal is in `{folder}`")]
    UnfinishedElsewhere {
        /// The run.
        run: String,
        /// The rotation.
        rotation: String,
        /// The folder with its runs.
        folder: PathBuf,
    },
    /// A later run of the same secret stands on what this one did.
    #[error("the run `{run}` was followed by `{later}`, which is to be rolled back first")]
    Followed {
        /// The run.
        run: String,
        /// The later one.
        later: String,
    },
    /// There is no run of that name.
    #[error("there is no run `{run}` in `{folder}`")]
    NoSuchRun {
        /// The name.
        run: String,
        /// The folder.
        folder: PathBuf,
    },
    /// The build has other steps than the run began with.
    #[error("the run `{run}` began with other steps than this build has")]
    OtherSteps {
        /// The run.
        run: String,
    },
    /// The run rotates another secret than the plan.
    #[error("the run `{run}` is one of `{rotation}`")]
    OtherRotation {
        /// The run.
        run: String,
        /// What it rotates.
        rotation: String,
    },
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

pub(super) fn error(operation: &'static str, path: &Path, source: io::Error) -> RunsError {
    RunsError::Io {
        operation,
        path: path.to_owned(),
        source,
    }
}
