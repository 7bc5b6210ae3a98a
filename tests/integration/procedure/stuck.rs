//! An undo that fails: a person has to look, and the rollback goes on after that.
use std::fs;

use anyhow::Result;

use super::sandbox::{Sandbox, assert_none_in, assert_said};
use crate::command_line::assert_file_snapshot;

const CLIENTS: u64 = 20;
const TOKENS: usize = 26;

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_cannot_be_restarted_stops_the_rollback() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    let old = sandbox.env_key()?;
    sandbox.write("broken", "")?;
    let output = sandbox.run(&["rotate-dcr", "--rollback-on-failure"])?;
    assert_said(&output, 5, &[]);
    let status = sandbox.run(&["status"])?;
    assert_file_snapshot(
        "procedure_stuck",
        sandbox.hidden(&format!("{}--- status\n{}", output.stderr, status.stdout))?,
    );
    assert_said(&status, 0, &["STUCK undoing"]);
    let next = sandbox.next_commands()?;
    let run = sandbox.run_name()?;
    assert_eq!(next, [format!("cargo xtask rollback {run}")]);
    // Again and again, until somebody has looked.
    assert_said(&sandbox.pasted(&next[0])?, 5, &["a person must look"]);
    assert_said(&sandbox.run(&["resume"])?, 5, &["a person must look"]);
    fs::remove_file(sandbox.path("broken"))?;
    assert_said(&sandbox.pasted(&next[0])?, 0, &["Rolled back"]);
    assert!(sandbox.env_key()? == old, "another key");
    assert_eq!(sandbox.opened_by(&old)?, (TOKENS, 0));
    sandbox.expect_sound(CLIENTS)
}

/// A store that can't be written: its index is in the way of the new one.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_cannot_be_read_stops_the_rollback() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    let old = sandbox.env_key()?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 0, &[]);
    let run = sandbox.run_name()?;
    let index = sandbox.path(".rotation/dcr-encryption-key/versions.json");
    let aside = sandbox.path("aside.json");
    fs::rename(&index, &aside)?;
    fs::create_dir(&index)?;
    let output = sandbox.run(&["rollback", &run])?;
    assert_said(&output, 1, &["versions.json", "nothing was changed"]);
    fs::remove_dir(&index)?;
    fs::rename(&aside, &index)?;
    assert_said(&sandbox.run(&["rollback", &run])?, 0, &["Rolled back"]);
    assert!(sandbox.env_key()? == old, "another key");
    sandbox.expect_sound(CLIENTS)
}

/// The value that the services would go back to.
#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_is_gone_from_the_store_stops_the_rollback() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    let old = sandbox.env_key()?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 0, &[]);
    let run = sandbox.run_name()?;
    let value = sandbox.path(".rotation/dcr-encryption-key/1.value");
    let aside = sandbox.path("aside.value");
    fs::rename(&value, &aside)?;
    let index = || fs::read_to_string(sandbox.path(".rotation/dcr-encryption-key/versions.json"));
    let before = index()?;
    let output = sandbox.program(&["rollback", &run]).run();
    assert_said(&output, 1, &["1.value", "nothing was changed"]);
    assert_none_in(&output, &[old.clone(), fs::read_to_string(&aside)?]);
    assert_eq!(index()?, before);
    fs::rename(&aside, &value)?;
    assert_said(&sandbox.run(&["rollback", &run])?, 0, &["Rolled back"]);
    assert!(sandbox.env_key()? == old, "another key");
    sandbox.expect_sound(CLIENTS)
}

/// Somebody else holds the table while it is to go back.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_gone_stops_the_rollback() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    let old = sandbox.env_key()?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 0, &[]);
    let run = sandbox.run_name()?;
    let aside = sandbox.path("clients.aside");
    fs::rename(sandbox.path("clients.sqlite"), &aside)?;
    let output = sandbox.run(&["rollback", &run])?;
    assert_said(&output, 1, &["clients.sqlite", "nothing was changed"]);
    fs::rename(&aside, sandbox.path("clients.sqlite"))?;
    assert_said(&sandbox.run(&["rollback", &run])?, 0, &["Rolled back"]);
    assert!(sandbox.env_key()? == old, "another key");
    assert_eq!(sandbox.opened_by(&old)?, (TOKENS, 0));
    sandbox.expect_sound(CLIENTS)
}

/// Begun, there would be no way but back: so it isn't begun.
#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_that_could_not_end_is_refused() -> Result<()> {
    let sandbox = Sandbox::with_clients(20).await?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 0, &[]);
    let run = sandbox.run_name()?;
    sandbox.execute(
        "UPDATE dcr_clients SET client_secret_encrypted = 'not-a-token' WHERE order_id = 'order-0000007'",
    )?;
    let before = sandbox.tree()?;
    let refused = sandbox.run(&["rollback", &run])?;
    assert_said(
        &refused,
        1,
        &["1 cells of dcr_clients", "nothing was changed"],
    );
    let differences = before.differences(&sandbox.tree()?);
    assert!(differences.is_empty(), "{differences:?}");
    Ok(())
}

/// What nobody could fetch again isn't overwritten, and nothing is undone before that is seen.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_with_a_value_of_its_own_is_not_rolled_back() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 0, &[]);
    let run = sandbox.run_name()?;
    let rotated = sandbox.read(".env")?;
    let theirs = secret::FernetKey::generate().to_text();
    sandbox.write_env(&rotated.replace(&sandbox.env_key()?, &theirs))?;
    let before = sandbox.tree()?;
    let words = ["in its own configuration", "nothing was changed"];
    assert_said(&sandbox.run(&["rollback", &run])?, 1, &words);
    let differences = before.differences(&sandbox.tree()?);
    assert!(differences.is_empty(), "{differences:?}");
    sandbox.write_env(&rotated)?;
    assert_said(&sandbox.run(&["rollback", &run])?, 0, &["Rolled back"]);
    sandbox.expect_sound(CLIENTS)
}
