//! `dcr_clients` on a Postgres server, version 12 or later.

mod catalogue;
mod connect;
mod locks;
mod rows;
mod settle;
mod tls;

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use diesel::QueryResult;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use secret::PostgresTarget;

use crate::database::Tls;
use crate::error::Error;
use crate::pass::PAGE_ROWS;
use crate::scrub::DatabaseMessage;
use crate::table::{
    Access, Checked, CommitFailure, Committed, Pass, Rewrite, Row, Table, Timeouts,
};
use connect::Connector;
use rows::RowAddress;

/// What a server may take longer than its own statement timeout before the
/// connection is taken for dead.
const GRACE: Duration = Duration::from_secs(15);

/// A connection to one Postgres database.
pub(crate) struct PostgresTable {
    connector: Connector,
    connection: AsyncPgConnection,
    /// Reads the first pass of a large table while `connection` writes, so that
    /// the server does both at once.
    reader: Option<AsyncPgConnection>,
    timeouts: Timeouts,
    /// The columns to digest; known after `check`.
    untouched: Vec<String>,
    digest_seed: i64,
    clients: u64,
    /// Statements whose answer nobody has seen. A future that was dropped leaves
    /// its own behind.
    in_flight: AtomicUsize,
    /// The transaction that writes.
    transaction: Option<settle::Transaction>,
}

impl PostgresTable {
    /// Connects and logs in.
    pub(crate) async fn connect(
        target: &PostgresTarget,
        tls: Tls,
        timeouts: Timeouts,
    ) -> Result<PostgresTable, Error> {
        let connector = Connector::new(target, tls)?;
        let connection = connector.connect().await?;
        Ok(PostgresTable {
            connector,
            connection,
            reader: None,
            timeouts,
            untouched: Vec::new(),
            digest_seed: RandomState::new().hash_one(0).cast_signed(),
            clients: 0,
            in_flight: AtomicUsize::new(0),
            transaction: None,
        })
    }

    /// Waits for an answer of the server, not for ever, and names what failed.
    async fn answer<R>(
        &self,
        operation: &'static str,
        ask: impl AsyncFnOnce(&AsyncPgConnection) -> QueryResult<R>,
    ) -> Result<R, Error> {
        self.in_flight.fetch_add(1, Relaxed);
        let answer = self.answer_on(&self.connection, operation, ask).await?;
        self.in_flight.fetch_sub(1, Relaxed);
        answer
    }

    /// The same on a given connection. The outer error is no answer at all.
    async fn answer_on<R>(
        &self,
        connection: &AsyncPgConnection,
        operation: &'static str,
        ask: impl AsyncFnOnce(&AsyncPgConnection) -> QueryResult<R>,
    ) -> Result<Result<R, Error>, Error> {
        let limit = self.timeouts.statement + GRACE;
        let started = Instant::now();
        let answer = tokio::time::timeout(limit, ask(connection))
            .await
            .map_err(|_| Error::Timeout { operation, limit })?;
        Ok(answer.map_err(|error| self.explain(operation, &error, started.elapsed())))
    }

    async fn execute(&self, operation: &'static str, sql: &str) -> Result<(), Error> {
        self.answer(operation, async |mut connection| {
            connection.batch_execute(sql).await
        })
        .await
    }

    /// diesel hides the server's error codes, and its messages are in any
    /// language: what is known is the kind, for a few, and how long it took.
    fn explain(&self, operation: &'static str, error: &DieselError, took: Duration) -> Error {
        let source = DatabaseMessage::from(error);
        match error {
            DieselError::DatabaseError(DatabaseErrorKind::ReadOnlyTransaction, _) => {
                Error::ReadOnly
            }
            _ if source.to_string().contains("No space left on device") => {
                Error::DiskFull { source }
            }
            DieselError::DatabaseError(DatabaseErrorKind::Unknown, _)
                if took >= self.timeouts.statement =>
            {
                Error::Timeout {
                    operation,
                    limit: self.timeouts.statement,
                }
            }
            _ => Error::Statement { operation, source },
        }
    }

