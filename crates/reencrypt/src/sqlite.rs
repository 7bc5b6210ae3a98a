//! `dcr_clients` in an SQLite file.

mod answers;
mod catalogue;
mod file;
mod rows;
mod run_lock;

use std::hash::RandomState;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use connection::DatabaseMessage;
use diesel::connection::SimpleConnection;
use diesel::{Connection, QueryResult, SqliteConnection};
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;

use tokio_util::sync::CancellationToken;

use crate::clients::Client;
use crate::error::Error;
use crate::table::{
    Access, Checked, CommitFailure, Committed, Pass, Rewrite, Row, Table, Timeouts,
};
use run_lock::RunLock;

/// A connection to one SQLite file.
pub(crate) struct SqliteTable {
    /// Locked only to hand it a task. It does one at a time, in no certain order.
    connection: Mutex<SyncConnectionWrapper<SqliteConnection>>,
    path: PathBuf,
    lock_timeout: Duration,
    /// Of `rows::page_query`; known after `check`.
    page_query: Arc<str>,
    digest_key: RandomState,
    run_lock: Option<RunLock>,
    /// Whether the transaction that writes is open. SQLite ends it by itself when
    /// the disk is full, and a write that already waits in its thread would then
    /// be a transaction of its own. Read and set by tasks on the connection only.
    may_write: Arc<AtomicBool>,
    /// Why that transaction ended, until it is told: of two writes that are under way, the one
    /// that comes too late may be asked first.
    write_failure: Arc<Mutex<Option<QueryResult<Error>>>>,
    /// Where the next page begins; none at the end of the table.
    next_address: Mutex<Option<i64>>,
    /// One row of this transaction as it was written, to tell by it whether a
    /// commit took place.
    witness: OnceLock<rows::Witness>,
}

impl SqliteTable {
    /// Opens a file that exists.
    pub(crate) async fn connect(path: &Path, timeouts: Timeouts) -> Result<SqliteTable, Error> {
        let path = file::find(path)?;
        let uri = file::uri(&path);
        let opened = tokio::task::spawn_blocking(move || SqliteConnection::establish(&uri));
        let opened = opened
            .await
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
        let connection = opened.map_err(|error| not_opened(&path, &error))?;
        let table = SqliteTable {
            connection: Mutex::new(SyncConnectionWrapper::new(connection)),
            path,
            lock_timeout: timeouts.lock,
            page_query: "".into(),
            digest_key: RandomState::new(),
            run_lock: None,
            may_write: Arc::default(),
            write_failure: Arc::default(),
            next_address: Mutex::new(None),
            witness: OnceLock::new(),
        };
        // 8 MB of pages: a table of some thousand clients is rewritten without
        // blocking readers before the commit, and memory stays flat.
        table
            .patiently("read the file", |connection| {
                connection
                    .batch_execute("PRAGMA cache_size = -8000; SELECT 1 FROM sqlite_schema LIMIT 1")
            })
            .await?;
        Ok(table)
    }

    /// Who the clients are.
    pub(crate) async fn clients(&self) -> Result<Vec<Client>, Error> {
        self.patiently("list the clients", rows::clients).await
    }

    async fn search(&mut self) -> Result<Checked, Error> {
        let found = self.run("read the schema", catalogue::search).await?;
        self.page_query = rows::page_query(&catalogue::check_clients(&found)?).into();
        Ok(Checked {
            clients: self.run("count the clients", rows::count).await?,
            ..found.into_checked()
        })
    }

    fn next_address(&self) -> MutexGuard<'_, Option<i64>> {
        locked(&self.next_address)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn not_opened(path: &Path, error: &diesel::ConnectionError) -> Error {
    match error.to_string() {
        message if message.contains("unable to open database file") => Error::FilePermission {
            action: "open",
            path: path.to_owned(),
        },
        message => Error::Statement {
            operation: "open the file",
            source: DatabaseMessage::new(&message),
        },
    }
}

impl Table for SqliteTable {
    /// The rowid. Within the transaction nobody else writes, and an update
    /// doesn't move a row.
    type Address = i64;

    async fn check(&mut self, access: Access) -> Result<Checked, Error> {
        if access == Access::Rewrite {
            file::check_writable(&self.path)?;
        }
        // One transaction, and so one wait for those who write: each statement by
        // itself might meet one of them.
        let begin = |connection: &mut SqliteConnection| {
            let begun = connection.batch_execute("BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1");
            if begun.is_err() {
                // Fails where not even the transaction was begun.
                let _ = connection.batch_execute("ROLLBACK");
            }
            begun
        };
        self.patiently("read the schema", begin).await?;
        let checked = self.search().await;
        self.rollback().await;
        checked
    }

    async fn begin(&mut self, access: Access) -> Result<(), Error> {
        let begin = match access {
            Access::Survey => "BEGIN",
            Access::Rewrite => {
                self.run_lock = Some(RunLock::acquire(&self.path)?);
                "BEGIN IMMEDIATE"
            }
        };
        let may_write = Arc::clone(&self.may_write);
        self.patiently("lock the database", move |connection| {
            connection.batch_execute(begin)?;
            may_write.store(access == Access::Rewrite, Relaxed);
            Ok(())
        })
        .await
    }

