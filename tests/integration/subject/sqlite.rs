//! An SQLite file of a test's own, with SQL of the test's own.
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use tempfile::TempDir;

use super::Row;

/// A file in a folder, which goes away with this value.
pub(crate) struct SqliteFile {
    folder: TempDir,
}

/// Every column that holds no token, as SQL that shows value and type of each.
const OTHERS: &str = "quote(client_id) || ',' || quote(account_id) || ',' || quote(redirect_uris) || ',' || \
     quote(grant_types) || ',' || quote(keycloak_client_uuid) || ',' || quote(created_at) || ',' || quote(metadata)";

impl SqliteFile {
    /// A folder for a file that isn't there.
    pub(crate) fn missing() -> Result<SqliteFile> {
        Ok(SqliteFile {
            folder: tempfile::tempdir()?,
        })
    }

    /// A database without tables.
    pub(crate) fn without_tables() -> Result<SqliteFile> {
        let file = SqliteFile::missing()?;
        file.execute("CREATE TABLE made (made); DROP TABLE made")?;
        Ok(file)
    }

    /// The service's tables, without rows.
    pub(crate) fn with_tables() -> Result<SqliteFile> {
        let file = SqliteFile::missing()?;
        file.execute(reencrypt::sample::SQLITE_SCHEMA)?;
        Ok(file)
    }

    /// A copy of a database that the service wrote.
    pub(crate) fn fixture(name: &str) -> Result<SqliteFile> {
        let file = SqliteFile::missing()?;
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
        fs::copy(fixtures.join(name).with_extension("sqlite"), file.path())?;
        Ok(file)
    }

    /// The folder that it lies in, alone.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The file.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder().join("clients.sqlite")
    }

    /// Four slashes, for the path is absolute.
    pub(crate) fn url(&self) -> String {
        format!("sqlite+aiosqlite:///{}", self.path().display())
    }

    /// A connection; the file is made if there is none.
    pub(crate) fn connect(&self) -> Result<SqliteConnection> {
        Ok(SqliteConnection::establish(
            &self.path().display().to_string(),
        )?)
    }

    pub(crate) fn execute(&self, statements: &str) -> Result<()> {
        Ok(self.connect()?.batch_execute(statements)?)
    }

    /// The one text that a query yields as `value`.
    pub(crate) fn text(&self, query: &str) -> Result<String> {
        #[derive(QueryableByName)]
        struct Found {
            #[diesel(sql_type = Text)]
            value: String,
        }
        let found: Found = diesel::sql_query(query).get_result(&mut self.connect()?)?;
        Ok(found.value)
    }

    pub(crate) fn insert(&self, rows: &[Row]) -> Result<()> {
        let insert = "INSERT INTO dcr_clients (order_id, client_id, client_secret_encrypted, \
            registration_access_token_encrypted, account_id, redirect_uris, grant_types, metadata) \
            VALUES (?, 'client of ' || ?, ?, ?, 'account-é', '[\"https://example.com/a b\", \"x\"]', \
            '[\"authorization_code\"]', '{\"name\":  \"it''s\"}')";
        self.connect()?.transaction(|connection| {
            for row in rows {
                diesel::sql_query(insert)
                    .bind::<Text, _>(&row.order_id)
                    .bind::<Text, _>(&row.order_id)
                    .bind::<Text, _>(&row.client_secret)
                    .bind::<Nullable<Text>, _>(&row.registration_access_token)
                    .execute(connection)?;
            }
            Ok(())
        })
    }

    pub(crate) fn rows(&self) -> Result<Vec<Row>> {
        #[derive(QueryableByName)]
        struct Found {
            #[diesel(sql_type = Text)]
            order_id: String,
            #[diesel(sql_type = Text)]
            client_secret: String,
            #[diesel(sql_type = Nullable<Text>)]
            registration_access_token: Option<String>,
            #[diesel(sql_type = Text)]
            others: String,
        }
        let query = format!(
            "SELECT order_id, client_secret_encrypted AS client_secret, \
             registration_access_token_encrypted AS registration_access_token, \
             {OTHERS} AS others FROM dcr_clients"
        );
        let found: Vec<Found> = diesel::sql_query(query).load(&mut self.connect()?)?;
        let row = |found: Found| Row {
            order_id: found.order_id,
            client_secret: found.client_secret,
            registration_access_token: found.registration_access_token,
            others: found.others,
        };
        Ok(found.into_iter().map(row).collect())
    }

    /// The names of what is in its folder.
    pub(crate) fn files(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.folder())? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    pub(crate) fn footprint(&self) -> Result<Vec<u8>> {
        let mut footprint = self.files()?.join("/").into_bytes();
        footprint.extend(fs::read(self.path())?);
        Ok(footprint)
    }
}