    /// After a statement that had to wait for others: who were they?
    async fn blame_locks<R>(
        &mut self,
        result: Result<R, Error>,
        started: Instant,
    ) -> Result<R, Error> {
        let waited = started.elapsed();
        match result {
            Err(error) if waited >= self.timeouts.lock => {
                self.rollback().await;
                match locks::holders(&self.connection).await {
                    Ok(holders) if !holders.is_empty() => Err(Error::Locked { waited, holders }),
                    _ => Err(error),
                }
            }
            result => result,
        }
    }

    fn begin_statement(&self, transaction_mode: &str) -> String {
        format!(
            "BEGIN {transaction_mode}; {} \
             SELECT set_config('synchronous_commit', 'on', true) \
             WHERE current_setting('synchronous_commit') = 'off'",
            self.local_settings(),
        )
    }

    /// Settings of one transaction. Row security that would hide rows is made an
    /// error.
    fn local_settings(&self) -> String {
        format!(
            "SET LOCAL lock_timeout = {}; \
             SET LOCAL statement_timeout = {}; \
             SET LOCAL row_security = off;",
            milliseconds(self.timeouts.lock),
            milliseconds(self.timeouts.statement),
        )
    }

    async fn search_catalogue(&mut self, access: Access) -> Result<Checked, Error> {
        let clients = self
            .answer("find `dcr_clients`", catalogue::find_clients)
            .await?;
        let clients = clients.ok_or(Error::NoTable)?;
        let columns = self
            .answer("read the catalogue", catalogue::find_columns)
            .await?;
        self.untouched = clients.check(&columns, access, &self.connector.user)?;
        let checked = self
            .answer("search the tables for tokens", async |connection| {
                catalogue::search(connection, &clients, &columns).await
            })
            .await?;
        Ok(Checked {
            clients: self.count_rows().await?,
            ..checked
        })
    }

    /// Opens a second connection for the first pass of a table that is worth it.
    /// Where there can be none, one connection does both, a little slower.
    async fn open_reader(&mut self) {
        let is_worth_a_login = self.clients > PAGE_ROWS as u64;
        if is_worth_a_login && self.transaction.is_some() {
            self.reader = self.connect_reader().await.ok();
        }
    }

    /// Its snapshot is the first connection's own, taken under the table's lock.
    /// That it can be had shows, too, that a pooler did not lead the second
    /// connection to another server.
    async fn connect_reader(&self) -> Result<AsyncPgConnection, Error> {
        let snapshot = self
            .answer("export a snapshot", locks::export_snapshot)
            .await?;
        let reader = self.connector.connect().await?;
        let begin = format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
             SET TRANSACTION SNAPSHOT '{snapshot}'; {}",
            self.local_settings(),
        );
        let ask = async |mut connection: &AsyncPgConnection| connection.batch_execute(&begin).await;
        self.answer_on(&reader, "read beside the writes", ask)
            .await??;
        Ok(reader)
    }

    /// Takes leave of it, lest the server's log speak of a lost client.
    async fn close_reader(&mut self) {
        if let Some(reader) = self.reader.take() {
            let ask = async |mut connection: &AsyncPgConnection| {
                connection.batch_execute("ROLLBACK").await
            };
            // It has nothing to lose.
            let _ = self.answer_on(&reader, "take leave", ask).await;
        }
    }

    /// The connection that reads the pass.
    fn pass_connection(&self) -> &AsyncPgConnection {
        self.reader.as_ref().unwrap_or(&self.connection)
    }

    async fn take_locks(&mut self) -> Result<(), Error> {
        if !self
            .answer("refuse a second run", locks::try_advisory_lock)
            .await?
        {
            return Err(Error::AlreadyRunning);
        }
        // Conflicts with every writer and with itself, not with readers.
        self.execute(
            "lock `dcr_clients`",
            "LOCK TABLE dcr_clients IN SHARE ROW EXCLUSIVE MODE",
        )
        .await
    }
}

/// Zero would mean no limit at all.
fn milliseconds(timeout: Duration) -> u128 {
    timeout.as_millis().clamp(1, i32::MAX as u128)
}

