//! Locks and snapshots: what keeps others out, what lets others in, and who is in the way.

use connection::DatabaseMessage;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::clients::{CLIENTS, Client};

/// The number of the advisory lock: "dcr_key" in ASCII. Advisory locks belong to
/// one database, so two databases on a server don't meet.
const ADVISORY_LOCK: i64 = 0x0064_6372_5f6b_6579;

/// Takes the advisory lock to the end of the transaction; false if it is taken.
pub(super) async fn try_advisory_lock(mut connection: &AsyncPgConnection) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct Taken {
        #[diesel(sql_type = Bool)]
        taken: bool,
    }
    let query = format!("SELECT pg_try_advisory_xact_lock({ADVISORY_LOCK}) AS taken");
    let row: Taken = diesel::sql_query(query).get_result(&mut connection).await?;
    Ok(row.taken)
}

/// The number of clients.
pub(super) async fn count_rows(mut connection: &AsyncPgConnection) -> QueryResult<u64> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        clients: i64,
    }
    let query = "SELECT count(*) AS clients FROM dcr_clients";
    let row: Count = diesel::sql_query(query).get_result(&mut connection).await?;
    Ok(row.clients.unsigned_abs())
}

/// Who the clients are.
pub(super) async fn clients(mut connection: &AsyncPgConnection) -> QueryResult<Vec<Client>> {
    diesel::sql_query(CLIENTS).load(&mut connection).await
}

/// Lets another connection see what this one sees now.
pub(super) async fn export_snapshot(mut connection: &AsyncPgConnection) -> QueryResult<String> {
    #[derive(QueryableByName)]
    struct Snapshot {
        #[diesel(sql_type = Text)]
        snapshot: String,
    }
    let query = "SELECT pg_export_snapshot() AS snapshot";
    let row: Snapshot = diesel::sql_query(query).get_result(&mut connection).await?;
    Ok(row.snapshot)
}

/// Which of the holders of a lock are in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InTheWay {
    /// Of a reader.
    OfReading,
    /// Of somebody who takes the table's lock.
    OfWriting,
}

/// Who holds a lock on `dcr_clients` that keeps this tool out, in words.
pub(super) async fn holders(
    mut connection: &AsyncPgConnection,
    in_the_way: InTheWay,
) -> QueryResult<Vec<String>> {
    #[derive(QueryableByName)]
    struct Holder {
        #[diesel(sql_type = Text)]
        holder: String,
    }
    // What isn't granted to a role to see is null.
    let modes = match in_the_way {
        InTheWay::OfReading => "l.mode = 'AccessExclusiveLock'",
        InTheWay::OfWriting => "l.mode <> 'AccessShareLock'",
    };
    let query = format!(
        "\
        SELECT DISTINCT format('process %s (%s, %s, for %s)', l.pid, \
            coalesce(nullif(a.application_name, ''), 'no name'), \
            coalesce(a.state, 'state hidden'), \
            coalesce(date_trunc('second', now() - a.xact_start)::text, 'an unknown time')) AS holder \
        FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid \
        WHERE l.relation = to_regclass('dcr_clients') AND l.granted AND l.pid <> pg_backend_pid() \
            AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
            AND {modes}"
    );
    let holders: Vec<Holder> = diesel::sql_query(query).load(&mut connection).await?;
    Ok(holders
        .into_iter()
        .map(|row| DatabaseMessage::new(&row.holder).to_string())
        .collect())
}
