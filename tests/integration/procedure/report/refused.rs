//! Where there is nothing to report.
use std::os::unix::fs::{FileTypeExt as _, symlink};

use anyhow::Result;

use super::{DONE, printed, with_journals};
use crate::procedure::lab::json;
use crate::procedure::sandbox::{Sandbox, assert_said};

#[test]
fn without_a_run_it_says_so() -> Result<()> {
    let sandbox = Sandbox::empty()?;
    sandbox.settings("", "")?;
    let output = sandbox.run(&["report"])?;
    assert_said(
        &output,
        1,
        &["there is no run yet, in `state`", "cargo xtask status"],
    );
    assert_eq!(output.stdout, "");
    Ok(())
}

#[test]
fn a_run_that_is_not_there_is_named() -> Result<()> {
    let sandbox = with_journals()?;
    let words = [
        "there is no run `nobody's`",
        "`cargo xtask status` lists the runs",
    ];
    assert_said(&sandbox.run(&["report", "nobody's"])?, 1, &words);
    Ok(())
}

#[test]
fn a_journal_that_cannot_be_read_is_no_evidence() -> Result<()> {
    let sandbox = with_journals()?;
    let path = format!("state/runs/{DONE}/journal.jsonl");
    let journal = sandbox.read(&path)?;
    sandbox.write(&path, &journal.replace("step_began", "step_begun"))?;
    for arguments in [&["report", DONE][..], &["report", DONE, "--format", "json"]] {
        let output = sandbox.run(arguments)?;
        assert_said(&output, 1, &["is no record of a run", "hint: "]);
        if arguments.contains(&"json") {
            let error = &json(&output)?["error"];
            let message = error["message"].as_str().unwrap_or_default();
            assert!(message.contains("is no record of a run"), "{error}");
        } else {
            assert_eq!(output.stdout, "");
        }
    }
    // Another run is reported, with a warning: the damaged one may be newer.
    let output = sandbox.run(&["report"])?;
    assert_said(&output, 0, &["warning: line 2 of the journal"]);
    Ok(())
}

#[test]
fn a_file_that_cannot_be_written_is_named() -> Result<()> {
    let sandbox = with_journals()?;
    let output = sandbox.run(&["report", DONE, "--output", "no/such/folder.md"])?;
    assert_said(
        &output,
        1,
        &["no/such/folder.md", "hint: name another file"],
    );
    Ok(())
}

#[test]
fn it_changes_nothing() -> Result<()> {
    let sandbox = with_journals()?;
    let before = sandbox.tree()?;
    printed(&sandbox, &[DONE])?;
    let differences = before.differences(&sandbox.tree()?);
    assert!(differences.is_empty(), "{differences:?}");
    Ok(())
}

/// As root it would have replaced the machine's `/dev/null` by a file.
#[test]
fn a_device_and_a_pipe_are_written_to_and_not_replaced() -> Result<()> {
    let sandbox = with_journals()?;
    symlink("/dev/null", sandbox.path("link"))?;
    let output = sandbox.run(&["report", DONE, "--output", "link"])?;
    assert_said(&output, 0, &["report: link"]);
    assert!(sandbox.path("link").is_symlink());

    let line = format!("mkfifo pipe; cat pipe & cargo xtask report {DONE} --output pipe && wait");
    let output = sandbox.pasted(&line)?;
    assert_said(&output, 0, &["report: pipe"]);
    assert_eq!(output.stdout, printed(&sandbox, &[DONE])?);
    assert!(sandbox.path("pipe").metadata()?.file_type().is_fifo());
    Ok(())
}

#[test]
#[cfg(target_os = "linux")]
fn a_report_that_cannot_be_printed_fails() -> Result<()> {
    let sandbox = with_journals()?;
    for command in ["report", "runbook", "completions bash", "status", "--help"] {
        let full = sandbox.pasted(&format!("cargo xtask {command} > /dev/full"))?;
        assert_said(&full, 1, &["standard output can't be written to"]);
    }
    // Who stops reading has had what it wanted.
    let line = format!("{{ cargo xtask report {DONE}; echo $? >&2; }} | true");
    let closed = sandbox.pasted(&line)?;
    assert_eq!((closed.code, closed.stderr.as_str()), (Some(0), "0\n"));
    Ok(())
}
