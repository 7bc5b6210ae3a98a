//! A rotation from its beginning to its end.
use std::fs;

use anyhow::{Context as _, Result};
use integration_tests::Output;
use serde_json::Value;

use super::lab::json;
use super::sandbox::{RESTART, Sandbox, assert_said};
use crate::command_line::assert_file_snapshot;

/// 100 clients have 100 secrets and 30 registrations.
const CLIENTS: u64 = 100;
const TOKENS: usize = 130;

/// Both streams under their names, for a snapshot.
fn streams(sandbox: &Sandbox, output: &Output) -> Result<String> {
    let code = output.code.context("an exit code")?;
    let (stdout, stderr) = (&output.stdout, &output.stderr);
    sandbox.hidden(&format!(
        "exit code {code}\n--- stdout\n{stdout}--- stderr\n{stderr}"
    ))
}

fn pretty(value: &Value) -> Result<String> {
    Ok(serde_json::to_string_pretty(value)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn it_rotates_stores_retires_and_reports() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    let old = sandbox.env_key()?;
    let output = sandbox.run(&["rotate-dcr"])?;
    assert_said(&output, 0, &[]);
    assert_file_snapshot("procedure_rotated", streams(&sandbox, &output)?);

    let new = sandbox.env_key()?;
    assert_ne!(old, new);
    let env = format!(
        "LOG_LEVEL=INFO\nDATABASE_URL=sqlite+aiosqlite:///clients.sqlite\nDCR_ENCRYPTION_KEY={new}\n"
    );
    assert!(sandbox.read(".env")? == env, "other lines have changed");
    sandbox.expect_sound(CLIENTS)?;
    assert_eq!(sandbox.opened_by(&new)?, (TOKENS, 0));
    let stored = sandbox.stored()?;
    let states: Vec<_> = stored.iter().map(|version| &*version.state).collect();
    assert_eq!(states, ["disabled", "enabled"]);
    assert!(stored[0].value == old && stored[1].value == new);
    // Once to pin would be too often: what it reads didn't change.
    assert_eq!(sandbox.read("restarts")?.lines().count(), 1);

    let tree = sandbox.tree()?;
    for name in [
        ".env",
        ".rotation/dcr-encryption-key/1.value",
        ".rotation/dcr-encryption-key/2.value",
    ] {
        assert_eq!(tree.mode(name), Some(0o600), "{name}");
    }
    let run = sandbox.run_name()?;
    for folder in [".rotation", "state", "state/runs"] {
        assert_eq!(tree.mode(folder), Some(0o700), "{folder}");
    }
    let journal = sandbox.read(&format!("state/runs/{run}/journal.jsonl"))?;
    assert_file_snapshot("procedure_journal", sandbox.hidden(&journal)?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_rotation_begins_where_the_last_ended() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    for rotations in 1..=3_usize {
        let old = sandbox.env_key()?;
        assert_said(&sandbox.run(&["rotate-dcr"])?, 0, &[]);
        sandbox.expect_sound(CLIENTS)?;
        assert_eq!(sandbox.stored()?.len(), rotations + 1);
        assert_eq!(sandbox.opened_by(&old)?, (0, TOKENS));
        assert_eq!(sandbox.runs()?.len(), rotations);
    }
    Ok(())
}

/// As the settings have it; the rotations follow each other within the hour.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_young_enough_is_not_made_again() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    for (oldest, expected) in [("1h", 1), ("1h", 1), ("0s", 2)] {
        sandbox.settings(&format!("backup_max_age = \"{oldest}\""), RESTART)?;
        assert_said(&sandbox.run(&["rotate-dcr"])?, 0, &[]);
        let mut backups = 0;
        for of_a_database in fs::read_dir(sandbox.path(".rotation/backups"))? {
            backups += fs::read_dir(of_a_database?.path())?.count();
        }
        assert_eq!(backups, expected, "no older than {oldest}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_changes_nothing_at_all() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    let before = sandbox.tree()?;
    let output = sandbox.run(&["rotate-dcr", "--dry-run"])?;
    assert_said(&output, 0, &[]);
    assert_file_snapshot("procedure_dry_run", streams(&sandbox, &output)?);
    let differences = before.differences(&sandbox.tree()?);
    assert!(differences.is_empty(), "{differences:?}");

    let output = sandbox.run(&["rotate-dcr", "--dry-run", "--format", "json"])?;
    let result = json(&output)?;
    assert_eq!(result["outcome"], "dry_run", "{output:?}");
    assert_eq!(result["run"], Value::Null);
    assert_eq!(output.stderr, "", "a script wants no words");
    let differences = before.differences(&sandbox.tree()?);
    assert!(differences.is_empty(), "{differences:?}");
    Ok(())
}

/// Also with a store and a run that is done.
#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_after_a_rotation_changes_nothing_either() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 0, &[]);
    let before = sandbox.tree()?;
    let output = sandbox.run(&["rotate-dcr", "--dry-run"])?;
    assert_said(&output, 0, &["130 tokens would be re-encrypted"]);
    let differences = before.differences(&sandbox.tree()?);
    assert!(differences.is_empty(), "{differences:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_get_one_object() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    let output = sandbox.run(&["rotate-dcr", "--format", "json"])?;
    assert_said(&output, 0, &[]);
    assert_eq!(output.stderr, "", "a script wants no words");
    let result = json(&output)?;
    assert_file_snapshot("procedure_json", sandbox.hidden(&pretty(&result)?)?);
    let status = json(&sandbox.run(&["status", "--format", "json"])?)?;
    assert_file_snapshot("procedure_status_json", sandbox.hidden(&pretty(&status)?)?);
    let output = sandbox.run(&["rollback", &sandbox.run_name()?, "--format", "json"])?;
    assert_said(&output, 0, &[]);
    let result = json(&output)?;
    assert_eq!(result["outcome"], "rolled_back");
    assert_eq!(result["steps"][10]["status"], "undone");
    assert_eq!(result["facts"]["old_value_stored_again_as"], 3);
    sandbox.expect_sound(CLIENTS)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_run_is_rolled_back_by_its_name() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    let old = sandbox.env_key()?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 0, &[]);
    let run = sandbox.run_name()?;
    assert_said(&sandbox.run(&["rollback"])?, 1, &["nothing to roll back"]);
    let output = sandbox.run(&["rollback", &run])?;
    assert_said(&output, 0, &[]);
    assert_file_snapshot("procedure_rolled_back", streams(&sandbox, &output)?);
    assert!(sandbox.env_key()? == old, "another key in .env");
    assert_eq!(sandbox.opened_by(&old)?, (TOKENS, 0));
    sandbox.expect_sound(CLIENTS)?;
    let stored = sandbox.stored()?;
    let states: Vec<_> = stored.iter().map(|version| &*version.state).collect();
    assert_eq!(states, ["enabled", "disabled", "enabled"]);
    assert!(stored[2].value == old, "`latest` is another value");
    for command in ["rollback", "resume"] {
        let output = sandbox.run(&[command, &run])?;
        assert_said(&output, 1, &["is rolled back already"]);
    }
    Ok(())
}

/// The same as the service would see it after the rotation.
#[tokio::test(flavor = "multi_thread")]
async fn status_tells_versions_ages_and_runs() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    let output = sandbox.run(&["status"])?;
    assert_file_snapshot("procedure_status_before", streams(&sandbox, &output)?);
    assert_said(&sandbox.run(&["rotate-dcr"])?, 0, &[]);
    let output = sandbox.run(&["status"])?;
    assert_file_snapshot("procedure_status_after", streams(&sandbox, &output)?);
    Ok(())
}

