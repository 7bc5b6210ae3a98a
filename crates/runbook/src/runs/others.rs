//! What other runs of the same secret forbid.

use std::path::{Path, PathBuf};

use super::claim::Claim;
use super::error::{RunsError, error};
use super::{RunSummary, Runs};
use crate::history::History;
use crate::name::Name;
use crate::status::RunStatus;

impl Runs {
    /// Refuses while a run of the secret is unfinished, in this folder or, as far as
    /// the shared one tells, in another. A journal that can't be read may be such a run's.
    pub(super) fn refuse_unfinished(&self, rotation: &str) -> Result<(), RunsError> {
        if let Some((folder, other)) = self.elsewhere(rotation)?
            && other.history?.is_unfinished()
        {
            return Err(RunsError::UnfinishedElsewhere {
                run: other.name,
                rotation: rotation.to_owned(),
                folder,
            });
        }
        for summary in self.list()? {
            let history = summary.history?;
            if history.rotation.as_str() == rotation && history.is_unfinished() {
                return Err(RunsError::Unfinished {
                    run: summary.name,
                    rotation: rotation.to_owned(),
                });
            }
        }
        Ok(())
    }

    /// The run of the secret that isn't finished in another folder, as far as the shared one
    /// tells. A journal there that can't be read may be such a run's.
    ///
    /// # Errors
    ///
    /// When the shared folder can't be read.
    pub fn unfinished_elsewhere(&self, rotation: &str) -> Result<Option<RunSummary>, RunsError> {
        let other = self.elsewhere(rotation)?.map(|(_, other)| other);
        Ok(other.filter(|other| {
            let history = other.history.as_ref();
            history.map_or(true, History::is_unfinished)
        }))
    }

    /// To undo a run beneath a later one would take away what that stands on.
    pub(super) fn refuse_followed(&self, run: &str, history: &History) -> Result<(), RunsError> {
        let follows = |other: &RunSummary, is_newer: bool| {
            match &other.history {
                Ok(other) => {
                    other.rotation == history.rotation
                        && is_newer
                        && !matches!(other.status, RunStatus::RolledBack | RunStatus::Abandoned)
                }
                // It may be one that this run's effects are the ground of.
                Err(_) => {
                    other.name.starts_with(history.rotation.as_str())
                        && other.name.as_str() > history.run.as_str()
                }
            }
        };
        let mut is_newer = true;
        let here = self.list()?.into_iter().find(|other| {
            is_newer &= other.name != run;
            follows(other, is_newer)
        });
        let later = match here {
            None => self
                .elsewhere(history.rotation.as_str())?
                .map(|(_, other)| other)
                // The last one that began anywhere, unless this one began after it.
                .filter(|other| {
                    let before = history.follows.as_ref().map(Name::as_str);
                    follows(other, ![Some(run), before].contains(&Some(&other.name)))
                }),
            later => later,
        };
        match later {
            None => Ok(()),
            Some(later) => Err(RunsError::Followed {
                run: run.to_owned(),
                later: later.name,
            }),
        }
    }

    /// The last run of the secret, wherever it is.
    pub(super) fn last_of(&self, rotation: &str) -> Result<Option<Name>, RunsError> {
        let elsewhere = self.elsewhere(rotation)?.map(|(_, other)| other);
        let all = elsewhere.into_iter().chain(self.list()?);
        let mut histories = all.filter_map(|summary| summary.history.ok());
        let last = histories.find(|history| history.rotation.as_str() == rotation);
        Ok(last.map(|history| history.run))
    }

    /// The last run of the secret, if it is in another folder.
    fn elsewhere(&self, rotation: &str) -> Result<Option<(PathBuf, RunSummary)>, RunsError> {
        let (Some(shared), Some(path)) = (&self.shared, self.claim_of(rotation)) else {
            return Ok(None);
        };
        let claim = Claim::read(&path)?.filter(|claim| !self.is_this(&claim.folder));
        Ok(claim.and_then(|claim| Some((claim.folder.clone(), claim.look(shared)?))))
    }

    /// Notes where the run is, before it begins.
    pub(super) fn claim(&self, rotation: &str, run: &Name) -> Result<(), RunsError> {
        let Some(path) = self.claim_of(rotation) else {
            return Ok(());
        };
        let folder = std::path::absolute(&self.folder);
        Claim {
            folder: folder.map_err(|source| error("find", &self.folder, source))?,
            run: run.to_string(),
        }
        .write(&path)
    }

    fn claim_of(&self, rotation: &str) -> Option<PathBuf> {
        let shared = self.shared.as_ref()?;
        Some(shared.join(format!("{rotation}.json")))
    }

    fn is_this(&self, folder: &Path) -> bool {
        match (self.folder.canonicalize(), folder.canonicalize()) {
            (Ok(this), Ok(other)) => this == other,
            _ => false,
        }
    }
}
