//! A step that fails in the middle: what is said, what is left, and the two ways on.
use std::fs;

use anyhow::Result;
use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};

use super::lab::json;
use super::sandbox::{RESTART, Sandbox, assert_said};
use crate::command_line::assert_file_snapshot;

const CLIENTS: u64 = 20;
const TOKENS: usize = 26;

/// With a service that can't be restarted any more.
async fn broken() -> Result<Sandbox> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    sandbox.write("broken", "")?;
    Ok(sandbox)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_that_fails_is_told_and_mended() -> Result<()> {
    let sandbox = broken().await?;
    let old = sandbox.env_key()?;
    let output = sandbox.run(&["rotate-dcr"])?;
    assert_said(&output, 2, &[]);
    assert_file_snapshot(
        "procedure_restart_failed",
        sandbox.hidden(&format!("{}--- status\n", output.stderr))?
            + &sandbox.hidden(&sandbox.run(&["status"])?.stdout)?,
    );
    // The table is under the new key, and so it has to be said, and the way on.
    assert_eq!(sandbox.opened_by(&old)?, (0, TOKENS));
    let next = sandbox.next_commands()?;
    assert_eq!(next.len(), 2, "{next:?}");
    // It fails again as long as it isn't mended.
    assert_said(&sandbox.pasted(&next[0])?, 2, &["restart"]);
    fs::remove_file(sandbox.path("broken"))?;
    assert_said(&sandbox.pasted(&next[0])?, 0, &["Rotated"]);
    sandbox.expect_sound(CLIENTS)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_is_rolled_back() -> Result<()> {
    let sandbox = broken().await?;
    let old = sandbox.env_key()?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 2, &[]);
    fs::remove_file(sandbox.path("broken"))?;
    let next = sandbox.next_commands()?;
    assert_said(&sandbox.pasted(&next[1])?, 0, &["Rolled back"]);
    assert!(sandbox.env_key()? == old, "another key");
    assert_eq!(sandbox.opened_by(&old)?, (TOKENS, 0));
    // It runs with the old key, for it was restarted by the rollback.
    assert_eq!(sandbox.read("restarts")?.lines().count(), 2);
    sandbox.expect_sound(CLIENTS)
}

/// What triggers do is nobody's guess, and what they refuse is found on trial.
#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_is_told_of_before_and_after_it_refuses() -> Result<()> {
    let sandbox = broken().await?;
    let trigger = "create trigger refuses before update on dcr_clients begin
        select raise(abort, 'not today'); end";
    let database = sandbox.path("clients.sqlite");
    SqliteConnection::establish(&database.to_string_lossy())?.batch_execute(trigger)?;
    let failed = sandbox.run(&["rotate-dcr"])?;
    let remark = "may keep copies of old tokens: `refuses`";
    assert_said(
        &failed,
        2,
        &["state: version 2 is stored\n", "not today", remark],
    );
    Ok(())
}

/// Fails once, when the service is to take the new key.
#[tokio::test(flavor = "multi_thread")]
async fn it_is_undone_at_once_if_that_was_asked_for() -> Result<()> {
    for arguments in [
        &["rotate-dcr", "--rollback-on-failure"][..],
        &[
            "rotate-dcr",
            "--yes",
            "--rollback-on-failure",
            "--format",
            "json",
        ],
    ] {
        let sandbox = Sandbox::with_clients(CLIENTS).await?;
        let script = "echo restarted >> restarts\ntest $(wc -l < restarts) != 1\n";
        sandbox.write("restart.sh", script)?;
        let env = sandbox.read(".env")?;
        let output = sandbox.run(arguments)?;
        assert_said(&output, 4, &["everything is as it was before the run"]);
        if output.stdout.is_empty() {
            let undone = sandbox.hidden(&output.stderr)?;
            assert_file_snapshot("procedure_failed_and_undone", undone);
        } else {
            let result = json(&output)?;
            assert_eq!(result["outcome"], "failed_and_undone");
            assert_eq!(result["steps"][10]["name"], "cut-over");
            assert_eq!(result["steps"][10]["status"], "undone");
            assert!(result["error"]["message"].is_string(), "{result}");
        }
        assert!(sandbox.read(".env")? == env, "another .env");
        assert_eq!(sandbox.opened_by(&sandbox.env_key()?)?, (TOKENS, 0));
        sandbox.expect_sound(CLIENTS)?;
        // A new run begins, and ends.
        assert_said(&sandbox.run(&["rotate-dcr"])?, 0, &["Rotated"]);
        sandbox.expect_sound(CLIENTS)?;
    }
    Ok(())
}

/// A service that never gets ready is a failure too, after its time.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_does_not_get_ready_is_named() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    let never = "ready = [\"test\", \"-e\", \"ready\"]\ntimeout = \"1s\"\n";
    sandbox.settings("", &format!("{RESTART}{never}"))?;
    let output = sandbox.run(&["rotate-dcr"])?;
    assert!(matches!(output.code, Some(1 | 2)), "{output:#?}");
    assert_said(
        &output,
        output.code.unwrap_or_default(),
        &["`marketplace-handler`"],
    );
    sandbox.write("ready", "")?;
    match sandbox.next_commands()?.first() {
        Some(next) => assert_said(&sandbox.pasted(next)?, 0, &["Rotated"]),
        None => assert_said(&sandbox.run(&["rotate-dcr"])?, 0, &["Rotated"]),
    }
    sandbox.expect_sound(CLIENTS)
}

/// The program that is to restart it isn't there, or has another name: the first check finds it.
#[tokio::test(flavor = "multi_thread")]
async fn a_restart_command_that_is_none_is_named() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    let none = "[local.handler]\nrestart = [\"no-such-program\"]\n";
    sandbox.settings("", none)?;
    let old = sandbox.env_key()?;
    let output = sandbox.run(&["rotate-dcr"])?;
    let said = [
        "`no-such-program`",
        "marketplace-handler",
        "nothing was changed",
    ];
    assert_said(&output, 1, &said);
    sandbox.settings("", RESTART)?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 0, &["Rotated"]);
    assert!(sandbox.env_key()? != old, "the old key");
    sandbox.expect_sound(CLIENTS)
}
