//! Between the engine and whoever watches a run.

use jiff::Timestamp;

use crate::about::About;
use crate::fact::Fact;

/// What happens, for drawing. The journal knows it already or will in a moment.
#[derive(Debug)]
pub enum Event<'a> {
    /// A step begins, or its undo.
    Begins {
        /// Counted from 1.
        number: usize,
        /// How many steps the plan has.
        of: usize,
        /// The step.
        about: &'static About,
        /// Whether it is undone, not done.
        undo: bool,
    },
    /// The effect of a step is there already; nothing is done.
    Found {
        /// Counted from 1.
        number: usize,
        /// How many steps the plan has.
        of: usize,
        /// The step.
        about: &'static About,
    },
    /// The effect of a step that was done is gone: the run goes on from there.
    Lost {
        /// The step.
        about: &'static About,
    },
    /// A step, or its undo, is done.
    Ends {
        /// The step.
        about: &'static About,
    },
    /// It waits: for people, or until then.
    Waits {
        /// The step.
        about: &'static About,
        /// When to go on; none where people are waited for.
        until: Option<Timestamp>,
    },
    /// A fact was found.
    Fact {
        /// What it is.
        name: &'static str,
        /// The fact.
        fact: &'a Fact,
    },
    /// Something else worth knowing.
    Remark(&'a str),
}

/// Whoever watches a run, answers for people, and may ask it to stop.
pub trait Conductor {
    /// Something happened.
    fn event(&mut self, event: Event<'_>);

    /// Whether people have done what this step asks of them.
    fn is_done_by_people(&mut self, about: &'static About) -> bool;

    /// The same of what people have to do for its undo.
    fn is_undone_by_people(&mut self, about: &'static About) -> bool {
        self.is_done_by_people(about)
    }

    /// Whether the run is to stop before its next step.
    fn is_interrupted(&self) -> bool;
}