/// No table to fill, no clients yet: it is done all the same, and says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_without_rows_is_rotated() -> Result<()> {
    let sandbox = Sandbox::with_clients(0).await?;
    let output = sandbox.run(&["rotate-dcr"])?;
    assert_said(&output, 0, &["0 tokens re-encrypted"]);
    sandbox.expect_sound(0)?;
    assert_said(&sandbox.run(&["rollback", &sandbox.run_name()?])?, 0, &[]);
    sandbox.expect_sound(0)
}

/// Without a command that restarts the service, people do it.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_restart_command_it_waits_for_people() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    sandbox.settings("", "")?;
    let output = sandbox.run(&["rotate-dcr"])?;
    let given = "the services are given the new version, and read it once they are restarted";
    let words = ["`Restart the service by hand`, waits", given];
    assert_said(&output, 3, &words);
    let next = sandbox.next_commands()?;
    assert!(next[0].ends_with(" --done"), "{next:?}");
    assert_said(&sandbox.pasted(&next[0])?, 0, &["Rotated"]);
    sandbox.expect_sound(CLIENTS)?;
    sandbox.settings("", RESTART)?;
    // The plan has another step now; the run that is done stays in the list.
    assert_said(&sandbox.run(&["rotate-dcr"])?, 0, &["Rotated"]);
    sandbox.expect_sound(CLIENTS)
}

/// On the way back, too: what the rollback has put there is nobody's change, and what somebody
/// changes after the restart is to be restarted once more.
#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_that_waits_for_a_restart_is_not_advised_to_be_undone() -> Result<()> {
    for is_changed in [false, true] {
        let sandbox = Sandbox::with_clients(CLIENTS).await?;
        sandbox.settings("", "")?;
        let old = sandbox.env_key()?;
        assert_said(&sandbox.run(&["rotate-dcr"])?, 3, &["waits"]);
        let new = sandbox.env_key()?;
        assert_said(&sandbox.run(&["rollback"])?, 3, &["restart"]);
        assert!(sandbox.env_key()? == old, "not given back");
        let status = sandbox.run(&["status"])?;
        let given = "the services are given version 1 again, and read it once they are restarted";
        assert_said(&status, 0, &["waits for people", given]);
        assert!(!status.stdout.contains("CHANGED"), "{status:#?}");
        if is_changed {
            sandbox.write_env(&sandbox.read(".env")?.replace(&old, &new))?;
        }
        let output = sandbox.run(&["resume", "--done"])?;
        assert_said(&output, 0, &["Rolled back"]);
        let once_more = "once you have restarted the service";
        assert_eq!(output.stdout.contains(once_more), is_changed, "{output:#?}");
        sandbox.expect_sound(CLIENTS)?;
    }
    Ok(())
}
