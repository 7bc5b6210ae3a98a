//! The database from which those of the tests are copied.
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::time::Duration;

use tokio_postgres::Error;

use super::{NAME_PREFIX, PostgresServer};

/// What the service makes when it starts.
const SCHEMA: &str = include_str!("../service_schema.sql");

/// Makes it unless it is there, and gives its name. A server that stays up keeps it
/// for later runs, until the schema changes.
pub(super) async fn make(server: &PostgresServer) -> Result<String, Error> {
    let mut hasher = DefaultHasher::new();
    // Only its owner may copy it, and owns the tables in the copies.
    (SCHEMA, server.role()).hash(&mut hasher);
    let template = format!("{NAME_PREFIX}_template_{:016x}", hasher.finish());
    let client = server.try_connect(server.maintenance_database()).await?;
    // Other test processes may be making it. The lock goes with the connection.
    let lock = "select pg_advisory_lock(hashtext('harness template'))";
    client.batch_execute(lock).await?;
    let known = "select from pg_database where datname = $1";
    if client.query_opt(known, &[&template]).await?.is_some() {
        return Ok(template);
    }
    let unfinished = server.unique_name();
    let create = format!("create database {unfinished} template template0");
    client.batch_execute(&create).await?;
    let inside = server.try_connect(&unfinished).await?;
    inside.batch_execute(SCHEMA).await?;
    drop(inside);
    let elsewhere = "select count(*) from pg_stat_activity where datname = $1";
    while client
        .query_one(elsewhere, &[&unfinished])
        .await?
        .get::<_, i64>(0)
        > 0
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let rename = format!("alter database {unfinished} rename to {template}");
    client.batch_execute(&rename).await?;
    Ok(template)
}
