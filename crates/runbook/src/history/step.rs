//! The state of one step, by the records of its run's journal.

use jiff::Timestamp;

use super::span::{Span, Spans};
use crate::journal::FixedText;
use crate::status::{StepEvent, StepStatus};

/// A step as the journal tells it.
#[derive(Clone, Debug)]
pub struct StepHistory {
    /// Its name.
    pub name: FixedText,
    /// How far it is.
    pub status: StepStatus,
    /// When it began first.
    pub began_at: Option<Timestamp>,
    /// When it last changed.
    pub last_at: Option<Timestamp>,
    /// Whether its effect was found there, not brought about.
    pub found: bool,
    /// Why it, or its undo, failed last; none once it is begun again or done.
    pub reason: Option<FixedText>,
    /// Until when it waits, if it waits for a time.
    pub until: Option<Timestamp>,
    /// How often its effect was gone again, and it was to be done once more.
    pub lost: u32,
    spans: Spans,
}

impl StepHistory {
    /// Whether this run has begun it and not undone it. What was only found there
    /// was there before the run, and stays when the run is undone.
    pub fn is_to_be_undone(&self) -> bool {
        self.status.may_have_effect() && !self.found
    }

    /// When it was at work, waited and was undone, in order.
    pub fn spans(&self) -> &[Span] {
        self.spans.as_slice()
    }

    pub(super) fn new(name: &FixedText) -> StepHistory {
        StepHistory {
            name: name.clone(),
            status: StepStatus::Pending,
            began_at: None,
            last_at: None,
            found: false,
            reason: None,
            until: None,
            lost: 0,
            spans: Spans::default(),
        }
    }

    /// What happens to it, and when the run was heard of before that.
    pub(super) fn follow(
        &mut self,
        event: StepEvent,
        next: StepStatus,
        at: Timestamp,
        heard_of: Timestamp,
    ) {
        self.status = next;
        self.began_at.get_or_insert(at);
        self.last_at = Some(at);
        self.until = None;
        self.spans.follow(event, at, heard_of);
    }

    /// Somebody takes the run up, which was heard of last at this time.
    pub(super) fn take_up(&mut self, heard_of: Timestamp) {
        self.spans.take_up(heard_of);
    }
}
