//! What holds whatever a journal holds: for the fuzz target of `tests/fuzz`, and for the
//! test that gives the same properties the journals that fuzzing found.

#[cfg(test)]
#[path = "../../../tests/fuzz/replay.rs"]
mod replay;

use std::path::Path;

use crate::history::{History, SpanEnd, StepHistory};
use crate::journal::{self, FORMAT, JournalError, Written, replay as told_by};
use crate::status::{RunStatus, StepStatus};
use crate::{Fact, Name};

/// How many of a journal's records are looked at one by one.
const LOOKED_AT: usize = 24;

/// What stands in a journal's file: whole, cut off, garbled.
pub fn journal(text: &[u8]) {
    match records(text) {
        Ok(records) => {
            is_written_as_it_was_read(&records);
            is_told_as_far_as_it_goes(text, &records);
            adds_up(&records);
        }
        Err(error) => is_refused_with_its_line(text, &error),
    }
}

fn records(text: &[u8]) -> Result<Vec<Written>, JournalError> {
    journal::records(path(), text)
}

fn path() -> &'static Path {
    Path::new("journal.jsonl")
}

fn lines(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte == b'\n').count()
}

fn is_refused_with_its_line(text: &[u8], error: &JournalError) {
    match error {
        JournalError::Empty { .. } => assert!(lines(text) == 0, "there is a line"),
        JournalError::Newer { format, .. } => assert!(*format > FORMAT, "a known format"),
        JournalError::Damaged { line, .. } => {
            assert!((1..=lines(text)).contains(line), "no such line");
            let whole = text.split_inclusive(|byte| *byte == b'\n');
            let before: Vec<u8> = whole.take(line - 1).flatten().copied().collect();
            assert!(
                matches!(records(&before), Ok(_) | Err(JournalError::Empty { .. })),
                "another line is damaged, too"
            );
        }
        JournalError::Io { .. }
        | JournalError::Impossible { .. }
        | JournalError::Refused { .. } => unreachable!("nothing of that is done here"),
    }
    let said = format!("{error} {}", error.hint());
    assert!(!said.contains(char::is_control), "it breaks lines");
}

fn is_written_as_it_was_read(records: &[Written]) {
    for record in records {
        let Ok(line) = serde_json::to_vec(record) else {
            unreachable!("a record can be written");
        };
        assert!(!line.contains(&b'\n'), "a record of two lines");
        let read = serde_json::from_slice::<Written>(&line);
        assert!(
            read.is_ok_and(|read| read == *record),
            "another record is read"
        );
    }
}

/// Wherever the end of a process cut a journal, the records before that are all there.
fn is_told_as_far_as_it_goes(text: &[u8], whole: &[Written]) {
    assert!(whole.len() == lines(text), "a line without a record");
    let ends = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let ends = ends.map(|(end, _)| end).take(LOOKED_AT);
    let cuts = ends.flat_map(|end| [end, end + 1, end + 2]);
    for cut in cuts.chain([text.len() / 3, text.len() / 2]) {
        let Some(left) = text.get(..cut) else {
            continue;
        };
        assert!(
            match records(left) {
                Ok(told) => Some(told.as_slice()) == whole.get(..lines(left)),
                Err(JournalError::Empty { .. }) => lines(left) == 0,
                Err(_) => false,
            },
            "a cut changes what stands before it"
        );
    }
}

/// A journal that can be followed to its end can be followed to each of its records, and
/// what can't follow changes nothing.
fn adds_up(records: &[Written]) {
    let error = match told_by(path(), records) {
        Ok(history) => return makes_sense(&history, records),
        Err(error) => error,
    };
    let JournalError::Impossible { line, .. } = &error else {
        unreachable!("the lines are records");
    };
    let (before, after) = records.split_at(line - 1);
    let Some((wrong, _)) = after.split_first() else {
        unreachable!("there is such a line");
    };
    let Ok(mut history) = told_by(path(), before) else {
        return assert!(before.is_empty(), "an earlier line can't follow, either");
    };
    makes_sense(&history, before);
    let as_it_was = format!("{history:?}");
    assert!(history.follow(wrong).is_err(), "it can follow");
    assert!(
        as_it_was == format!("{history:?}"),
        "a refusal left something"
    );
}

fn makes_sense(history: &History, records: &[Written]) {
    let is_all = |status| history.steps.iter().all(|step| step.status == status);
    let is_any_left = history.steps.iter().any(|step| step.is_to_be_undone());
    match history.status {
        RunStatus::Done => assert!(is_all(StepStatus::Done), "done, but for a step"),
        RunStatus::RolledBack => assert!(!is_any_left, "rolled back, but for a step"),
        RunStatus::RollingBack => assert!(history.current_step().is_some() == is_any_left),
        RunStatus::Abandoned => {
            assert!(history.current_step().is_none() && history.ended_at.is_some());
        }
        RunStatus::Forward => assert!(history.current_step().is_none() == is_all(StepStatus::Done)),
    }
    assert!(Some(history.last_at) == records.last().map(|record| record.at));
    for (_, fact) in history.facts.iter() {
        if let Fact::Name(name) = fact {
            assert!(Name::new(name.as_str()).is_ok(), "a name that is none");
        }
    }
    for step in &history.steps {
        has_times_that_make_sense(history, step);
    }
}

/// One thing at a time: all of a step's times have an end but the last.
fn has_times_that_make_sense(history: &History, step: &StepHistory) {
    let mut spans = step.spans().iter().rev();
    let last = spans.next();
    assert!(last.is_some() || step.status == StepStatus::Pending);
    assert!(spans.all(|span| span.end.is_some()), "two at a time");
    let open = last.filter(|span| span.end.is_none());
    assert!(
        open.is_none() || history.is_unfinished(),
        "at work in a run that is over"
    );
    if step.status == StepStatus::Done {
        let is_done = last.is_some_and(|span| matches!(span.end, Some((_, SpanEnd::Done))));
        assert!(is_done, "done, and no time tells of it");
    }
}

#[cfg(test)]
mod tests {
    use super::replay;

    #[test]
    fn the_properties_of_journals_hold_for_the_corpus() {
        replay::replay("journal", super::journal);
    }
}
