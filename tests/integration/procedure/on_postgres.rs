//! The whole rotation with the clients on a Postgres server: the backup is somebody else's.
use anyhow::{Context as _, Result};

use super::emergency::expect_listed;
use super::sandbox::{Sandbox, assert_said};
use crate::subject::{Backend, OLD, Row, Subject, key};

/// A sandbox whose `.env` names a Postgres database with so many clients.
async fn sandbox(clients: u64) -> Result<(Sandbox, Subject)> {
    let sandbox = Sandbox::with_clients(1).await?;
    let database = Subject::with_clients(Backend::Postgres, clients).await?;
    let key = key(OLD)?;
    sandbox.write_env(&format!(
        "DATABASE_URL={}\nDCR_ENCRYPTION_KEY={}\n",
        database.url(),
        *key.to_text()
    ))?;
    Ok((sandbox, database))
}

fn opened(rows: &[Row], key: &str) -> usize {
    let of_row = |row: &Row| row.opened(key).iter().flatten().count();
    rows.iter().map(of_row).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_waits_for_a_backup_made_by_people_and_goes_on() -> Result<()> {
    let (sandbox, database) = sandbox(20).await?;
    let before = database.rows().await?;
    let left = sandbox.run(&["rotate-dcr"])?;
    assert_eq!(left.code, Some(3), "{left:?}");
    assert!(
        left.stderr.contains("Back up the database by hand"),
        "{left:?}"
    );
    assert_eq!(database.rows().await?, before);

    let run = sandbox.run_name()?;
    let resumed = sandbox.run(&["resume", &run, "--done"])?;
    assert_eq!(resumed.code, Some(0), "{resumed:?}");
    let new_key = sandbox.env_key()?;
    let after = database.rows().await?;
    assert_eq!(opened(&after, &new_key), opened(&before, OLD));
    assert_eq!(opened(&after, OLD), 0);
    let newest = sandbox.stored()?.pop().context("a version")?;
    assert_eq!((newest.value, newest.state.as_str()), (new_key, "enabled"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_run_is_rolled_back() -> Result<()> {
    let (sandbox, database) = sandbox(20).await?;
    let before = database.rows().await?;
    let env = sandbox.read(".env")?;
    assert_eq!(sandbox.run(&["rotate-dcr"])?.code, Some(3));
    let run = sandbox.run_name()?;
    assert_eq!(sandbox.run(&["resume", &run, "--done"])?.code, Some(0));

    let back = sandbox.run(&["rollback", &run])?;
    assert_eq!(back.code, Some(0), "{back:?}");
    assert_eq!(sandbox.read(".env")?, env);
    let after = database.rows().await?;
    let plaintexts = |rows: &[Row]| rows.iter().map(|row| row.opened(OLD)).collect::<Vec<_>>();
    assert_eq!(plaintexts(&after), plaintexts(&before));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_leak_its_clients_are_listed() -> Result<()> {
    let (sandbox, database) = sandbox(20).await?;
    let left = sandbox.run(&["rotate-secret", "dcr-encryption-key", "--emergency"])?;
    assert_said(&left, 3, &["Back up the database by hand"]);
    let resumed = sandbox.run(&["resume", "--done"])?;
    assert_said(&resumed, 0, &["20 clients are listed"]);
    let rows = database.rows().await?;
    expect_listed(&sandbox, rows.into_iter().map(|row| row.order_id).collect())
}