    async fn count_rows(&mut self) -> Result<u64, Error> {
        self.patiently("count the clients", rows::count).await
    }

    async fn start_pass(&mut self, _pass: Pass) -> Result<(), Error> {
        // An update leaves a row at its rowid, so pages in the order of rowids
        // never meet a row twice.
        *self.next_address() = Some(i64::MIN);
        Ok(())
    }

    async fn read_page(&self) -> Result<Vec<Row<i64>>, Error> {
        let Some(from) = *self.next_address() else {
            return Ok(Vec::new());
        };
        let page_query = Arc::clone(&self.page_query);
        let digest_key = self.digest_key.clone();
        let read = self.run("read a page", move |connection| {
            rows::read(connection, &page_query, from, &digest_key)
        });
        let page = read.await?;
        *self.next_address() = page.last().and_then(|row| row.address.checked_add(1));
        Ok(page)
    }

    async fn write_page(&self, rewrites: Vec<Rewrite<i64>>) -> Result<(), Error> {
        let Some(first) = rewrites.first() else {
            return Ok(());
        };
        self.witness.get_or_init(|| rows::Witness::of(first));
        let may_write = Arc::clone(&self.may_write);
        let failure = Arc::clone(&self.write_failure);
        let operation = "write a page";
        let writing = self.run(operation, move |connection| {
            if !may_write.load(Relaxed) {
                return Ok(false);
            }
            let failed = match rows::write(connection, &rewrites) {
                Ok(Ok(())) => return Ok(true),
                Ok(Err(error)) => Ok(error),
                Err(error) => Err(error),
            };
            may_write.store(false, Relaxed);
            *locked(&failure) = Some(failed);
            Ok(false)
        });
        if writing.await? {
            return Ok(());
        }
        Err(match locked(&self.write_failure).take() {
            Some(Ok(error)) => error,
            Some(Err(error)) => self.explain(operation, &error),
            None => Error::Statement {
                operation,
                source: DatabaseMessage::new("the transaction has ended"),
            },
        })
    }

    async fn commit(&mut self, interrupt: &CancellationToken) -> Result<Committed, CommitFailure> {
        // A commit waits until nobody reads.
        let committing = self.patiently("commit", |connection| connection.batch_execute("COMMIT"));
        let committed = interrupt.run_until_cancelled(committing).await;
        let Err(error) = committed.unwrap_or(Err(Error::Interrupted)) else {
            self.run_lock = None;
            self.may_write.store(false, Relaxed);
            return Ok(Committed::Answered);
        };
        let witness = self.witness.take();
        self.rollback().await;
        let looked = self.patiently("look whether the commit took place", move |connection| {
            witness
                .as_ref()
                .map_or(Ok(false), |witness| witness.is_there(connection))
        });
        match looked.await {
            Ok(true) => Ok(Committed::FoundByLooking),
            Ok(false) => Err(CommitFailure::NotCommitted(error)),
            Err(unanswered) => Err(CommitFailure::Unknown(Error::CommitUnknown {
                source: DatabaseMessage::new(&unanswered.to_string()),
            })),
        }
    }

    async fn rollback(&mut self) {
        let may_write = Arc::clone(&self.may_write);
        // Fails where SQLite rolled back by itself.
        let _ = self
            .run("roll back", move |connection| {
                may_write.store(false, Relaxed);
                connection.batch_execute("ROLLBACK")
            })
            .await;
        self.run_lock = None;
        self.witness = OnceLock::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each pair is handed to the connection at once, in no certain order.
    #[tokio::test(flavor = "multi_thread")]
    async fn of_two_writes_that_fail_the_first_failure_is_told() {
        let folder = std::env::temp_dir().join(format!("two-writes-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("clients.sqlite");
        let key = secret::FernetKey::generate();
        crate::sample::create_sqlite(&path, 4, &key).await.unwrap();
        let connected = SqliteTable::connect(&path, Timeouts::default()).await;
        let mut table = connected.unwrap();
        table.check(Access::Rewrite).await.unwrap();
        for _ in 0..50 {
            table.begin(Access::Rewrite).await.unwrap();
            table.start_pass(Pass::Before).await.unwrap();
            // Rows that aren't there: none is written.
            let page = table.read_page().await.unwrap().into_iter();
            let rewrites = page.map(|mut row| {
                row.address += 1_000;
                let cells = row.cells.clone();
                vec![Rewrite { row, cells }]
            });
            let writes = rewrites.map(|rewrite| table.write_page(rewrite));
            let failed = futures_util::future::try_join_all(writes).await;
            assert!(
                matches!(failed, Err(Error::RowChanged { .. })),
                "{failed:?}"
            );
            table.rollback().await;
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_file_that_may_not_be_opened_is_told_from_one_that_is_no_database() {
        let opened = |message: &str| {
            let error = diesel::ConnectionError::BadConnection(message.to_owned());
            not_opened(Path::new("service.db"), &error)
        };
        assert!(matches!(
            opened("unable to open database file"),
            Error::FilePermission { action: "open", .. }
        ));
        assert!(matches!(
            opened("file is not a database"),
            Error::Statement { .. }
        ));
    }
}
