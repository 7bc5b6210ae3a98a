//! A run that is left, to go on later: it waits for people, or for a time.
use std::thread::sleep;
use std::time::Duration;

use anyhow::Result;

use super::sandbox::{RESTART, Sandbox, assert_said};

const CLIENTS: u64 = 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_window_to_be_announced_is_waited_for() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    sandbox.settings("announce = true", RESTART)?;
    let before = sandbox.tree()?;
    let output = sandbox.run(&["rotate-dcr"])?;
    let run = sandbox.run_name()?;
    let waits = [
        "waiting: step 3, `Announce the window`, waits",
        "state: services and table go on as before",
        "Send the announcement",
    ];
    assert_said(&output, 3, &waits);
    assert_said(&output, 3, &[&format!("cargo xtask resume {run} --done")]);
    // Nothing but the run itself is there.
    let differences = before.differences(&sandbox.tree()?);
    assert!(
        differences.iter().all(|name| name.starts_with("state")
            || name == ".rotation/"
            || name.starts_with(".rotation/runs/")),
        "{differences:?}"
    );

    let status = sandbox.run(&["status"])?;
    assert_said(
        &status,
        0,
        &["waits for people at step 3 of 17, `announce`"],
    );
    // Nobody says that it is done.
    assert_said(&sandbox.run(&["resume", &run, "--yes"])?, 3, &waits);
    let next = sandbox.next_commands()?;
    let resume = format!("cargo xtask resume {run} --done");
    let rollback = format!("cargo xtask rollback {run}");
    assert_eq!(next, [resume.clone(), rollback]);
    assert_said(&sandbox.pasted(&resume)?, 0, &["Rotated"]);
    sandbox.expect_sound(CLIENTS)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_waits_for_people_is_rolled_back() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    sandbox.settings("announce = true", RESTART)?;
    let env = sandbox.env_key()?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 3, &[]);
    let output = sandbox.run(&["rollback"])?;
    // Who was told has to be told again.
    assert_said(
        &output,
        0,
        &["announce that the window is over", "Rolled back"],
    );
    assert!(sandbox.env_key()? == env, "another key");
    sandbox.expect_sound(CLIENTS)?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 3, &["waits"]);
    assert_said(&sandbox.run(&["resume", "--done"])?, 0, &["Rotated"]);
    sandbox.expect_sound(CLIENTS)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_version_is_kept_for_the_soak() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    sandbox.settings("soak = \"2s\"", RESTART)?;
    let output = sandbox.run(&["rotate-dcr"])?;
    let run = sandbox.run_name()?;
    let waits = "waiting: step 14, `Soak`, waits";
    let resume = format!("`cargo xtask resume {run}` goes on from 2");
    assert_said(&output, 3, &[waits, &resume]);
    assert_said(&output, 3, &["the services read the new version"]);
    let states = |sandbox: &Sandbox| -> Result<Vec<String>> {
        let versions = sandbox.stored()?.into_iter();
        Ok(versions.map(|version| version.state).collect())
    };
    assert_eq!(states(&sandbox)?, ["enabled", "enabled"]);
    let status = sandbox.run(&["status"])?;
    assert_said(&status, 0, &["waits until 2", "at step 14 of 15, `soak`"]);

    // Before its time, and with the wrong word: nobody can say that time is over.
    assert_said(&sandbox.run(&["resume"])?, 3, &[waits]);
    assert_said(&sandbox.run(&["resume", "--done"])?, 3, &[waits]);
    assert_eq!(states(&sandbox)?, ["enabled", "enabled"]);
    sleep(Duration::from_secs(2));
    let next = sandbox.next_commands()?;
    assert_eq!(next[0], format!("cargo xtask resume {run}"));
    assert_said(&sandbox.pasted(&next[0])?, 0, &["Rotated"]);
    assert_eq!(states(&sandbox)?, ["disabled", "enabled"]);
    sandbox.expect_sound(CLIENTS)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_in_its_soak_is_rolled_back() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    sandbox.settings("soak = \"1h\"", RESTART)?;
    let key = sandbox.env_key()?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 3, &[]);
    let next = sandbox.next_commands()?;
    assert_said(&sandbox.pasted(&next[1])?, 0, &["Rolled back"]);
    assert!(sandbox.env_key()? == key, "another key");
    sandbox.expect_sound(CLIENTS)
}

/// What scripts get for a run that waits.
#[tokio::test(flavor = "multi_thread")]
async fn scripts_see_that_a_run_waits() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    sandbox.settings("announce = true", RESTART)?;
    let output = sandbox.run(&["rotate-dcr", "--format", "json"])?;
    assert_said(&output, 3, &[]);
    let result = super::lab::json(&output)?;
    assert_eq!(result["outcome"], "stopped");
    assert_eq!(result["steps"][2]["name"], "announce");
    assert_eq!(result["steps"][2]["status"], "waiting");
    assert_eq!(result["steps"][3]["status"], "pending");
    let unfinished = sandbox.unfinished()?;
    assert_eq!(unfinished.len(), 1);
    let next = unfinished[0]["next"][0].as_str().unwrap_or_default();
    assert_said(&sandbox.pasted(next)?, 0, &["Rotated"]);
    sandbox.expect_sound(CLIENTS)
}