impl Table for PostgresTable {
    type Address = RowAddress;

    async fn check(&mut self, access: Access) -> Result<Checked, Error> {
        let started = Instant::now();
        // Neither read-only nor not: what it is by itself is one of the questions.
        let begin = self.begin_statement("ISOLATION LEVEL READ COMMITTED");
        self.execute("begin", &begin).await?;
        let checked = self.search_catalogue(access).await;
        let checked = self.blame_locks(checked, started).await;
        self.rollback().await;
        checked
    }

    async fn begin(&mut self, access: Access) -> Result<(), Error> {
        let begin = self.begin_statement(match access {
            Access::Survey => "ISOLATION LEVEL REPEATABLE READ READ ONLY",
            // Each statement must see what the locks let through last.
            Access::Rewrite => "ISOLATION LEVEL READ COMMITTED READ WRITE",
        });
        self.execute("begin", &begin).await?;
        if access == Access::Rewrite {
            let started = Instant::now();
            let locked = self.take_locks().await;
            self.blame_locks(locked, started).await?;
            self.transaction = Some(self.answer("begin", settle::current_transaction).await?);
        }
        Ok(())
    }

    async fn count_rows(&mut self) -> Result<u64, Error> {
        self.clients = self.answer("count the clients", locks::count_rows).await?;
        Ok(self.clients)
    }

    async fn start_pass(&mut self, pass: Pass) -> Result<(), Error> {
        self.close_reader().await;
        if pass == Pass::Before {
            self.open_reader().await;
        }
        // The pass before this one, if any, left its cursor open at its end.
        let open = format!(
            "CLOSE ALL; {}",
            rows::open_cursor(&self.untouched, self.digest_seed)
        );
        let ask = async |mut connection: &AsyncPgConnection| connection.batch_execute(&open).await;
        self.answer_on(self.pass_connection(), "open a cursor", ask)
            .await?
    }

    async fn read_page(&self) -> Result<Vec<Row<RowAddress>>, Error> {
        match &self.reader {
            Some(reader) => self.answer_on(reader, "read a page", rows::read).await?,
            None => self.answer("read a page", rows::read).await,
        }
    }

    async fn write_page(&self, rewrites: Vec<Rewrite<RowAddress>>) -> Result<(), Error> {
        let Some(first) = rewrites.first() else {
            return Ok(());
        };
        let write = async |connection: &AsyncPgConnection| rows::write(connection, &rewrites).await;
        let written = self.answer("write a page", write).await?;
        if written == rewrites.len() {
            Ok(())
        } else {
            Err(Error::RowChanged {
                order_id: first.row.order_id.clone(),
                expected: rewrites.len(),
                written,
            })
        }
    }

    async fn commit(&mut self) -> Result<Committed, CommitFailure> {
        match (
            self.execute("commit", "COMMIT").await,
            self.transaction.take(),
        ) {
            (Ok(()), _) => Ok(Committed::Answered),
            (Err(error), Some(transaction)) => {
                let settled = settle::look(&self.connector, transaction).await;
                match settled {
                    Ok(true) => Ok(Committed::FoundByLooking),
                    Ok(false) => Err(CommitFailure::NotCommitted(error)),
                    Err(unanswered) => Err(CommitFailure::Unknown(Error::CommitUnknown {
                        source: unanswered,
                    })),
                }
            }
            (Err(error), None) => Err(CommitFailure::NotCommitted(error)),
        }
    }

    async fn rollback(&mut self) {
        if self.in_flight.swap(0, Relaxed) > 0 {
            self.connector.cancel(&self.connection.cancel_token()).await;
        }
        // The request to cancel may come late and hit the rollback instead.
        for _ in 0..3 {
            let mut connection = &self.connection;
            let rolled_back =
                tokio::time::timeout(GRACE, connection.batch_execute("ROLLBACK")).await;
            if matches!(rolled_back, Ok(Ok(()))) {
                break;
            }
        }
        self.reader = None;
        self.transaction = None;
    }
}
