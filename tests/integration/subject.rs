//! A database with the service's tables, SQLite or Postgres, for tests that hold on both.
mod fixture;
mod postgres;
mod sqlite;
mod tokens;
mod writer;

use anyhow::Result;
use integration_tests::TestDatabase;

pub(crate) use fixture::expected;
pub(crate) use sqlite::SqliteFile;
pub(crate) use tokens::{FOREIGN, NEW, OLD, OLDER, Opened, is_canonical, key, open, token};
pub(crate) use writer::Writer;

/// A database of a test's own.
pub(crate) enum Subject {
    Sqlite(SqliteFile),
    Postgres(TestDatabase),
}

/// Which one it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

/// A row of `dcr_clients`, as the test's own SQL reads and writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) order_id: String,
    pub(crate) client_secret: String,
    pub(crate) registration_access_token: Option<String>,
    /// Every other column, as text. Made up when a row is inserted.
    pub(crate) others: String,
}

/// Everything that a write would change: a file's bytes and what lies beside it, or
/// each row of each table with its version and place. Only good for comparing.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Footprint(Vec<u8>);

impl Row {
    /// A row to insert, whose client secret is a given cell.
    pub(crate) fn new(order_id: impl Into<String>, client_secret: impl Into<String>) -> Row {
        Row {
            order_id: order_id.into(),
            client_secret: client_secret.into(),
            registration_access_token: None,
            others: String::new(),
        }
    }

    /// The same with a registration access token.
    pub(crate) fn with_registration(self, cell: impl Into<String>) -> Row {
        Row {
            registration_access_token: Some(cell.into()),
            ..self
        }
    }

    /// Both cells, opened with a key; a null stays one.
    pub(crate) fn opened(&self, key: &str) -> [Option<Opened>; 2] {
        let open = |cell: &String| open(cell, key);
        [
            open(&self.client_secret),
            self.registration_access_token.as_ref().and_then(open),
        ]
    }
}

impl Subject {
    /// With the service's tables and no rows.
    pub(crate) async fn create(backend: Backend) -> Result<Subject> {
        Ok(match backend {
            Backend::Sqlite => Subject::Sqlite(SqliteFile::with_tables()?),
            Backend::Postgres => Subject::Postgres(TestDatabase::create().await),
        })
    }

    /// Without any table.
    pub(crate) async fn create_empty(backend: Backend) -> Result<Subject> {
        Ok(match backend {
            Backend::Sqlite => Subject::Sqlite(SqliteFile::without_tables()?),
            Backend::Postgres => Subject::Postgres(TestDatabase::create_empty().await),
        })
    }

    /// With the rows of one of the databases that the service wrote.
    pub(crate) async fn fixture(backend: Backend, name: &str) -> Result<Subject> {
        let file = SqliteFile::fixture(name)?;
        match backend {
            Backend::Sqlite => Ok(Subject::Sqlite(file)),
            Backend::Postgres => {
                let database = TestDatabase::create().await;
                fixture::copy(&file, &database).await?;
                Ok(Subject::Postgres(database))
            }
        }
    }

    /// With so many made-up clients under [`OLD`].
    pub(crate) async fn with_clients(backend: Backend, count: u64) -> Result<Subject> {
        let subject = Subject::create(backend).await?;
        subject.insert(&clients(count)?).await?;
        Ok(subject)
    }

    pub(crate) fn backend(&self) -> Backend {
        match self {
            Subject::Sqlite(_) => Backend::Sqlite,
            Subject::Postgres(_) => Backend::Postgres,
        }
    }

    /// As the service's secret would hold it.
    pub(crate) fn url(&self) -> String {
        match self {
            Subject::Sqlite(file) => file.url(),
            Subject::Postgres(database) => database.url(),
        }
    }

    /// Runs statements.
    pub(crate) async fn execute(&self, statements: &str) -> Result<()> {
        match self {
            Subject::Sqlite(file) => file.execute(statements),
            Subject::Postgres(database) => {
                let client = database.connect().await;
                Ok(client.batch_execute(statements).await?)
            }
        }
    }

    /// Runs the statements in the words of this one.
    pub(crate) async fn execute_either(&self, sqlite: &str, postgres: &str) -> Result<()> {
        match self.backend() {
            Backend::Sqlite => self.execute(sqlite).await,
            Backend::Postgres => self.execute(postgres).await,
        }
    }

    /// Inserts rows, with values made up for the columns that hold no token.
    pub(crate) async fn insert(&self, rows: &[Row]) -> Result<()> {
        match self {
            Subject::Sqlite(file) => file.insert(rows),
            Subject::Postgres(database) => postgres::insert(database, rows).await,
        }
    }

    /// Every row, in the order of `order_id`.
    pub(crate) async fn rows(&self) -> Result<Vec<Row>> {
        let mut rows = match self {
            Subject::Sqlite(file) => file.rows()?,
            Subject::Postgres(database) => postgres::rows(database).await?,
        };
        // By the same rule on both, whatever the database's collation.
        rows.sort_by(|one, other| one.order_id.cmp(&other.order_id));
        Ok(rows)
    }

    /// For comparing: nothing was written if it is the same later. Not while a
    /// connection to an SQLite file is open.
    pub(crate) async fn footprint(&self) -> Result<Footprint> {
        Ok(Footprint(match self {
            Subject::Sqlite(file) => file.footprint()?,
            Subject::Postgres(database) => postgres::footprint(database).await?,
        }))
    }
}

/// So many made-up clients under [`OLD`].
pub(crate) fn clients(count: u64) -> Result<Vec<Row>> {
    let key = key(OLD)?;
    let rows = reencrypt::sample::clients(count, &key).map(|client| Row {
        registration_access_token: client.registration_access_token_encrypted,
        ..Row::new(client.order_id, client.client_secret_encrypted)
    });
    Ok(rows.collect())
}
