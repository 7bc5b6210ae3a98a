//! Asking SQLite: in a thread where it may block, and what its refusals mean.

use std::time::{Duration, Instant};

use diesel::{QueryResult, SqliteConnection};
use futures_util::future::BoxFuture;

use super::{SqliteTable, locked};
use crate::driver_message::driver_message;
use crate::error::Error;

/// How often a busy database is asked again. SQLite could wait by itself, but
/// then nothing could interrupt it.
const POLL: Duration = Duration::from_millis(10);

impl SqliteTable {
    /// Runs a task on the connection in a thread where it may block.
    fn hand_over<R: Send + 'static>(
        &self,
        task: impl FnOnce(&mut SqliteConnection) -> QueryResult<R> + Send + 'static,
    ) -> BoxFuture<'static, QueryResult<R>> {
        locked(&self.connection).spawn_blocking(task)
    }

    /// Runs a task and names what failed.
    pub(super) async fn run<R: Send + 'static>(
        &self,
        operation: &'static str,
        task: impl FnOnce(&mut SqliteConnection) -> QueryResult<R> + Send + 'static,
    ) -> Result<R, Error> {
        let result = self.hand_over(task).await;
        result.map_err(|error| self.explain(operation, &error))
    }

    /// The same, again and again while somebody else holds the database, as
    /// long as the lock timeout allows.
    pub(super) async fn patiently<R: Send + 'static>(
        &self,
        operation: &'static str,
        task: impl Fn(&mut SqliteConnection) -> QueryResult<R> + Clone + Send + 'static,
    ) -> Result<R, Error> {
        let started = Instant::now();
        loop {
            let result = self.hand_over(task.clone()).await;
            match result {
                Err(error) if is_locked(&error) => {
                    let waited = started.elapsed();
                    if waited >= self.lock_timeout {
                        return Err(Error::Locked {
                            waited,
                            holders: Vec::new(),
                        });
                    }
                    tokio::time::sleep(POLL).await;
                }
                result => return result.map_err(|error| self.explain(operation, &error)),
            }
        }
    }

    /// Names what SQLite's message means; its messages are constants, in English.
    pub(super) fn explain(&self, operation: &'static str, error: &diesel::result::Error) -> Error {
        let source = driver_message(error);
        match source.to_string().as_str() {
            "database is locked" | "database table is locked" => Error::Locked {
                waited: Duration::ZERO,
                holders: Vec::new(),
            },
            "database or disk is full" => Error::DiskFull { source },
            "attempt to write a readonly database" => Error::ReadOnly,
            "file is not a database" => Error::NotADatabase {
                path: self.path.clone(),
            },
            "unable to open database file" => Error::FilePermission {
                action: "write beside",
                path: self.path.clone(),
            },
            _ => Error::Statement { operation, source },
        }
    }
}

fn is_locked(error: &diesel::result::Error) -> bool {
    matches!(error, diesel::result::Error::DatabaseError(_, information)
        if information.message().ends_with("is locked"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use diesel::result::{DatabaseErrorKind, Error as DieselError};

    use super::*;
    use crate::sample;
    use crate::table::Timeouts;

    async fn table(path: &Path) -> SqliteTable {
        let key = secret::FernetKey::generate();
        sample::create_sqlite(path, 0, &key).await.unwrap();
        SqliteTable::connect(path, Timeouts::default())
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn what_sqlite_says_is_told_as_what_it_means() {
        let folder = std::env::temp_dir().join(format!("sqlite-answers-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let table = table(&folder.join("clients.sqlite")).await;
        let told = |said: &str| {
            let information = Box::new(said.to_owned());
            let error = DieselError::DatabaseError(DatabaseErrorKind::Unknown, information);
            table.explain("write a page", &error)
        };
        for locked in ["database is locked", "database table is locked"] {
            assert!(matches!(told(locked), Error::Locked { .. }), "{locked}");
        }
        let full = told("database or disk is full");
        assert!(matches!(full, Error::DiskFull { .. }), "{full:?}");
        let read_only = told("attempt to write a readonly database");
        assert!(matches!(read_only, Error::ReadOnly), "{read_only:?}");
        let another = told("file is not a database");
        assert!(matches!(another, Error::NotADatabase { .. }), "{another:?}");
        let closed = told("unable to open database file");
        assert!(
            matches!(
                closed,
                Error::FilePermission {
                    action: "write beside",
                    ..
                }
            ),
            "{closed:?}"
        );
        let unknown = told("disk I/O error");
        assert!(matches!(unknown, Error::Statement { .. }), "{unknown:?}");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
