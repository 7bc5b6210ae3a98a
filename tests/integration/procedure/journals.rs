//! Journals that can't be read, or not by this build: nothing goes on by them.
use std::fs;

use anyhow::Result;
use integration_tests::Output;

use super::sandbox::{RESTART, Sandbox, assert_said};

const CLIENTS: u64 = 20;

/// A run that waits for its window to be announced.
async fn with_a_run() -> Result<(Sandbox, String)> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    sandbox.settings("announce = true", RESTART)?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 3, &[]);
    let run = sandbox.run_name()?;
    Ok((sandbox, format!("state/runs/{run}/journal.jsonl")))
}

/// Each command that would go on refuses, naming the file; `status` shows the run.
fn assert_refused(sandbox: &Sandbox, words: &[&str]) -> Result<()> {
    let run = sandbox.run_name()?;
    let before = sandbox.tree()?;
    let commands: [&[&str]; 5] = [
        &["rotate-dcr"],
        &["resume", &run],
        &["rollback", &run],
        &["resume", &run, "--done", "--yes"],
        &["status"],
    ];
    for arguments in commands {
        let output = sandbox.run(arguments)?;
        assert_said(&output, 1, words);
        assert_said(&output, 1, &["journal.jsonl"]);
        let advises = |output: &Output| {
            output.stderr.contains("\nhint: ") || arguments == ["status"] && output.stdout.len() > 1
        };
        assert!(advises(&output), "{arguments:?}: {output:#?}");
    }
    // Without a name they can't mean it, and say so rather than that all is well.
    for command in ["resume", "rollback"] {
        let output = sandbox.run(&[command])?;
        assert_said(&output, 1, &["nothing was changed"]);
    }
    let json = sandbox.run(&["status", "--format", "json"])?;
    assert_said(&json, 1, &["\"error\":"]);
    let differences = before.differences(&sandbox.tree()?);
    assert!(differences.is_empty(), "{differences:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_no_record() -> Result<()> {
    let (sandbox, journal) = with_a_run().await?;
    let text = sandbox.read(&journal)?;
    let mut lines: Vec<&str> = text.lines().collect();
    lines[1] = "{\"at\":\"now\",\"record\":\"hello\"}";
    sandbox.write(&journal, &(lines.join("\n") + "\n"))?;
    assert_refused(&sandbox, &["line 2 of the journal", "no record"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_cannot_follow() -> Result<()> {
    let (sandbox, journal) = with_a_run().await?;
    let text = sandbox.read(&journal)?;
    let first = text.lines().next().unwrap_or_default();
    sandbox.write(&journal, &format!("{text}{first}\n"))?;
    assert_refused(&sandbox, &["can't follow"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_of_a_newer_build() -> Result<()> {
    let (sandbox, journal) = with_a_run().await?;
    let text = sandbox.read(&journal)?;
    assert!(text.contains("\"format\":1"), "{text}");
    // With records of kinds that nobody knows yet.
    let newer = text.replace("\"format\":1", "\"format\":2");
    let newer = newer + "{\"at\":\"2026-01-01T00:00:00Z\",\"record\":\"new_kind\"}\n";
    sandbox.write(&journal, &newer)?;
    let words = [
        "has format 2, and this build knows formats up to 1",
        "newer",
    ];
    assert_refused(&sandbox, &words)
}

/// A crash while a record was written: it counts as not written.
#[tokio::test(flavor = "multi_thread")]
async fn a_last_line_without_its_end_was_not_written() -> Result<()> {
    let (sandbox, journal) = with_a_run().await?;
    let text = sandbox.read(&journal)?;
    for cut in [1, 2, 10, 40] {
        sandbox.write(&journal, &text[..text.len() - cut])?;
        assert_said(
            &sandbox.run(&["status"])?,
            0,
            &["at step 3 of 17, `announce`"],
        );
    }
    assert_said(&sandbox.run(&["resume", "--done"])?, 0, &["Rotated"]);
    sandbox.expect_sound(CLIENTS)
}

/// A process that ended before its first record was whole did nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_without_a_whole_record_is_none() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    for (name, text) in [("empty", ""), ("cut", "{\"at\":\"2026-01-01T0")] {
        let folder = sandbox.path("state/runs").join(name);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("journal.jsonl"), text)?;
    }
    fs::create_dir(sandbox.path("state/runs/nothing"))?;
    sandbox.write("state/runs/notes.txt", "somebody's")?;
    assert_said(&sandbox.run(&["resume"])?, 1, &["nothing to resume"]);
    assert_said(&sandbox.run(&["rotate-dcr"])?, 0, &["Rotated"]);
    assert_said(&sandbox.run(&["status"])?, 0, &["  done 2"]);
    sandbox.expect_sound(CLIENTS)
}

/// The steps depend on the settings: a run goes on with those that it began with.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_goes_on_with_the_steps_that_it_began_with() -> Result<()> {
    let (sandbox, _) = with_a_run().await?;
    let run = sandbox.run_name()?;
    sandbox.settings("", RESTART)?;
    for command in ["resume", "rollback"] {
        let output = sandbox.run(&[command])?;
        let words = [run.as_str(), "began with other steps", "settings"];
        assert_said(&output, 1, &words);
    }
    sandbox.settings("announce = true", RESTART)?;
    assert_said(&sandbox.run(&["resume", "--done"])?, 0, &["Rotated"]);
    sandbox.expect_sound(CLIENTS)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_for_runs_that_cannot_be_made_is_named() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    sandbox.write("in-the-way", "")?;
    let before = sandbox.tree()?;
    for command in ["rotate-dcr", "status", "resume", "rollback"] {
        let output = sandbox.run(&[command, "--state-dir", "in-the-way/state"])?;
        assert_said(&output, 1, &["in-the-way", "state: nothing was changed"]);
    }
    let differences = before.differences(&sandbox.tree()?);
    assert!(differences.is_empty(), "{differences:?}");
    Ok(())
}
