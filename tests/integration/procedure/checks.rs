//! What is not as it has to be is found before anything is changed, and named.
use std::fs;

use anyhow::Result;

use super::lab::json;
use super::sandbox::{RESTART, Sandbox, assert_said};

const CLIENTS: u64 = 20;

/// Refused with 1, on trial and for good, saying each of these; nothing but an empty run is
/// left, and none that is unfinished.
async fn assert_refused(prepare: impl Fn(&Sandbox) -> Result<()>, words: &[&str]) -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    prepare(&sandbox)?;
    let before = sandbox.tree()?;
    let tried = sandbox.run(&["rotate-dcr", "--dry-run"])?;
    assert_said(&tried, 1, words);
    assert_said(&tried, 1, &["state: nothing was changed"]);
    let differences = before.differences(&sandbox.tree()?);
    assert!(differences.is_empty(), "{differences:?}");

    let output = sandbox.run(&["rotate-dcr"])?;
    assert_said(&output, 1, words);
    assert_said(&output, 1, &["state: nothing was changed"]);
    let is_kept = |name: &String| {
        let is_journal = name.starts_with("state");
        // The locks, and the note of which run was the last.
        let is_lock = [".rotation/.lock", ".rotation/runs/"];
        is_journal || name == ".rotation/" || is_lock.iter().any(|lock| name.starts_with(lock))
    };
    let mut differences = before.differences(&sandbox.tree()?);
    differences.retain(|name| !is_kept(name));
    assert!(differences.is_empty(), "{differences:?}");
    let status = json(&sandbox.run(&["status", "--format", "json"])?)?;
    let runs = status["runs"].as_array().map_or(0, Vec::len);
    assert!(runs <= 1, "{status}");
    for run in status["runs"].as_array().into_iter().flatten() {
        assert_eq!(run["is_unfinished"], false, "{status}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cell_that_the_key_does_not_open() -> Result<()> {
    let spoil = |sandbox: &Sandbox| {
        sandbox.execute(
            "UPDATE dcr_clients SET client_secret_encrypted = 'not-a-token' WHERE order_id = 'order-0000007'",
        )
    };
    let words = [
        "1 cells of dcr_clients can't be read",
        "order-0000007",
        "hint: ",
    ];
    assert_refused(spoil, &words).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_in_the_env_file_that_is_none() -> Result<()> {
    let spoil = |sandbox: &Sandbox| {
        let env = sandbox.read(".env")?;
        let key = sandbox.env_key()?;
        sandbox.write_env(&env.replace(&key, "hunter2hunter2"))
    };
    assert_refused(spoil, &["is no Fernet key", "marketplace-handler"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_than_the_tokens_are_under() -> Result<()> {
    let spoil = |sandbox: &Sandbox| {
        let env = sandbox.read(".env")?;
        let key = sandbox.env_key()?;
        let other = secret::FernetKey::generate();
        sandbox.write_env(&env.replace(&key, &other.to_text()))
    };
    assert_refused(spoil, &["26 cells of dcr_clients can't be read"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_in_the_env_file() -> Result<()> {
    let spoil = |sandbox: &Sandbox| {
        let env = sandbox.read(".env")?;
        let without: Vec<&str> = env
            .lines()
            .filter(|line| !line.starts_with("DCR_ENCRYPTION_KEY"))
            .collect();
        sandbox.write_env(&without.join("\n"))
    };
    assert_refused(spoil, &["DCR_ENCRYPTION_KEY", ".env"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_database_in_the_env_file() -> Result<()> {
    let spoil = |sandbox: &Sandbox| {
        let env = sandbox.read(".env")?;
        sandbox.write_env(&env.replace("DATABASE_URL", "DATABASE"))
    };
    assert_refused(spoil, &["DATABASE_URL", ".env"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_url_that_is_none() -> Result<()> {
    let spoil = |sandbox: &Sandbox| {
        let env = sandbox.read(".env")?;
        sandbox.write_env(&env.replace("sqlite+aiosqlite", "oracle"))
    };
    assert_refused(spoil, &["the DATABASE_URL in `", "can't be used"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_database() -> Result<()> {
    let spoil = |sandbox: &Sandbox| Ok(fs::remove_file(sandbox.path("clients.sqlite"))?);
    assert_refused(spoil, &["clients.sqlite"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_table() -> Result<()> {
    let spoil = |sandbox: &Sandbox| sandbox.execute("DROP TABLE dcr_clients");
    assert_refused(spoil, &["dcr_clients"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_env_file() -> Result<()> {
    let spoil = |sandbox: &Sandbox| Ok(fs::remove_file(sandbox.path(".env"))?);
    assert_refused(spoil, &["no file of variables", ".env", "env_file"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encrypted_column_that_nobody_named() -> Result<()> {
    let spoil = |sandbox: &Sandbox| {
        sandbox.execute("CREATE TABLE backups (note TEXT, note_encrypted TEXT)")
    };
    assert_refused(spoil, &["backups.note_encrypted", "--exclude-column"]).await
}

/// The settings exclude it, so that every command knows: a run that is resumed or rolled back
/// looks at the table again.
#[tokio::test(flavor = "multi_thread")]
async fn an_excluded_column_is_left_alone() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    sandbox.execute(
        "CREATE TABLE notes (note_encrypted TEXT); INSERT INTO notes VALUES ('gAAAAA-of-another-key')",
    )?;
    sandbox.settings(
        "exclude_columns = [\"notes.note_encrypted\"]\nannounce = true",
        RESTART,
    )?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 3, &[]);
    assert_said(&sandbox.run(&["resume", "--done"])?, 0, &["Rotated"]);
    sandbox.expect_sound(CLIENTS)?;
    let output = sandbox.run(&["rollback", &sandbox.run_name()?])?;
    assert_said(&output, 0, &["Rolled back"]);
    sandbox.expect_sound(CLIENTS)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_is_excluded_by_a_flag() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    let before = sandbox.tree()?;
    let output = sandbox.run(&["rotate-dcr", "--exclude-column", "notes.note_encrypted"])?;
    assert_said(&output, 64, &["exclude_columns", "nothing was changed"]);
    let differences = before.differences(&sandbox.tree()?);
    assert!(differences.is_empty(), "{differences:?}");
    Ok(())
}

/// With a platform the old key is known and the new one made: one that was given would be ignored.
#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_given() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    let before = sandbox.tree()?;
    for flag in ["--old-key-file", "--new-key-file"] {
        let output = sandbox.run(&["rotate-dcr", flag, "some.key"])?;
        assert_said(
            &output,
            64,
            &["with a platform, keys aren't given", "hint: "],
        );
    }
    let differences = before.differences(&sandbox.tree()?);
    assert!(differences.is_empty(), "{differences:?}");
    Ok(())
}
