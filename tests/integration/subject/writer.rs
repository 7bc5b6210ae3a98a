//! Somebody who writes to the table while a run wants it.
use std::time::Duration;

use anyhow::{Result, bail};
use diesel::SqliteConnection;
use diesel::connection::SimpleConnection as _;
use tokio_postgres::Client;

use super::{OLD, Subject, token};

/// Somebody with an open transaction that has written to the table.
pub(crate) enum Writer {
    Sqlite(SqliteConnection),
    Postgres(Client),
}

impl Writer {
    pub(crate) async fn inserting(subject: &Subject, order_id: &str) -> Result<Writer> {
        let cell = token("late", 1_700_000_000, OLD)?;
        let insert = format!(
            "BEGIN; INSERT INTO dcr_clients (order_id, client_id, client_secret_encrypted, account_id, metadata)
             VALUES ('{order_id}', '{order_id}', '{cell}', 'account', '{{}}')"
        );
        Ok(match subject {
            Subject::Sqlite(file) => {
                let mut connection = file.connect()?;
                // As Python's driver does: a run that comes to wait has looked at the file.
                connection.batch_execute("PRAGMA busy_timeout = 5000")?;
                connection.batch_execute(&insert)?;
                Writer::Sqlite(connection)
            }
            Subject::Postgres(database) => {
                let client = database.connect().await;
                client.batch_execute(&insert).await?;
                Writer::Postgres(client)
            }
        })
    }

    pub(crate) async fn finish(self, how: &str) -> Result<()> {
        match self {
            Writer::Sqlite(mut connection) => Ok(connection.batch_execute(how)?),
            Writer::Postgres(client) => Ok(client.batch_execute(how).await?),
        }
    }
}

impl Subject {
    /// Waits until a run has come to wait for the table; on SQLite, which can't be
    /// asked, until it has refused others the run.
    pub(crate) async fn until_a_run_waits(&self) -> Result<()> {
        for _ in 0..1_000 {
            let waits = match self {
                Subject::Sqlite(file) => file.files()?.iter().any(|name| name.ends_with("-lock")),
                Subject::Postgres(database) => {
                    let waiting = "select count(*) > 0 from pg_locks
                        where relation = 'dcr_clients'::regclass and not granted
                        and database =
                            (select oid from pg_database where datname = current_database())";
                    let client = database.connect().await;
                    client.query_one(waiting, &[]).await?.get(0)
                }
            };
            if waits {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        bail!("it never came to wait for the table")
    }
}
