//! Ctrl-C and SIGTERM, at any moment.
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::Result;
use diesel::connection::SimpleConnection as _;
use integration_tests::{Output, Running, Signal};

use super::random::{Random, say};
use super::rotation::{assert_said, last_phase, rotation};
use super::table::{SqliteFile, Store, make_commits_take, of_both_kinds, on_postgres};
use super::tokens::{Counted, Keys};

const CLIENTS: u64 = 20_000;
const SIGNALS: u32 = 10;
const AT_ONCE: Duration = Duration::from_secs(1);

#[tokio::test]
async fn at_any_moment_sigint_rolls_back_with_exit_code_3() -> Result<()> {
    at_any_moment(Signal::INT).await
}

#[tokio::test]
async fn at_any_moment_sigterm_rolls_back_with_exit_code_3() -> Result<()> {
    at_any_moment(Signal::TERM).await
}

async fn at_any_moment(signal: Signal) -> Result<()> {
    let mut random = Random::new();
    let keys = Keys::generate();
    for table in of_both_kinds(CLIENTS, &keys).await? {
        let mut keys = Keys {
            old: keys.old.clone(),
            new: keys.new.clone(),
        };
        let began = Instant::now();
        assert_said(&rotation(&table.url(), &keys).run(), 0, &[]);
        // The quickest so far: other tests may have slowed this one down.
        let mut undisturbed = began.elapsed();
        keys = keys.next();
        let mut phases = Vec::new();
        for part in random.spread(SIGNALS) {
            let began = Instant::now();
            let mut running = rotation(&table.url(), &keys).spawn();
            // Until it has begun, a signal ends it as it ends any program.
            running.wait_for("connecting");
            sleep(undisturbed.mul_f64(part));
            running.signal(signal);
            let output = running.wait();
            phases.push((output.code, last_phase(&output)));
            let took = began.elapsed();
            if assert_stopped_or_done(&output, &table, &keys).await? {
                undisturbed = undisturbed.min(took);
                keys = keys.next();
            }
        }
        say(&format!(
            "a run takes {undisturbed:?}; signalled: {phases:?}"
        ));
        let stopped = phases.iter().filter(|(code, _)| *code == Some(3));
        assert!(stopped.count() >= 3, "{phases:?}");
    }
    Ok(())
}

/// Stopped, and nothing is changed; or it came too late, and everything is. Says which.
async fn assert_stopped_or_done(output: &Output, table: &impl Store, keys: &Keys) -> Result<bool> {
    let done = output.code == Some(0);
    let counted = table.count(keys).await?;
    if done {
        assert_eq!(counted, Counted::all_new(CLIENTS), "{output:#?}");
        return Ok(done);
    }
    assert_eq!(counted, Counted::all_old(CLIENTS), "{output:#?}");
    let state = match last_phase(output) {
        "connecting" | "checking the table" => "state: nothing was changed",
        // Between the lock and the word of it, there is already something to roll back.
        "waiting for the lock" if output.stderr.contains("state: rolled back") => "rolled back",
        "waiting for the lock" => "state: nothing was written",
        _ => "state: rolled back",
    };
    assert_said(output, 3, &["interrupted", state]);
    Ok(done)
}

#[tokio::test]
async fn on_postgres_it_answers_at_once_while_it_waits_for_a_lock() -> Result<()> {
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
        sleep(Duration::from_millis(300));
        let output = interrupt_and_wait(running, AT_ONCE);
        other.batch_execute("rollback").await?;
        assert_eq!(last_phase(&output), waits_while);
        assert!(!assert_stopped_or_done(&output, &database, &keys).await?);
    }
    Ok(())
}

#[tokio::test]
async fn in_sqlite_it_answers_at_once_while_it_waits_for_a_lock() -> Result<()> {
    let keys = Keys::generate();
    let file = SqliteFile::create(CLIENTS, &keys).await?;
    for (mode, waits_while) in [
        ("immediate", "waiting for the lock"),
        ("exclusive", "connecting"),
    ] {
        let mut other = file.connect()?;
        other.batch_execute(&format!("begin {mode}"))?;
        let mut running = rotation(&file.url(), &keys).spawn();
        running.wait_for(waits_while);
        sleep(Duration::from_millis(300));
        let output = interrupt_and_wait(running, AT_ONCE);
        drop(other);
        assert_eq!(last_phase(&output), waits_while);
        assert!(!assert_stopped_or_done(&output, &file, &keys).await?);
    }
    Ok(())
}

/// The last moment at which it could stop is before the commit is sent.
#[tokio::test]
async fn during_the_commit_it_comes_too_late_and_the_commit_is_reported() -> Result<()> {
    let keys = Keys::generate();
    let database = on_postgres(CLIENTS, &keys).await?;
    make_commits_take(&database.connect().await, Duration::from_secs(2)).await?;
    let mut running = rotation(&database.url(), &keys).spawn();
    running.wait_for("committing");
    sleep(Duration::from_millis(300));
    let output = interrupt_and_wait(running, Duration::from_secs(5));
    assert_said(&output, 0, &["stopping", "Re-encrypted"]);
    assert_eq!(database.count(&keys).await?, Counted::all_new(CLIENTS));
    Ok(())
}

pub(super) fn interrupt_and_wait(running: Running, limit: Duration) -> Output {
    let began = Instant::now();
    running.signal(Signal::INT);
    let output = running.wait();
    let took = began.elapsed();
    assert!(took < limit, "it answered after {took:?}: {output:#?}");
    output
}
