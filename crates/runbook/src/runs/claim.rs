//! Which run has a secret, written down beside the secret itself: two people with
//! two folders of runs find each other there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::{RunsError, error};
use super::{RunSummary, Runs};
use crate::journal;

/// The last run that was begun, and where its journal is. Whether it still has the
/// secret, that journal tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claim {
    /// The folder with the runs.
    pub(super) folder: PathBuf,
    /// The run's name.
    pub(super) run: String,
}

impl Claim {
    /// The claim at this place, if there is one.
    pub(super) fn read(path: &Path) -> Result<Option<Claim>, RunsError> {
        match fs::read(path) {
            Ok(text) => serde_json::from_slice(&text)
                .map(Some)
                .map_err(|damaged| error("understand", path, io::Error::from(damaged))),
            Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(error("read", path, source)),
        }
    }

    /// Writes it, whole or not at all.
    pub(super) fn write(&self, path: &Path) -> Result<(), RunsError> {
        let unfinished = path.with_extension("unfinished");
        let written = open(&unfinished).and_then(|mut file| {
            file.write_all(&serde_json::to_vec(self)?)?;
            file.sync_all()
        });
        written
            .and_then(|()| fs::rename(&unfinished, path))
            .and_then(|()| path.parent().map_or(Ok(()), journal::sync_folder))
            .map_err(|source| error("write", path, source))
    }

    /// The run, where its journal can be found; one that never began is none.
    pub(super) fn look(&self, shared: &Path) -> Option<RunSummary> {
        let runs = Runs::in_folder(&self.folder).shared_in(shared);
        runs.summary(&self.run)
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
}
