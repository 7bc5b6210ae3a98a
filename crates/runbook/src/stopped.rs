//! Why a run stopped before its end.

use jiff::Timestamp;

use crate::about::About;
use crate::journal::JournalError;
use crate::plan::Position;

/// Why a run stopped. The journal knows where it stands.
#[derive(Debug, thiserror::Error)]
pub enum Stopped<E> {
    /// A step failed.
    #[error("step {number}, `{}`, failed", .about.title)]
    Failed {
        /// Counted from 1.
        number: usize,
        /// The step.
        about: &'static About,
        /// Why.
        #[source]
        error: E,
        /// Whether this run may have changed something so far.
        changed: bool,
    },
    /// A step waits for people, or for a time.
    #[error("step {number}, `{}`, waits", .about.title)]
    Waits {
        /// Counted from 1.
        number: usize,
        /// The step.
        about: &'static About,
        /// When to go on; none where people are waited for.
        until: Option<Timestamp>,
    },
    /// Somebody asked to stop.
    #[error("interrupted at step {number}, `{}`", .about.title)]
    Interrupted {
        /// Counted from 1.
        number: usize,
        /// The step.
        about: &'static About,
    },
    /// The world is in no state that this run can have left: the effect of a step
    /// is gone, and that of a later one is there.
    #[error(
        "somebody else changed something: the effect of `{}` is gone, and that of the later step `{}` is there",
        .gone.title, .there.title
    )]
    Disturbed {
        /// The step whose effect is gone.
        gone: &'static About,
        /// The later step.
        there: &'static About,
    },
    /// The undo of a step failed.
    #[error("stuck: the undo of step {number}, `{}`, failed", .about.title)]
    Stuck {
        /// Counted from 1.
        number: usize,
        /// The step.
        about: &'static About,
        /// Why.
        #[source]
        error: E,
    },
    /// A step that may have had its effect can't be undone.
    #[error("step {number}, `{}`, can't be undone: {}", .about.title, .about.undo.text())]
    CannotUndo {
        /// Counted from 1.
        number: usize,
        /// The step.
        about: &'static About,
    },
    /// The journal can't be written: nothing more was done.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl<E> Stopped<E> {
    pub(crate) fn interrupted(position: Position) -> Stopped<E> {
        Stopped::Interrupted {
            number: position.number,
            about: position.about,
        }
    }
}
