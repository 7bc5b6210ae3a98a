//! A connection to the database that a URL names.

use connection::Tls;
use secret::{DatabaseTarget, DatabaseUrl};

use crate::error::Error;
use crate::postgres::PostgresTable;
use crate::sqlite::SqliteTable;
use crate::table::Timeouts;

/// A connection to one database, Postgres or SQLite.
pub struct Database {
    pub(crate) backend: Backend,
}

pub(crate) enum Backend {
    Postgres(Box<PostgresTable>),
    Sqlite(Box<SqliteTable>),
}

impl Database {
    /// Connects. An SQLite file that doesn't exist is an error, not a new database.
    ///
    /// # Errors
    ///
    /// Those of [`Error`] that speak of files, connections, logins and TLS.
    pub async fn connect(
        url: &DatabaseUrl,
        tls: Tls,
        timeouts: Timeouts,
    ) -> Result<Database, Error> {
        let backend = match url.target() {
            DatabaseTarget::Postgres(target) => Backend::Postgres(Box::new(
                PostgresTable::connect(target, tls, timeouts).await?,
            )),
            DatabaseTarget::Sqlite(target) => Backend::Sqlite(Box::new(
                SqliteTable::connect(&target.path, timeouts).await?,
            )),
        };
        Ok(Database { backend })
    }
}
