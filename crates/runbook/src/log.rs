//! What a step may do with its run: record facts, and tell things to whoever watches.

use crate::event::{Conductor, Event};
use crate::fact::{Fact, Facts};
use crate::journal::{FixedText, JournalError, Record};
use crate::name::Name;
use crate::run::Run;

/// The journal, as a step may write to it.
pub struct Log<'a> {
    run: &'a mut Run,
    step: &'static str,
    conductor: &'a mut dyn Conductor,
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
        &self.run.history().facts
    }

    /// Records a fact; when this returns, it is on the disk. One that is known
    /// already is not written again.
    ///
    /// # Errors
    ///
    /// When it can't be written: the step must not go on.
    pub fn record(&mut self, name: &'static str, fact: Fact) -> Result<(), JournalError> {
        self.record_with(name, fact, Vec::new())
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
        &self.run.history().run
    }

    /// Tells whoever watches something that belongs into no journal.
    pub fn say(&mut self, text: &str) {
        self.conductor.event(Event::Remark(text));
    }
}
