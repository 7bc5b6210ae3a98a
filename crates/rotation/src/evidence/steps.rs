//! Each step: when it was at work, how it was verified, and how it ended.

use jiff::Timestamp;
use runbook::{About, Activity, History, Kind, SpanEnd, StepHistory, StepStatus};
use serde::Serialize;

use super::{milliseconds, texts};

/// A step of a run.
#[derive(Clone, Debug, Serialize)]
pub struct EvidenceStep {
    /// Counted from 1.
    pub number: usize,
    /// What the journal calls it.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// What is done; none where the build that the run began with had other steps.
    pub does: Option<&'static str>,
    /// `pending`, `begun`, `waiting`, `failed`, `done`, `found`, `undoing`, `undone` or `stuck`.
    pub status: &'static str,
    /// When it began first.
    pub began_at: Option<Timestamp>,
    /// When it last changed.
    pub ended_at: Option<Timestamp>,
    /// For how long it was at work, its undo not counted.
    pub worked_ms: u64,
    /// For how long it waited, for people or for a time.
    pub waited_ms: u64,
    /// How often it was begun, not counted when it only came to wait.
    pub attempts: usize,
    /// How often its effect was gone again.
    pub lost: u32,
    /// How it was verified; none where it wasn't.
    pub verification: Option<Verification>,
    /// How it is undone.
    pub undo: Option<&'static str>,
    /// The outage that was to be expected, in words.
    pub outage: Option<&'static str>,
    /// Why it, or its undo, failed last.
    pub reason: Option<String>,
    /// Until when it waits.
    pub until: Option<Timestamp>,
    /// What it did when.
    pub spans: Vec<EvidenceSpan>,
}

/// How a step was seen to have worked.
#[derive(Clone, Debug, Serialize)]
pub struct Verification {
    /// How it was verified.
    pub how: &'static str,
    /// `tool`, or `people`, whose word is all there is.
    pub by: &'static str,
    /// When that had succeeded.
    pub passed_at: Timestamp,
}

/// A time in which a step did one thing.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct EvidenceSpan {
    /// `doing`, `waiting` or `undoing`.
    pub activity: &'static str,
    /// From when.
    pub began_at: Timestamp,
    /// Until when; where no end is known, when the run was heard of last.
    pub ended_at: Timestamp,
    /// `done`, `waits`, `failed`, `left`, `undone`, `undo_failed`; none where no end is known.
    pub end: Option<&'static str>,
}

pub(super) fn of(history: &History) -> Vec<EvidenceStep> {
    let texts = texts::of(history);
    let steps = history.steps.iter().enumerate();
    steps
        .map(|(index, step)| {
            let mut texts = texts.iter();
            let about = texts.find(|about| about.name == step.name.as_str());
            EvidenceStep::of(index + 1, step, about.copied(), history.last_at)
        })
        .collect()
}

impl EvidenceStep {
    fn of(
        number: usize,
        step: &StepHistory,
        about: Option<&'static About>,
        heard_of: Timestamp,
    ) -> EvidenceStep {
        let spans = spans(step, heard_of);
        let title = about.map_or(step.name.as_str(), |about| about.title);
        EvidenceStep {
            number,
            name: step.name.to_string(),
            title: title.to_owned(),
            does: about.map(|about| about.does),
            status: status(step),
            began_at: step.began_at,
            ended_at: step.last_at,
            worked_ms: sum(&spans, "doing"),
            waited_ms: sum(&spans, "waiting"),
            attempts: attempts(&spans),
            lost: step.lost,
            verification: verification(step, about),
            undo: about.map(|about| about.undo.text()),
            outage: about.and_then(|about| about.outage),
            reason: step.reason.as_ref().map(ToString::to_string),
            until: step.until,
            spans,
        }
    }

    /// Its status in words.
    pub fn words(&self) -> &'static str {
        match self.status {
            "pending" => "not begun",
            "waiting" => "waits",
            "found" => "was so already",
            "undoing" => "being undone",
            "stuck" => "undo failed",
            status => status,
        }
    }
}

fn status(step: &StepHistory) -> &'static str {
    match step.status {
        StepStatus::Pending => "pending",
        StepStatus::Begun => "begun",
        StepStatus::Waiting => "waiting",
        StepStatus::Failed => "failed",
        StepStatus::Done if step.found => "found",
        StepStatus::Done => "done",
        StepStatus::Undoing => "undoing",
        StepStatus::Undone => "undone",
        StepStatus::Stuck => "stuck",
    }
}

/// A step is done only after it was verified.
fn verification(step: &StepHistory, about: Option<&'static About>) -> Option<Verification> {
    let about = about?;
    let ends = step.spans().iter().rev().filter_map(|span| span.end);
    let mut done = ends.filter(|(_, how)| *how == SpanEnd::Done);
    Some(Verification {
        how: about.verified,
        by: match about.kind {
            Kind::People => "people",
            _ => "tool",
        },
        passed_at: done.next().map(|(at, _)| at)?,
    })
}

fn spans(step: &StepHistory, heard_of: Timestamp) -> Vec<EvidenceSpan> {
    let spans = step.spans().iter();
    spans
        .map(|span| EvidenceSpan {
            activity: match span.activity {
                Activity::Doing => "doing",
                Activity::Waiting => "waiting",
                Activity::Undoing => "undoing",
            },
            began_at: span.began_at,
            ended_at: span.ended_at(heard_of),
            end: span.end.map(|(_, how)| match how {
                SpanEnd::Done => "done",
                SpanEnd::Waits => "waits",
                SpanEnd::Failed => "failed",
                SpanEnd::Left => "left",
                SpanEnd::Undone => "undone",
                SpanEnd::UndoFailed => "undo_failed",
            }),
        })
        .collect()
}

fn attempts(spans: &[EvidenceSpan]) -> usize {
    let is_attempt = |span: &&EvidenceSpan| span.activity == "doing" && span.end != Some("waits");
    spans.iter().filter(is_attempt).count()
}

fn sum(spans: &[EvidenceSpan], activity: &str) -> u64 {
    let those = spans.iter().filter(|span| span.activity == activity);
    those
        .map(|span| milliseconds(span.began_at, span.ended_at))
        .fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A journal may tell anything, as often as it likes.
    #[test]
    fn times_that_are_no_sum_any_more_are_the_longest() {
        let longest = EvidenceSpan {
            activity: "doing",
            began_at: Timestamp::MIN,
            ended_at: Timestamp::MAX,
            end: None,
        };
        let spans = vec![longest; 40_000];
        assert_eq!(sum(&spans, "doing"), u64::MAX);
        assert_eq!(sum(&spans, "waiting"), 0);
    }
}
