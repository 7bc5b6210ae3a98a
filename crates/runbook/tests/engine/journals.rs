//! Journals that can't be believed, or not be read.

use std::fs;

use runbook::{JournalError, RunsError};

use crate::folder::{begin, journal_of, open, stage};

#[test]
fn a_damaged_journal_is_listed_and_lets_nothing_begin() {
    for (damage, line) in [("{}\n", 2), ("\n", 2)] {
        let stage = stage();
        let run = stage.begin();
        let path = journal_of(&run);
        let name = run.history().run.to_string();
        drop(run);
        let text = fs::read_to_string(&path).unwrap() + damage;
        fs::write(&path, text).unwrap();
        let is_damaged = |error: &JournalError| matches!(error, JournalError::Damaged { line: at, .. } if *at == line);
        let listed = stage.runs().list().unwrap();
        assert!(is_damaged(listed[0].history.as_ref().unwrap_err()));
        for error in [begin(&stage.runs()).err(), open(&stage.runs(), &name).err()] {
            assert!(
                matches!(&error, Some(RunsError::Journal(error)) if is_damaged(error)),
                "{error:?}"
            );
        }
    }
}

#[test]
fn a_journal_of_what_cannot_have_happened_is_not_believed() {
    let at = r#"{"at":"2026-11-23T02:00:00Z","record":"#;
    for record in [
        r#""run_done"}"#,
        r#""run_rolled_back"}"#,
        r#""step_done","step":"nobody","found":false}"#,
        r#""step_undone","step":"look"}"#,
        r#""undo_began","step":"look"}"#,
        r#""fact_found","step":"look","name":"thing","fact":{"count":1}}"#,
    ] {
        let stage = stage();
        let run = stage.begin();
        let path = journal_of(&run);
        drop(run);
        fs::write(
            &path,
            fs::read_to_string(&path).unwrap() + at + record + "\n",
        )
        .unwrap();
        let listed = stage.runs().list().unwrap();
        let error = listed[0].history.as_ref().unwrap_err();
        assert!(
            matches!(error, JournalError::Impossible { line: 2, .. }),
            "{record}: {error}"
        );
    }
}

#[test]
fn a_journal_of_a_newer_format_is_left_alone() {
    let stage = stage();
    let run = stage.begin();
    let path = journal_of(&run);
    let name = run.history().run.to_string();
    drop(run);
    let newer = fs::read_to_string(&path)
        .unwrap()
        .replace("\"format\":1", "\"format\":2")
        + "half";
    fs::write(&path, &newer).unwrap();
    for error in [begin(&stage.runs()).err(), open(&stage.runs(), &name).err()] {
        let is_newer = matches!(
            error,
            Some(RunsError::Journal(JournalError::Newer { format: 2, .. }))
        );
        assert!(is_newer, "{error:?}");
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), newer);
}
