//! Other clients while a rotation runs: readers don't wait, writers wait and succeed.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use integration_tests::Output;
use reencrypt::sample::{self, SampleClient};
use tokio::runtime::Handle;

use super::nothing_lost::assert_nothing_lost;
use super::random::say;
use super::rotation::{assert_said, rotation};
use super::table::{SqliteFile, Store, insert_on_postgres, on_postgres};
use super::tokens::Keys;

const CLIENTS: u64 = 100_000;
/// More than are inserted while a rotation runs.
const NEW_CLIENTS: u64 = 2_000;
/// A reader who waited would wait to the lock's end. No read takes a quarter of the time to
/// it where readers don't wait: busy machines are slow at both.
const LONGEST_READ: u32 = 4;
/// A busy machine tells this process late that the commit begins, maybe when it is over
/// already. It isn't late by a quarter of the time to there.
const SURELY_LOCKED: f64 = 0.75;
/// Without pauses, nobody else would ever get SQLite's lock.
const BETWEEN_READS: Duration = Duration::from_millis(1);
const BETWEEN_INSERTS: Duration = Duration::from_millis(50);

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_readers_never_wait_and_writers_wait_and_succeed() -> Result<()> {
    let keys = Keys::generate();
    let database = on_postgres(CLIENTS, &keys).await?;
    let (reader, writer) = (database.connect().await, database.connect().await);
    let (handle, other_handle) = (Handle::current(), Handle::current());
    let read = move |order_id: String| {
        let select = "select client_secret_encrypted from dcr_clients where order_id = $1";
        handle.block_on(reader.query_one(select, &[&order_id]))?;
        Ok(())
    };
    let insert = move |client| other_handle.block_on(insert_on_postgres(&writer, &[client]));
    let seen = rotate_among_others(&database, &keys, read, insert).await?;
    seen.assert_readers_did_not_wait();
    assert_nothing_lost(&database, &keys, CLIENTS + seen.inserted()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn in_sqlite_with_a_write_ahead_log_too() -> Result<()> {
    let keys = Keys::generate();
    let file = SqliteFile::create(CLIENTS, &keys).await?;
    file.connect()?.batch_execute("pragma journal_mode = wal")?;
    // A reader that doesn't know how to wait: it would fail.
    let read = reader_of(&file, Duration::ZERO)?;
    let insert = writer_of(&file)?;
    let seen = rotate_among_others(&file, &keys, read, insert).await?;
    seen.assert_readers_did_not_wait();
    assert_nothing_lost(&file, &keys, CLIENTS + seen.inserted()).await
}

/// The limit that the plan's remark tells of.
#[tokio::test(flavor = "multi_thread")]
async fn in_sqlite_with_a_rollback_journal_readers_may_wait_and_all_succeed() -> Result<()> {
    let keys = Keys::generate();
    let file = SqliteFile::create(CLIENTS, &keys).await?;
    let read = reader_of(&file, Duration::from_secs(60))?;
    let insert = writer_of(&file)?;
    let seen = rotate_among_others(&file, &keys, read, insert).await?;
    assert_said(
        &seen.output,
        0,
        &["this SQLite file has no write-ahead log"],
    );
    assert_nothing_lost(&file, &keys, CLIENTS + seen.inserted()).await
}

fn reader_of(
    file: &SqliteFile,
    patience: Duration,
) -> Result<impl FnMut(String) -> Result<()> + Send + 'static> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = Text)]
        #[expect(dead_code, reason = "it only has to be read")]
        client_secret: String,
    }
    let mut connection = file.connect()?;
    let patience = format!("pragma busy_timeout = {}", patience.as_millis());
    connection.batch_execute(&patience)?;
    let select = "select client_secret_encrypted as client_secret from dcr_clients
                  where order_id = ?";
    Ok(move |order_id| {
        let found = diesel::sql_query(select).bind::<Text, _>(order_id);
        found.get_result::<Found>(&mut connection)?;
        Ok(())
    })
}

fn writer_of(file: &SqliteFile) -> Result<impl FnMut(SampleClient) -> Result<()> + Send + 'static> {
    let mut connection = file.connect()?;
    connection.batch_execute("pragma busy_timeout = 60000")?;
    Ok(move |client: SampleClient| {
        diesel::sql_query(
            "insert into dcr_clients (order_id, client_id, client_secret_encrypted,
                 registration_access_token_encrypted, account_id, metadata)
             values (?, ?, ?, ?, ?, '{}')",
        )
        .bind::<Text, _>(client.order_id)
        .bind::<Text, _>(client.client_id)
        .bind::<Text, _>(client.client_secret_encrypted)
        .bind::<Nullable<Text>, _>(client.registration_access_token_encrypted)
        .bind::<Text, _>(client.account_id)
        .execute(&mut connection)?;
        Ok(())
    })
}

