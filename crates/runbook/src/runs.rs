//! The folder with the runs: beginning one, going on with one, listing all.

mod claim;
mod error;
mod lock;
mod order;
mod others;

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

pub use self::error::RunsError;
use self::error::error;
use crate::history::History;
use crate::journal::{self, FORMAT, Journal, JournalError, Record};
use crate::name::Name;
use crate::plan::Plan;
use crate::run::Run;

const JOURNAL: &str = "journal.jsonl";

/// A folder with the journals of runs and the locks that keep them apart.
#[derive(Clone, Debug)]
pub struct Runs {
    folder: PathBuf,
    /// Where those with another folder of runs look, too.
    shared: Option<PathBuf>,
}

/// A run as it was found in the folder.
#[derive(Debug)]
pub struct RunSummary {
    /// Its name, which is its folder's.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// What the journal tells, or why it can't be read.
    pub history: Result<History, JournalError>,
    /// Whether a process is at work on it now.
    pub is_carried_on: bool,
}

impl Runs {
    /// The runs in a folder, which is made when the first of them begins.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Runs {
        Runs {
            folder: folder.into(),
            shared: None,
        }
    }

    /// The same, with the locks and a note of the last run in a folder that all who
    /// can rotate these secrets share, whatever folder their runs are in.
    #[must_use]
    pub fn shared_in(self, folder: impl Into<PathBuf>) -> Runs {
        Runs {
            shared: Some(folder.into()),
            ..self
        }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Begins a run, if no other process rotates the same secret and no run of it
    /// is unfinished.
    ///
    /// # Errors
    ///
    /// [`RunsError`]; nothing has begun then.
    pub fn begin<C, E>(
        &self,
        plan: &Plan<C, E>,
        platform: &'static str,
        operator: Name,
    ) -> Result<Run, RunsError> {
        let rotation = plan.rotation();
        let lock = self.lock(rotation)?;
        self.refuse_unfinished(rotation)?;
        let follows = self.last_of(rotation)?;
        let (name, folder) = self.make_folder(rotation)?;
        self.claim(rotation, &name)?;
        let first = Record::RunBegan {
            format: FORMAT,
            program: fixed_name(env!("CARGO_PKG_VERSION"))?,
            run: name,
            rotation: rotation.into(),
            platform: platform.into(),
            operator: operator.clone(),
            follows,
            steps: plan.abouts().map(|about| about.name.into()).collect(),
        };
        let journal = Journal::create(&folder.join(JOURNAL))?;
        Ok(Run::begin(journal, first, operator, vec![lock])?)
    }

    /// Opens a run, to go on with it or to roll it back.
    ///
    /// # Errors
    ///
    /// [`RunsError`]; among them [`RunsError::Busy`] while another process has it.
    pub fn open<C, E>(
        &self,
        run: &str,
        plan: &Plan<C, E>,
        operator: Name,
    ) -> Result<Run, RunsError> {
        let opened = self.open_to_leave(run, plan, operator)?;
        self.refuse_followed(run, opened.history())?;
        Ok(opened)
    }

    /// Opens a run that is to be left where it stands, whatever runs stand on it.
    ///
    /// # Errors
    ///
    /// As above.
    pub fn open_to_leave<C, E>(
        &self,
        run: &str,
        plan: &Plan<C, E>,
        operator: Name,
    ) -> Result<Run, RunsError> {
        let lock = self.lock(plan.rotation())?;
        let path = self.journal_of(run)?;
        // Looked at before it is opened: opening mends its end, and this may not be
        // the lock that keeps others from writing to it.
        let history = journal::history(&path)?;
        let rotation = history.rotation.as_str();
        if rotation != plan.rotation() {
            return Err(RunsError::OtherRotation {
                run: run.to_owned(),
                rotation: rotation.to_owned(),
            });
        }
        let steps = history.steps.iter().map(|step| step.name.as_str());
        if !steps.eq(plan.abouts().map(|about| about.name)) {
            return Err(RunsError::OtherSteps {
                run: run.to_owned(),
            });
        }
        Ok(Run::reopen(&path, operator, vec![lock])?)
    }

    /// Every run, the newest first. A folder without a whole record is none.
    ///
    /// # Errors
    ///
    /// When the folder can't be read. A journal that can't be is in the list.
    pub fn list(&self) -> Result<Vec<RunSummary>, RunsError> {
        let runs = self.folder.join("runs");
        let entries = match fs::read_dir(&runs) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(|source| error("read", &runs, source))?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|source| error("read", &runs, source))?;
            found.extend(self.summary(&entry.file_name().to_string_lossy()));
        }
        Ok(order::newest_first(found))
    }

    fn summary(&self, name: &str) -> Option<RunSummary> {
        let folder = self.folder.join("runs").join(name);
        let path = folder.join(JOURNAL);
        let history = match journal::history(&path) {
            Err(JournalError::Empty { .. }) => return None,
            Err(JournalError::Io { source, .. }) if is_no_journal(&source) => return None,
            history => history,
        };
        let is_carried_on = history.as_ref().is_ok_and(|history| {
            history.is_unfinished() && lock::is_taken(&self.lock_of(history.rotation.as_str()))
        });
        Some(RunSummary {
            name: name.to_owned(),
            folder,
            history,
            is_carried_on,
        })
    }

    /// Refuses where a run of the secret could not begin now: for a look before the
    /// question. Beginning looks again.
    ///
    /// # Errors
    ///
    /// [`RunsError::Busy`], [`RunsError::Unfinished`], [`RunsError::UnfinishedElsewhere`].
    pub fn check_free(&self, rotation: &str) -> Result<(), RunsError> {
        if lock::is_taken(&self.lock_of(rotation)) {
            return Err(RunsError::Busy {
                rotation: rotation.to_owned(),
            });
        }
        self.refuse_unfinished(rotation)
    }

    fn journal_of(&self, run: &str) -> Result<PathBuf, RunsError> {
        let path = self.folder.join("runs").join(run).join(JOURNAL);
        let is_name = Name::new(run).is_ok() && !run.contains('/') && !run.starts_with('.');
        if is_name && path.is_file() {
            Ok(path)
        } else {
            Err(RunsError::NoSuchRun {
                run: run.to_owned(),
                folder: self.folder.clone(),
            })
        }
    }

    fn lock(&self, rotation: &str) -> Result<File, RunsError> {
        let path = self.lock_of(rotation);
        path.parent().map_or(Ok(()), make_folders)?;
        lock::take(&path, rotation)
    }

    fn lock_of(&self, rotation: &str) -> PathBuf {
        let folder = match &self.shared {
            Some(shared) => shared.clone(),
            None => self.folder.join("locks"),
        };
        folder.join(format!("{rotation}.lock"))
    }

    /// A folder that wasn't there, named after the secret and the second.
    fn make_folder(&self, rotation: &str) -> Result<(Name, PathBuf), RunsError> {
        let runs = self.folder.join("runs");
        make_folders(&runs)?;
        let second = Timestamp::now().strftime("%Y%m%d-%H%M%S").to_string();
        for attempt in 1_u32.. {
            let suffix = if attempt == 1 {
                String::new()
            } else {
                format!("-{attempt}")
            };
            let name = fixed_name(&format!("{rotation}-{second}{suffix}"))?;
            let folder = runs.join(name.as_str());
            match DirBuilder::new().mode(0o700).create(&folder) {
                Ok(()) => {
                    journal::sync_folder(&runs).map_err(|source| error("sync", &runs, source))?;
                    return Ok((name, folder));
                }
                Err(source) if source.kind() == io::ErrorKind::AlreadyExists => {}
                Err(source) => return Err(error("make", &folder, source)),
            }
        }
        Err(error("make", &runs, io::ErrorKind::AlreadyExists.into()))
    }
}

/// Makes a folder and those above it, and makes their names last.
fn make_folders(folder: &Path) -> Result<(), RunsError> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().filter(|parent| *parent != Path::new(""));
    let parent = parent.unwrap_or(Path::new("."));
    make_folders(parent)?;
    match DirBuilder::new().mode(0o700).create(folder) {
        // Another process may have been quicker.
        Err(source) if source.kind() == io::ErrorKind::AlreadyExists => {}
        made => made.map_err(|source| error("make", folder, source))?,
    }
    journal::sync_folder(parent).map_err(|source| error("sync", parent, source))
}

/// A process that ended early left a folder without a journal; a file is none.
fn is_no_journal(source: &io::Error) -> bool {
    matches!(
        source.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Of texts that are names by the way they are made.
fn fixed_name(text: &str) -> Result<Name, RunsError> {
    Name::new(text).map_err(|source| error("name", Path::new(text), io::Error::other(source)))
}
