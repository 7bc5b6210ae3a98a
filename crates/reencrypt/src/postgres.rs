//! `dcr_clients` on a Postgres server, version 12 or later.

mod answers;
mod catalogue;
mod check;
mod locks;
mod reader;
mod rows;
mod search;
mod settle;

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use connection::{Connector, DatabaseMessage, Tls};
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use secret::PostgresTarget;
use tokio_util::sync::CancellationToken;

use crate::clients::Client;
use crate::error::Error;
use crate::pass::PAGE_ROWS;
use crate::table::{
    Access, Checked, CommitFailure, Committed, Pass, Rewrite, Row, Table, Timeouts,
};
use locks::InTheWay;
use rows::RowAddress;

/// How long to wait for the answer to a rollback, which is a matter of
/// milliseconds, while somebody waits for the answer to Ctrl-C.
const ROLLBACK_PATIENCE: Duration = Duration::from_secs(3);

/// What the server shows beside a session of this program.
const APPLICATION_NAME: &str = "cargo xtask rotate-dcr";

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

/// Connects and logs in.
async fn open(connector: &Connector) -> Result<AsyncPgConnection, connection::Error> {
    connector
        .connect(AsyncPgConnection::try_from_client_and_connection)
        .await
}

impl PostgresTable {
    /// Connects and logs in.
    pub(crate) async fn connect(
        target: &PostgresTarget,
        tls: Tls,
        timeouts: Timeouts,
    ) -> Result<PostgresTable, Error> {
        let connector = Connector::new(target, tls, APPLICATION_NAME)?;
        let connection = open(&connector).await?;
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

    /// Who the clients are.
    pub(crate) async fn clients(&self) -> Result<Vec<Client>, Error> {
        self.answer("list the clients", locks::clients).await
    }

    /// Opens a second connection for the first pass of a table that is worth it.
    async fn open_reader(&mut self) -> Result<(), Error> {
        let is_worth_a_login = self.clients > PAGE_ROWS as u64;
        if is_worth_a_login && self.transaction.is_some() {
            let snapshot = self
                .answer("export a snapshot", locks::export_snapshot)
                .await?;
            self.reader = reader::open(&self.connector, &snapshot).await;
        }
        Ok(())
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
        // Excludes every writer, those who lock rows to write to them later (`FOR
        // UPDATE`), and itself; not readers. The lock's own limit is the one
        // that counts here.
        let lock = format!(
            "SET LOCAL statement_timeout = 0; \
             LOCK TABLE dcr_clients IN EXCLUSIVE MODE; \
             SET LOCAL statement_timeout = {}",
            milliseconds(self.timeouts.statement),
        );
        let started = Instant::now();
        let locked = self.execute("lock `dcr_clients`", &lock).await;
        self.blame(InTheWay::OfWriting, locked, started).await
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
        let checked = self.blame(InTheWay::OfReading, checked, started).await;
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
            self.take_locks().await?;
            self.transaction = Some(self.answer("begin", settle::current_transaction).await?);
        }
        Ok(())
    }

    async fn count_rows(&mut self) -> Result<u64, Error> {
        self.clients = self.answer("count the clients", locks::count_rows).await?;
        Ok(self.clients)
    }

    async fn start_pass(&mut self, pass: Pass) -> Result<(), Error> {
        if let Some(reader) = self.reader.take() {
            reader::close(reader).await;
        }
        if pass == Pass::Before {
            self.open_reader().await?;
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

    async fn commit(&mut self, _interrupt: &CancellationToken) -> Result<Committed, CommitFailure> {
        let answer = self.execute("commit", "COMMIT").await;
        let Some(transaction) = self.transaction.take() else {
            return answer
                .map(|()| Committed::Answered)
                .map_err(CommitFailure::NotCommitted);
        };
        // "Done" is also the answer to the commit of a transaction that had failed
        // and is rolled back. So the server is asked what it did, in any case.
        let error = match answer {
            Err(error) => error,
            Ok(()) => {
                let ask = async |connection: &AsyncPgConnection| {
                    settle::is_committed(connection, transaction).await
                };
                match self.answer("look whether the commit took place", ask).await {
                    Ok(true) => return Ok(Committed::Answered),
                    Ok(false) => Error::Statement {
                        operation: "commit",
                        source: DatabaseMessage::new("it rolled back instead"),
                    },
                    Err(error) => error,
                }
            }
        };
        match settle::look(&self.connector, transaction).await {
            Ok(true) => Ok(Committed::FoundByLooking),
            Ok(false) => Err(CommitFailure::NotCommitted(error)),
            Err(source) => Err(CommitFailure::Unknown(Error::CommitUnknown { source })),
        }
    }

    async fn rollback(&mut self) {
        let rolling_back = async {
            if self.in_flight.swap(0, Relaxed) > 0 {
                self.connector.cancel(&self.connection.cancel_token()).await;
            }
            // The request to cancel may come late and hit the rollback instead.
            for _ in 0..3 {
                let mut connection = &self.connection;
                if connection.batch_execute("ROLLBACK").await.is_ok() {
                    break;
                }
            }
        };
        // A server that doesn't answer rolls back when it sees that nobody is there.
        let _ = tokio::time::timeout(ROLLBACK_PATIENCE, rolling_back).await;
        self.reader = None;
        self.transaction = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_at_all_is_not_taken_for_no_limit() {
        assert_eq!(milliseconds(Duration::ZERO), 1);
        assert_eq!(milliseconds(Duration::from_secs(10)), 10_000);
        assert_eq!(milliseconds(Duration::MAX), i32::MAX as u128);
    }
}