/// When each action of one client began and ended.
type Actions = Vec<(Instant, Instant)>;

/// What happened while a rotation ran.
struct Seen {
    output: Output,
    /// From when it had the lock to when this process was told that the commit begins.
    locked: (Instant, Instant),
    reads: Actions,
    inserts: Actions,
}

async fn rotate_among_others(
    store: &impl Store,
    keys: &Keys,
    mut read: impl FnMut(String) -> Result<()> + Send + 'static,
    mut insert: impl FnMut(SampleClient) -> Result<()> + Send + 'static,
) -> Result<Seen> {
    let old_key = keys.old_key();
    let new = sample::clients(CLIENTS + NEW_CLIENTS, &old_key);
    let mut new = new.skip(100_000).collect::<Vec<_>>().into_iter();
    let mut orders = (0..CLIENTS).cycle().step_by(7_919);
    let stop = Arc::new(AtomicBool::new(false));
    let reader = repeat(&stop, BETWEEN_READS, move || {
        read(format!("order-{:07}", orders.next().unwrap_or_default()))
    });
    let writer = repeat(&stop, BETWEEN_INSERTS, move || {
        insert(
            new.next()
                .context("more clients were inserted than made up")?,
        )
    });
    // Both are to be at it when the rotation begins.
    sleep(Duration::from_millis(200));
    let mut running = rotation(&store.url(), keys).spawn();
    running.wait_for("re-encrypting");
    let from = Instant::now();
    running.wait_for("committing");
    let locked = (from, Instant::now());
    let output = running.wait();
    sleep(Duration::from_millis(200));
    stop.store(true, Ordering::Relaxed);
    let ended = |thread: JoinHandle<Result<Actions>>| thread.join().expect("no panic");
    let (reads, inserts) = (ended(reader)?, ended(writer)?);
    assert_said(&output, 0, &["Re-encrypted 130,"]);
    let seen = Seen {
        output,
        locked,
        reads,
        inserts,
    };
    seen.assert_writers_waited();
    Ok(seen)
}

fn repeat(
    stop: &Arc<AtomicBool>,
    pause: Duration,
    mut act: impl FnMut() -> Result<()> + Send + 'static,
) -> JoinHandle<Result<Actions>> {
    let stop = Arc::clone(stop);
    thread::spawn(move || {
        let mut actions = Actions::new();
        while !stop.load(Ordering::Relaxed) {
            let began = Instant::now();
            act()?;
            actions.push((began, Instant::now()));
            sleep(pause);
        }
        Ok(actions)
    })
}

impl Seen {
    fn inserted(&self) -> u64 {
        self.inserts.len() as u64
    }

    /// None was done under the lock, and some were waiting for its end.
    fn assert_writers_waited(&self) {
        let (from, to) = self.locked;
        let surely = from + (to - from).mul_f64(SURELY_LOCKED);
        let done = self.inserts.iter();
        let done = done
            .filter(|(_, ended)| from < *ended && *ended < surely)
            .count();
        let across = self.inserts.iter();
        let across = across.filter(|(began, ended)| *began < surely && surely < *ended);
        let (across, longest) = (across.count(), longest(&self.inserts));
        say(&format!(
            "{} inserts, {done} under the lock of {:?}, {across} waited for its end, {longest:?}",
            self.inserts.len(),
            to - from,
        ));
        assert_eq!((done, across), (0, 1));
    }

    fn assert_readers_did_not_wait(&self) {
        let (from, to) = self.locked;
        let within = self.reads.iter();
        let within = within.filter(|(began, ended)| from < *began && *ended < to);
        let (within, longest) = (within.count(), longest(&self.reads));
        say(&format!(
            "{within} reads under the lock, {longest:?} at most"
        ));
        assert!(longest < (to - from) / LONGEST_READ, "{longest:?}");
        // Fewer would not have noticed the lock.
        assert!(within >= 100, "{within} reads in {:?}", to - from);
    }
}

fn longest(actions: &Actions) -> Duration {
    let times = actions.iter().map(|(began, ended)| *ended - *began);
    times.max().unwrap_or_default()
}
