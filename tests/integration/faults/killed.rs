//! SIGKILL at any moment, as a power cut would strike the program.
use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use diesel::connection::SimpleConnection as _;
use integration_tests::{Output, Running, TestDatabase};

use super::random::{Random, say};
use super::rotation::{assert_said, last_phase, rotation};
use super::table::{SqliteFile, Store, Table, on_postgres};
use super::tokens::{Counted, Keys};

/// Enough for a run to be hit in each of its phases; five times as many take five times as
/// long, and are hit no differently.
const CLIENTS: u64 = 10_000;

/// How many runs to kill.
struct Kills {
    /// Spread over the length of a run.
    at_any_moment: u32,
    /// More of them around the commit, which is short.
    at_commit: u32,
}

#[tokio::test]
async fn on_postgres_a_killed_run_leaves_all_old_or_all_new_and_the_next_finishes() -> Result<()> {
    let keys = Keys::generate();
    let table = Table::Postgres(on_postgres(CLIENTS, &keys).await?);
    let kills = Kills {
        at_any_moment: 20,
        at_commit: 4,
    };
    kill_many(&table, keys, kills).await
}

#[tokio::test]
async fn in_sqlite_a_killed_run_leaves_all_old_or_all_new_and_the_next_finishes() -> Result<()> {
    let keys = Keys::generate();
    let table = Table::Sqlite(SqliteFile::create(CLIENTS, &keys).await?);
    let kills = Kills {
        at_any_moment: 20,
        at_commit: 4,
    };
    kill_many(&table, keys, kills).await
}

#[tokio::test]
async fn in_sqlite_with_a_write_ahead_log_it_does_too() -> Result<()> {
    let keys = Keys::generate();
    let file = SqliteFile::create(CLIENTS, &keys).await?;
    file.connect()?.batch_execute("pragma journal_mode = wal")?;
    let kills = Kills {
        at_any_moment: 6,
        at_commit: 3,
    };
    kill_many(&Table::Sqlite(file), keys, kills).await
}

async fn kill_many(table: &Table, mut keys: Keys, kills: Kills) -> Result<()> {
    let mut random = Random::new();
    let mut tally = Tally::default();
    let mut undisturbed = finish(table, &keys).await?;
    for part in random.spread(kills.at_any_moment) {
        keys = keys.next();
        let running = rotation(&table.url(), &keys).spawn();
        // The latest length, for others use the machine too.
        sleep(undisturbed.mul_f64(part));
        kill(running, table, &keys, &mut tally).await?;
        undisturbed = finish(table, &keys).await?;
    }
    for part in random.spread(kills.at_commit) {
        keys = keys.next();
        let mut running = rotation(&table.url(), &keys).spawn();
        running.wait_for("committing");
        sleep(undisturbed.mul_f64(part / 20.0));
        kill(running, table, &keys, &mut tally).await?;
        undisturbed = finish(table, &keys).await?;
    }
    assert_eq!(table.count(&keys).await?, Counted::all_new(CLIENTS));
    say(&format!("a run takes {undisturbed:?}; killed: {tally:?}"));
    assert!(tally.mid_way() >= kills.at_any_moment / 4, "{tally:?}");
    Ok(())
}

/// Kills a run, and asserts what it left behind.
async fn kill(mut running: Running, table: &Table, keys: &Keys, tally: &mut Tally) -> Result<()> {
    running.kill();
    let output = running.wait();
    ensure!(
        output.signal == Some(9) || output.code == Some(0),
        "{output:#?}"
    );
    let left = match table {
        Table::Postgres(database) => {
            wait_until_unlocked(database).await?;
            table.count(keys).await?
        }
        Table::Sqlite(file) => file.copied()?.count(keys).await?,
    };
    let is_new = left == Counted::all_new(CLIENTS);
    ensure!(
        is_new || left == Counted::all_old(CLIENTS),
        "{left:?} after a kill while {}: {output:#?}",
        last_phase(&output)
    );
    tally.note(&output, is_new);
    Ok(())
}

/// Runs to the end. That all is under the new key then, the next kill shows: what
/// another run finds is what this one has left.
async fn finish(table: &Table, keys: &Keys) -> Result<Duration> {
    let began = Instant::now();
    let output = rotation(&table.url(), keys).run();
    let took = began.elapsed();
    assert_said(&output, 0, &["10,000"]);
    match table {
        // Else the next runs would have to go through what these have left.
        Table::Postgres(database) => {
            let vacuum = "vacuum dcr_clients";
            database.connect().await.batch_execute(vacuum).await?;
        }
        Table::Sqlite(file) => assert_eq!(file.beside()?, Vec::<String>::new()),
    }
    Ok(took)
}

/// The server needs a moment to notice that a client is gone. What it does of its own, an
/// autovacuum say, is no client's.
async fn wait_until_unlocked(database: &TestDatabase) -> Result<()> {
    let locks = "select count(*) from pg_locks join pg_stat_activity using (pid)
         where datname = current_database() and backend_type = 'client backend'
         and pid <> pg_backend_pid() and (locktype = 'advisory' or mode <> 'AccessShareLock')";
    let client = database.connect().await;
    let give_up = Instant::now() + Duration::from_secs(30);
    while client.query_one(locks, &[]).await?.get::<_, i64>(0) > 0 {
        ensure!(Instant::now() < give_up, "a lock stays behind");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

/// What the killed runs were doing, and what they left.
#[derive(Debug, Default)]
struct Tally {
    left_old: BTreeMap<&'static str, u32>,
    left_new: BTreeMap<&'static str, u32>,
    ended_before: u32,
}

impl Tally {
    fn note(&mut self, output: &Output, is_new: bool) {
        if output.code == Some(0) {
            self.ended_before += 1;
            return;
        }
        let left = match is_new {
            true => &mut self.left_new,
            false => &mut self.left_old,
        };
        *left.entry(last_phase(output)).or_default() += 1;
    }

    /// Without these the test would prove nothing.
    fn mid_way(&self) -> u32 {
        let left_old = |phase| self.left_old.get(phase).copied().unwrap_or_default();
        left_old("re-encrypting") + left_old("verifying")
    }
}
