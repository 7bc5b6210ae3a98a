//! A run in this process: its journal, its locks, and what it knows.

use std::fs::File;
use std::path::Path;

use crate::history::{History, Impossible, StepHistory};
use crate::journal::{Journal, JournalError, LineSink, Record, Written, replay};
use crate::name::Name;
use crate::status::{RunEvent, StepStatus};

/// A run that this process alone may carry on.
pub struct Run {
    journal: Journal,
    history: History,
    operator: Name,
    /// Whether the journal was there before this process, and nothing was written to it yet.
    reopened: bool,
    /// Held until the run is dropped, or the process ends.
    _locks: Vec<File>,
}

impl Run {
    pub(crate) fn begin(
        mut journal: Journal,
        first: Record,
        operator: Name,
        locks: Vec<File>,
    ) -> Result<Run, JournalError> {
        let first = Written::now(first);
        let history = History::begin(&first).map_err(|source| JournalError::Impossible {
            path: journal.path().to_owned(),
            line: 1,
            source,
        })?;
        journal.append(std::slice::from_ref(&first))?;
        Ok(Run {
            journal,
            history,
            operator,
            reopened: false,
            _locks: locks,
        })
    }

    pub(crate) fn reopen(
        path: &Path,
        operator: Name,
        locks: Vec<File>,
    ) -> Result<Run, JournalError> {
        let (journal, records) = Journal::open(path)?;
        let history = replay(path, &records)?;
        Ok(Run {
            journal,
            history,
            operator,
            reopened: true,
            _locks: locks,
        })
    }

    /// What the journal tells.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The folder with the journal.
    pub fn folder(&self) -> &Path {
        self.journal.path().parent().unwrap_or(Path::new("."))
    }

    /// Who carries it on.
    pub(crate) fn operator(&self) -> Name {
        self.operator.clone()
    }

    /// Writes who goes on with a run that was left; refuses where it can't go on.
    pub(crate) fn write_resumption(&mut self) -> Result<(), JournalError> {
        if !self.reopened {
            let after = self.history.after(RunEvent::Resume);
            return after.map(|_| ()).map_err(|source| self.refused(source));
        }
        self.reopened = false;
        self.write(Record::RunResumed {
            operator: self.operator(),
        })
    }

    /// Leaves it where it stands, for good: nothing but its journal is changed. That what it
    /// leaves is sound, the caller has seen.
    ///
    /// # Errors
    ///
    /// When the run is at its end, or the journal can't be written.
    pub fn abandon(&mut self) -> Result<(), JournalError> {
        self.write(Record::RunAbandoned {
            operator: self.operator(),
        })
    }

    pub(crate) fn status_of(&self, step: &str) -> StepStatus {
        self.history.step_status(step)
    }

    /// Whether this run has begun the step and not undone it.
    pub(crate) fn has_to_undo(&self, step: &str) -> bool {
        let step = self.history.step(step);
        step.is_some_and(StepHistory::is_to_be_undone)
    }

    /// Puts another sink before the journal's file: see [`Journal::through`].
    #[must_use]
    pub fn through(self, wrap: impl FnOnce(Box<dyn LineSink>) -> Box<dyn LineSink>) -> Run {
        Run {
            journal: self.journal.through(wrap),
            ..self
        }
    }

    /// Writes a record, if it may follow those before it.
    pub(crate) fn write(&mut self, record: Record) -> Result<(), JournalError> {
        self.write_all(vec![record])
    }

    /// Writes several in one go, if each may follow those before it. What a crash leaves of
    /// them is the first of them, whole.
    pub(crate) fn write_all(&mut self, records: Vec<Record>) -> Result<(), JournalError> {
        let written: Vec<Written> = records.into_iter().map(Written::now).collect();
        let mut next = self.history.clone();
        for written in &written {
            next.follow(written)
                .map_err(|source| self.refused(source))?;
        }
        self.journal.append(&written)?;
        self.history = next;
        Ok(())
    }

    fn refused(&self, source: Impossible) -> JournalError {
        JournalError::Refused {
            path: self.journal.path().to_owned(),
            source,
        }
    }
}
