//! A run in this process: its journal, its locks, and what it knows.

use std::fs::File;
use std::path::Path;

use crate::event::{Conductor, Event};
use crate::fact::{Fact, Facts, Name};
use crate::history::{History, Impossible, StepHistory};
use crate::journal::{FixedText, Journal, JournalError, LineSink, Record, Written};
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

/// The journal, as a step may write to it.
pub struct Log<'a> {
    run: &'a mut Run,
    step: &'static str,
    conductor: &'a mut dyn Conductor,
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

/// The history that the records tell.
pub(crate) fn replay(path: &Path, records: &[Written]) -> Result<History, JournalError> {
    let impossible = |line: usize| {
        move |source| JournalError::Impossible {
            path: path.to_owned(),
            line,
            source,
        }
    };
    let Some((first, later)) = records.split_first() else {
        return Err(JournalError::Empty {
            path: path.to_owned(),
        });
    };
    let mut history = History::begin(first).map_err(impossible(1))?;
    for (index, record) in later.iter().enumerate() {
        history.follow(record).map_err(impossible(index + 2))?;
    }
    Ok(history)
}

impl<'a> Log<'a> {
    pub(crate) fn new(
        run: &'a mut Run,
        step: &'static str,
        conductor: &'a mut dyn Conductor,
    ) -> Log<'a> {
        Log {
            run,
            step,
            conductor,
        }
    }

    /// What is known so far.
    pub fn facts(&self) -> &Facts {
        &self.run.history.facts
    }

    /// Records a fact; when this returns, it is on the disk. One that is known
    /// already is not written again.
    ///
    /// # Errors
    ///
    /// When it can't be written: the step must not go on.
    pub fn record(&mut self, name: &'static str, fact: Fact) -> Result<(), JournalError> {
        if self.facts().get(name) == Some(&fact) {
            return Ok(());
        }
        self.conductor.event(Event::Fact { name, fact: &fact });
        self.run.write(Record::FactFound {
            step: FixedText::from(self.step),
            name: FixedText::from(name),
            fact,
        })
    }

    /// Records a fact, and before it what it is made up of, of which who watches doesn't
    /// hear. One write brings all of it to the disk: it takes no longer than one fact.
    ///
    /// # Errors
    ///
    /// When it can't be written: the step must not go on.
    pub fn record_with(
        &mut self,
        name: &'static str,
        fact: Fact,
        details: Vec<(&'static str, Fact)>,
    ) -> Result<(), JournalError> {
        let known = self.facts();
        let is_known = |name, fact: &Fact| known.get(name) == Some(fact);
        let record = |name: &'static str, fact| Record::FactFound {
            step: FixedText::from(self.step),
            name: FixedText::from(name),
            fact,
        };
        let mut records: Vec<Record> = details
            .into_iter()
            .filter(|(name, fact)| !is_known(name, fact))
            .map(|(name, fact)| record(name, fact))
            .collect();
        if !is_known(name, &fact) {
            self.conductor.event(Event::Fact { name, fact: &fact });
            records.push(record(name, fact));
        }
        self.run.write_all(records)
    }

    /// The name of the run.
    pub fn run_name(&self) -> &Name {
        &self.run.history.run
    }

    /// Tells whoever watches something that belongs into no journal.
    pub fn say(&mut self, text: &str) {
        self.conductor.event(Event::Remark(text));
    }
}
