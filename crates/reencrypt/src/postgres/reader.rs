//! A second connection, which reads a table while the first one writes to it.

use std::time::Duration;

use diesel::QueryResult;
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};

use connection::Connector;

/// How long the run stands still for a second login, with the table's lock held.
const PATIENCE: Duration = Duration::from_secs(3);

/// Opens the connection, with the snapshot that the first one exported while it
/// held the table's lock. That the snapshot can be had shows, too, that a pooler
/// did not lead to another server.
///
/// None where there can be none in time: the first connection then does both, a
/// little slower.
pub(super) async fn open(connector: &Connector, snapshot: &str) -> Option<AsyncPgConnection> {
    let opening = async {
        let reader = super::open(connector).await.ok()?;
        begin(&reader, snapshot).await.ok()?;
        Some(reader)
    };
    tokio::time::timeout(PATIENCE, opening).await.ok().flatten()
}

async fn begin(mut reader: &AsyncPgConnection, snapshot: &str) -> QueryResult<()> {
    // Somebody may wait for the table in a mode that excludes readers; behind
    // him, this would wait for the first connection, and that one for this.
    let begin = format!(
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
         SET TRANSACTION SNAPSHOT '{snapshot}'; \
         SET LOCAL lock_timeout = 300; \
         SET LOCAL row_security = off; \
         LOCK TABLE dcr_clients IN ACCESS SHARE MODE"
    );
    reader.batch_execute(&begin).await
}

/// Takes leave, lest the server's log speak of a lost client.
pub(super) async fn close(reader: AsyncPgConnection) {
    let mut connection = &reader;
    // It has nothing to lose.
    let _ = tokio::time::timeout(PATIENCE, connection.batch_execute("ROLLBACK")).await;
}
