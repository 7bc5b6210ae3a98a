//! Somebody else holds what the program needs: a lock, the file, the time.
use std::thread::sleep;
use std::time::Duration;

use anyhow::Result;
use diesel::connection::SimpleConnection as _;
use integration_tests::Output;

use super::rotation::{assert_said, rotation};
use super::table::{SqliteFile, Store, make_a_page_take, of_both_kinds, on_postgres};
use super::tokens::{Counted, Keys};

const CLIENTS: u64 = 5_000;

#[tokio::test]
async fn on_postgres_a_lock_that_stays_fails_the_run_and_its_holder_is_named() -> Result<()> {
    let keys = Keys::generate();
    let database = on_postgres(CLIENTS, &keys).await?;
    let other = database.connect().await;
    let pid = other.query_one("select pg_backend_pid()", &[]).await?;
    let process = format!(
        "process {} (night batch, idle in transaction",
        pid.get::<_, i32>(0)
    );
    other
        .batch_execute("set application_name = 'night batch'")
        .await?;
    for mode in ["row exclusive", "access exclusive"] {
        let lock = format!("begin; lock table dcr_clients in {mode} mode");
        other.batch_execute(&lock).await?;
        let output = rotation(&database.url(), &keys)
            .args(["--lock-timeout", "1s"])
            .run();
        other.batch_execute("rollback").await?;
        let said = [
            "locked by somebody else: waited 1 s",
            &process,
            "--lock-timeout",
        ];
        assert_said(&output, 1, &said);
        assert_nothing_changed(&output);
        assert_eq!(database.count(&keys).await?, Counted::all_old(CLIENTS));
    }
    Ok(())
}

#[tokio::test]
async fn on_postgres_a_lock_that_is_released_in_time_is_waited_for() -> Result<()> {
    let keys = Keys::generate();
    let database = on_postgres(CLIENTS, &keys).await?;
    let other = database.connect().await;
    for (mode, waits_while) in [
        ("row exclusive", "waiting for the lock"),
        ("access exclusive", "checking the table"),
    ] {
        let lock = format!("begin; lock table dcr_clients in {mode} mode");
        other.batch_execute(&lock).await?;
        let mut running = rotation(&database.url(), &keys).spawn();
        running.wait_for(waits_while);
        sleep(Duration::from_millis(500));
        assert!(running.is_running());
        other.batch_execute("rollback").await?;
        assert_said(&running.wait(), 0, &[]);
        assert_eq!(database.count(&keys).await?, Counted::all_new(CLIENTS));
    }
    Ok(())
}

#[tokio::test]
async fn in_sqlite_a_lock_that_stays_fails_the_run() -> Result<()> {
    let keys = Keys::generate();
    let file = SqliteFile::create(CLIENTS, &keys).await?;
    for mode in ["immediate", "exclusive"] {
        let mut other = file.connect()?;
        other.batch_execute(&format!("begin {mode}"))?;
        let output = rotation(&file.url(), &keys)
            .args(["--lock-timeout", "1s"])
            .run();
        drop(other);
        assert_said(
            &output,
            1,
            &["locked by somebody else: waited 1 s", "--lock-timeout"],
        );
        assert_nothing_changed(&output);
        assert_eq!(file.count(&keys).await?, Counted::all_old(CLIENTS));
    }
    Ok(())
}

#[tokio::test]
async fn in_sqlite_a_lock_that_is_released_in_time_is_waited_for() -> Result<()> {
    let keys = Keys::generate();
    let file = SqliteFile::create(CLIENTS, &keys).await?;
    let mut other = file.connect()?;
    other.batch_execute("begin immediate")?;
    let mut running = rotation(&file.url(), &keys).spawn();
    running.wait_for("waiting for the lock");
    sleep(Duration::from_millis(500));
    assert!(running.is_running());
    drop(other);
    assert_said(&running.wait(), 0, &["Re-encrypted"]);
    assert_eq!(file.count(&keys).await?, Counted::all_new(CLIENTS));
    Ok(())
}

/// With a rollback journal, a commit has to wait until nobody reads.
#[tokio::test]
async fn in_sqlite_a_reader_that_stays_fails_the_commit_which_is_rolled_back() -> Result<()> {
    let keys = Keys::generate();
    let file = SqliteFile::create(CLIENTS, &keys).await?;
    let mut reader = file.connect()?;
    reader.batch_execute("begin; select 1 from dcr_clients limit 1")?;
    let run = rotation(&file.url(), &keys).args(["--lock-timeout", "1s"]);
    let output = run.run();
    assert_said(
        &output,
        2,
        &["locked by somebody else", "state: rolled back"],
    );
    assert_eq!(file.count(&keys).await?, Counted::all_old(CLIENTS));

    let mut running = rotation(&file.url(), &keys).spawn();
    running.wait_for("committing");
    sleep(Duration::from_millis(500));
    assert!(running.is_running());
    drop(reader);
    assert_said(&running.wait(), 0, &["Re-encrypted"]);
    assert_eq!(file.count(&keys).await?, Counted::all_new(CLIENTS));
    Ok(())
}

#[tokio::test]
async fn of_two_runs_at_once_one_works_and_the_other_says_that_another_is_running() -> Result<()> {
    let keys = Keys::generate();
    for table in of_both_kinds(20_000, &keys).await? {
        let run = rotation(&table.url(), &keys);
        let mut first = run.spawn();
        first.wait_for("re-encrypting");
        let second = run.run();
        let said = ["another re-encryption of this database is running"];
        assert_said(&second, 1, &said);
        assert_nothing_changed(&second);
        assert_said(&first.wait(), 0, &["Re-encrypted"]);
        assert_eq!(table.count(&keys).await?, Counted::all_new(20_000));
    }
    Ok(())
}

#[tokio::test]
async fn of_two_runs_that_start_together_one_works() -> Result<()> {
    let keys = Keys::generate();
    for table in of_both_kinds(20_000, &keys).await? {
        let run = rotation(&table.url(), &keys);
        let both = [run.spawn(), run.spawn()].map(|running| running.wait());
        let mut codes = both.each_ref().map(|output| output.code);
        codes.sort_unstable();
        assert_eq!(codes, [Some(0), Some(1)], "{both:#?}");
        assert_eq!(table.count(&keys).await?, Counted::all_new(20_000));
    }
    Ok(())
}

#[tokio::test]
async fn a_statement_that_takes_too_long_ends_the_run_which_is_rolled_back() -> Result<()> {
    let keys = Keys::generate();
    let database = on_postgres(CLIENTS, &keys).await?;
    let client = database.connect().await;
    make_a_page_take(&client, Duration::from_secs(10)).await?;
    let run = rotation(&database.url(), &keys).args(["--statement-timeout", "1s"]);
    let said = [
        "write a page within 1 s",
        "state: rolled back",
        "--statement-timeout",
    ];
    assert_said(&run.run(), 2, &said);
    assert_eq!(database.count(&keys).await?, Counted::all_old(CLIENTS));

    client
        .batch_execute("drop trigger pause on dcr_clients")
        .await?;
    assert_said(&run.run(), 0, &["Re-encrypted"]);
    assert_eq!(database.count(&keys).await?, Counted::all_new(CLIENTS));
    Ok(())
}

#[track_caller]
fn assert_nothing_changed(output: &Output) {
    let state = output
        .stderr
        .lines()
        .find(|line| line.starts_with("state: "));
    let state = state.unwrap_or_default();
    assert!(
        state.contains("nothing was changed") || state.contains("nothing was written"),
        "{output:#?}"
    );
}
