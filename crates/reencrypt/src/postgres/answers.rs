//! Asking the server: for how long, and what its refusals mean.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use diesel::QueryResult;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};

use super::PostgresTable;
use super::locks::{self, InTheWay};
use crate::driver_message::driver_message;
use crate::error::Error;
use crate::table::Table;

/// What a server may take longer than its own statement timeout before the
/// connection is taken for dead.
const GRACE: Duration = Duration::from_secs(15);

impl PostgresTable {
    /// Waits for an answer of the server, not for ever, and names what failed.
    pub(super) async fn answer<R>(
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
    pub(super) async fn answer_on<R>(
        &self,
        connection: &AsyncPgConnection,
        operation: &'static str,
        ask: impl AsyncFnOnce(&AsyncPgConnection) -> QueryResult<R>,
    ) -> Result<Result<R, Error>, Error> {
        let longest = self.timeouts.statement.max(self.timeouts.lock);
        let limit = longest.saturating_add(GRACE);
        let started = Instant::now();
        let answer = tokio::time::timeout(limit, ask(connection))
            .await
            .map_err(|_| Error::Timeout { operation, limit })?;
        Ok(answer.map_err(|error| self.explain(operation, &error, started.elapsed())))
    }

    /// Statements that yield no rows.
    pub(super) async fn execute(&self, operation: &'static str, sql: &str) -> Result<(), Error> {
        self.answer(operation, async |mut connection| {
            connection.batch_execute(sql).await
        })
        .await
    }

    /// diesel hides the server's error codes, and its messages are in any
    /// language: what is known is the kind, for a few, and how long it took.
    fn explain(&self, operation: &'static str, error: &DieselError, took: Duration) -> Error {
        let source = driver_message(error);
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
    pub(super) async fn blame<R>(
        &mut self,
        in_the_way: InTheWay,
        result: Result<R, Error>,
        started: Instant,
    ) -> Result<R, Error> {
        let waited = started.elapsed();
        match result {
            Err(error @ (Error::Statement { .. } | Error::Timeout { .. }))
                if waited >= self.timeouts.lock.min(self.timeouts.statement) =>
            {
                self.rollback().await;
                let ask = async |connection: &AsyncPgConnection| {
                    locks::holders(connection, in_the_way).await
                };
                match self.answer("find out who holds the lock", ask).await {
                    Ok(holders) if !holders.is_empty() => Err(Error::Locked { waited, holders }),
                    _ => Err(error),
                }
            }
            result => result,
        }
    }
}
