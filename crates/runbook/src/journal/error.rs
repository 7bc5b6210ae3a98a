//! What can be wrong with a journal.

use std::io;
use std::path::PathBuf;

use crate::history::Impossible;

/// A journal can't be written or read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The disk, or the permissions.
    #[error("can't {operation} the journal `{path}`")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line isn't a record.
    #[error("line {line} of the journal `{path}` is no record of a run")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// A line says what can't have happened.
    #[error("line {line} of the journal `{path}` can't follow the lines before it")]
    Impossible {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What can't be.
        source: Impossible,
    },
    /// This can't happen to the run now: nothing was written.
    #[error("the run of the journal `{path}` can't go on like that")]
    Refused {
        /// The file.
        path: PathBuf,
        /// What can't be.
        source: Impossible,
    },
    /// A newer build wrote it.
    #[error("the journal `{path}` has format {format}, and this build knows formats up to {known}")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: u32,
        /// The newest that is known here.
        known: u32,
    },
    /// The process was ended, or the disk was full, before the first record was whole.
    #[error("the journal `{path}` holds no whole record: the run never began")]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

impl JournalError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            JournalError::Io { .. } => {
                "make room or mend the permissions; then `cargo xtask status` says how to go on where the journal ends"
            }
            JournalError::Damaged { .. } | JournalError::Impossible { .. } => {
                "nothing goes on by a journal that can't be trusted: compare it with a backup of the \
                 folder, and ask the secret store and the service what state they are in; a run \
                 that was brought to its end by hand is put aside by moving its folder away"
            }
            JournalError::Refused { .. } => {
                "`cargo xtask status` says what can be done with the run"
            }
            JournalError::Newer { .. } => "go on with the build that began the run, or a newer one",
            JournalError::Empty { .. } => "nothing was done in it: the folder can be deleted",
        }
    }
}
