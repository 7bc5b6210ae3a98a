//! When a step was at work, waited or was undone, and how each of these times ended.

use jiff::Timestamp;

use crate::status::StepEvent;

/// A time in which a step did one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// What it did.
    pub activity: Activity,
    /// From when.
    pub began_at: Timestamp,
    /// Until when and how it ended; none while nothing is known of an end.
    pub end: Option<(Timestamp, SpanEnd)>,
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// Its work.
    Doing,
    /// It waits for people or for a time.
    Waiting,
    /// What takes it back.
    Undoing,
}

/// How a time ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanEnd {
    /// The step was done.
    Done,
    /// It had to wait from then on.
    Waits,
    /// It failed.
    Failed,
    /// The process stopped or ended; this is when it was heard of last.
    Left,
    /// The step was undone.
    Undone,
    /// Its undo failed.
    UndoFailed,
}

/// The times of a step, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spans(Vec<Span>);

impl Spans {
    pub(crate) fn as_slice(&self) -> &[Span] {
        &self.0
    }

    /// What happens to the step, and when the run was heard of before that.
    pub(crate) fn follow(&mut self, event: StepEvent, at: Timestamp, heard_of: Timestamp) {
        match event {
            StepEvent::FindFact => {}
            StepEvent::Begin => self.next(Activity::Doing, at, heard_of),
            StepEvent::BeginUndo => self.next(Activity::Undoing, at, heard_of),
            StepEvent::Wait => {
                self.end(at, SpanEnd::Waits);
                self.begin(Activity::Waiting, at);
            }
            StepEvent::Finish => {
                if !self.end(at, SpanEnd::Done) {
                    // It was found to be done.
                    self.begin(Activity::Doing, at);
                    self.end(at, SpanEnd::Done);
                }
            }
            StepEvent::Fail => {
                self.end(at, SpanEnd::Failed);
            }
            StepEvent::Lose => self.leave(at, heard_of),
            StepEvent::FinishUndo => {
                self.end(at, SpanEnd::Undone);
            }
            StepEvent::FailUndo => {
                self.end(at, SpanEnd::UndoFailed);
            }
        }
    }

    /// Somebody takes the run up: whatever was at work had ended before.
    pub(crate) fn take_up(&mut self, heard_of: Timestamp) {
        let is_at_work = |span: &Span| span.activity != Activity::Waiting;
        if self.0.last().is_some_and(is_at_work) {
            self.end(heard_of, SpanEnd::Left);
        }
    }

    fn next(&mut self, activity: Activity, at: Timestamp, heard_of: Timestamp) {
        self.leave(at, heard_of);
        self.begin(activity, at);
    }

    fn begin(&mut self, activity: Activity, at: Timestamp) {
        self.0.push(Span {
            activity,
            began_at: at,
            end: None,
        });
    }

    /// A wait lasts until something else begins; work, as long as it was heard of.
    fn leave(&mut self, at: Timestamp, heard_of: Timestamp) {
        self.take_up(heard_of);
        self.end(at, SpanEnd::Left);
    }

    /// Whether there was anything to end.
    fn end(&mut self, at: Timestamp, how: SpanEnd) -> bool {
        match self.0.last_mut() {
            Some(span) if span.end.is_none() => {
                span.end = Some((at, how));
                true
            }
            _ => false,
        }
    }
}

impl Span {
    /// Until when it lasted; `heard_of` is when the run was heard of last.
    pub fn ended_at(&self, heard_of: Timestamp) -> Timestamp {
        let end = self.end.map_or(heard_of, |(at, _)| at);
        // A clock that was set back makes no time negative.
        end.max(self.began_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_715_000_000 + second).unwrap()
    }

    fn told(events: &[(StepEvent, i64)]) -> String {
        let mut spans = Spans::default();
        let mut heard_of = 0;
        for (event, second) in events {
            spans.follow(*event, at(*second), at(heard_of));
            heard_of = *second;
        }
        let seconds = |at: Timestamp| at.as_second() - 1_715_000_000;
        let line = |span: &Span| {
            let end = match span.end {
                Some((at, how)) => format!("{} {how:?}", seconds(at)),
                None => "…".to_owned(),
            };
            format!("{:?} {}-{end}", span.activity, seconds(span.began_at))
        };
        let lines: Vec<String> = spans.as_slice().iter().map(line).collect();
        lines.join(", ")
    }

    #[test]
    fn a_wait_lasts_until_it_is_gone_on_with() {
        use StepEvent::{Begin, Finish, Wait};
        assert_eq!(
            told(&[(Begin, 1), (Wait, 2), (Begin, 900), (Finish, 901)]),
            "Doing 1-2 Waits, Waiting 2-900 Left, Doing 900-901 Done"
        );
    }

    #[test]
    fn work_that_was_cut_off_lasts_as_long_as_it_was_heard_of() {
        use StepEvent::{Begin, FindFact, Finish};
        assert_eq!(
            told(&[(Begin, 1), (FindFact, 3), (Begin, 900), (Finish, 901)]),
            "Doing 1-3 Left, Doing 900-901 Done"
        );
    }

    #[test]
    fn what_is_found_took_no_time() {
        assert_eq!(told(&[(StepEvent::Finish, 7)]), "Doing 7-7 Done");
    }

    #[test]
    fn an_undo_is_told_with_its_failure() {
        use StepEvent::{Begin, BeginUndo, FailUndo, Finish, FinishUndo};
        let events = [
            (Begin, 1),
            (Finish, 2),
            (BeginUndo, 5),
            (FailUndo, 6),
            (BeginUndo, 8),
            (FinishUndo, 9),
        ];
        assert_eq!(
            told(&events),
            "Doing 1-2 Done, Undoing 5-6 UndoFailed, Undoing 8-9 Undone"
        );
    }
}
