//! A commit whose answer was lost: the server is asked what became of it.

use std::time::{Duration, Instant};

use connection::DatabaseMessage;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::driver_message::driver_message;
use connection::Connector;

/// How long to ask.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the server may think that the transaction goes on. Its connection is
/// dead; it holds the table's lock until somebody ends it.
const END_AFTER: Duration = Duration::from_secs(5);
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(200);
/// For one attempt, connection included.
const ATTEMPT: Duration = Duration::from_secs(15);

/// A transaction's number and the server process that runs it.
#[derive(Clone, Copy, Debug, QueryableByName)]
pub(super) struct Transaction {
    #[diesel(sql_type = BigInt)]
    transaction_id: i64,
    #[diesel(sql_type = Integer)]
    process_id: i32,
}

/// The transaction that runs now; gives it a number if it has none.
pub(super) async fn current_transaction(
    mut connection: &AsyncPgConnection,
) -> QueryResult<Transaction> {
    let query = "SELECT txid_current() AS transaction_id, pg_backend_pid() AS process_id";
    diesel::sql_query(query).get_result(&mut connection).await
}

/// Whether the transaction was committed, asked once on a connection that stands.
pub(super) async fn is_committed(
    connection: &AsyncPgConnection,
    transaction: Transaction,
) -> QueryResult<bool> {
    Ok(status(connection, transaction).await?.as_deref() == Some("committed"))
}

/// Whether the transaction was committed, asked until the server answers.
pub(super) async fn look(
    connector: &Connector,
    transaction: Transaction,
) -> Result<bool, DatabaseMessage> {
    let started = Instant::now();
    loop {
        let end_it = started.elapsed() >= END_AFTER;
        let answer = match tokio::time::timeout(ATTEMPT, ask(connector, transaction, end_it)).await
        {
            Ok(answer) => answer,
            Err(_) => Err(DatabaseMessage::new("the server does not answer")),
        };
        match answer.as_ref().map(Option::as_deref) {
            Ok(Some("committed")) => return Ok(true),
            Ok(Some("aborted")) => return Ok(false),
            _ if started.elapsed() < PATIENCE => tokio::time::sleep(BETWEEN_ATTEMPTS).await,
            Ok(status) => {
                let status = status.unwrap_or("forgotten");
                return Err(DatabaseMessage::new(&format!(
                    "the server says: transaction {status}"
                )));
            }
            Err(_) => return Err(answer.err().unwrap_or_else(|| DatabaseMessage::new(""))),
        }
    }
}

async fn ask(
    connector: &Connector,
    transaction: Transaction,
    end_it: bool,
) -> Result<Option<String>, DatabaseMessage> {
    let connection = super::open(connector)
        .await
        .map_err(|error| describe(&error))?;
    let status = status(&connection, transaction)
        .await
        .map_err(|error| driver_message(&error))?;
    if end_it && status.as_deref() == Some("in progress") {
        end(&connection, transaction)
            .await
            .map_err(|error| driver_message(&error))?;
    }
    Ok(status)
}

fn describe(error: &dyn std::error::Error) -> DatabaseMessage {
    let cause = error
        .source()
        .map(|cause| format!(": {cause}"))
        .unwrap_or_default();
    DatabaseMessage::new(&format!("{error}{cause}"))
}

/// `committed`, `aborted`, `in progress`, or nothing for a transaction too long
/// ago (<https://www.postgresql.org/docs/current/functions-info.html>).
async fn status(
    mut connection: &AsyncPgConnection,
    transaction: Transaction,
) -> QueryResult<Option<String>> {
    #[derive(QueryableByName)]
    struct Status {
        #[diesel(sql_type = Nullable<Text>)]
        status: Option<String>,
    }
    let query = diesel::sql_query("SELECT txid_status($1) AS status")
        .bind::<BigInt, _>(transaction.transaction_id);
    let row: Status = query.get_result(&mut connection).await?;
    Ok(row.status)
}

/// Ends the process of the transaction, if it still runs that transaction.
async fn end(mut connection: &AsyncPgConnection, transaction: Transaction) -> QueryResult<usize> {
    // A `backend_xid` is the lower 32 bits of the number.
    diesel::sql_query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE pid = $1 AND backend_xid::text::bigint = $2 % 4294967296",
    )
    .bind::<Integer, _>(transaction.process_id)
    .bind::<BigInt, _>(transaction.transaction_id)
    .execute(&mut connection)
    .await
}
