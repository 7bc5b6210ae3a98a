//! `dcr_clients` with made-up clients, on Postgres or in an SQLite file.
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use integration_tests::TestDatabase;
use reencrypt::sample::{self, SampleClient};
use tempfile::TempDir;
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use super::tokens::{Counted, Keys, Row};

/// A table of a test's own.
pub(super) enum Table {
    Postgres(TestDatabase),
    Sqlite(SqliteFile),
}

/// An SQLite database in a folder of its own, gone with this value.
pub(super) struct SqliteFile {
    folder: TempDir,
}

/// One table of each kind, with so many clients under the old key.
pub(super) async fn of_both_kinds(clients: u64, keys: &Keys) -> Result<[Table; 2]> {
    Ok([
        Table::Postgres(on_postgres(clients, keys).await?),
        Table::Sqlite(SqliteFile::create(clients, keys).await?),
    ])
}

/// A Postgres database with so many clients under the old key.
pub(super) async fn on_postgres(clients: u64, keys: &Keys) -> Result<TestDatabase> {
    let database = TestDatabase::create().await;
    let client = database.connect().await;
    let clients: Vec<_> = sample::clients(clients, &keys.old_key()).collect();
    for page in clients.chunks(5_000) {
        insert_on_postgres(&client, page).await?;
    }
    client.batch_execute("vacuum analyze dcr_clients").await?;
    Ok(database)
}

/// Inserts clients with one statement.
pub(super) async fn insert_on_postgres(client: &Client, clients: &[SampleClient]) -> Result<()> {
    let column = |of: fn(&SampleClient) -> &String| clients.iter().map(of).collect();
    let order_ids: Vec<&String> = column(|client| &client.order_id);
    let client_ids: Vec<&String> = column(|client| &client.client_id);
    let secrets: Vec<&String> = column(|client| &client.client_secret_encrypted);
    let tokens: Vec<Option<&String>> = clients
        .iter()
        .map(|client| client.registration_access_token_encrypted.as_ref())
        .collect();
    let accounts: Vec<&String> = column(|client| &client.account_id);
    let columns: [&(dyn ToSql + Sync); 5] = [&order_ids, &client_ids, &secrets, &tokens, &accounts];
    client.execute(INSERT_ON_POSTGRES, &columns).await?;
    Ok(())
}

const INSERT_ON_POSTGRES: &str = "
    insert into dcr_clients (order_id, client_id, client_secret_encrypted,
        registration_access_token_encrypted, account_id, redirect_uris, grant_types, metadata)
    select page.*, array['https://example.com/callback'], array['authorization_code'], '{}'
    from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) as page";

/// Has every commit that changed the table pause, within the server.
pub(super) async fn make_commits_take(client: &Client, time: Duration) -> Result<()> {
    let when = "after update on dcr_clients deferrable initially deferred";
    pause(client, time, "constraint trigger", when).await
}

/// Has the page with the 4,000th client pause, within the server.
pub(super) async fn make_a_page_take(client: &Client, time: Duration) -> Result<()> {
    pause(client, time, "trigger", "before update on dcr_clients").await
}

async fn pause(client: &Client, time: Duration, trigger: &str, when: &str) -> Result<()> {
    let seconds = time.as_secs();
    let pause = format!(
        "create function pause() returns trigger language plpgsql as
             $$ begin perform pg_sleep({seconds}); return new; end $$;
         create {trigger} pause {when} for each row
             when (new.order_id = 'order-0004000') execute function pause()"
    );
    Ok(client.batch_execute(&pause).await?)
}

/// What holds the table.
pub(super) trait Store {
    /// Its URL, in the service's form.
    fn url(&self) -> String;

    /// Reads every row, by a connection past all proxies.
    async fn rows(&self) -> Result<Vec<Row>>;

    /// Counts every token.
    async fn count(&self, keys: &Keys) -> Result<Counted> {
        Ok(keys.count(&self.rows().await?))
    }
}

impl Store for Table {
    fn url(&self) -> String {
        match self {
            Table::Postgres(database) => database.url(),
            Table::Sqlite(file) => file.url(),
        }
    }

    async fn rows(&self) -> Result<Vec<Row>> {
        match self {
            Table::Postgres(database) => database.rows().await,
            Table::Sqlite(file) => file.rows().await,
        }
    }
}

impl Store for TestDatabase {
    fn url(&self) -> String {
        TestDatabase::url(self)
    }

    async fn rows(&self) -> Result<Vec<Row>> {
        let rows = self.connect().await.query(SELECT, &[]).await?;
        let row = |row: tokio_postgres::Row| Row {
            order_id: row.get(0),
            client_secret: row.get(1),
            registration_access_token: row.get(2),
        };
        Ok(rows.into_iter().map(row).collect())
    }
}

impl Store for SqliteFile {
    /// A fourth slash makes a path absolute.
    fn url(&self) -> String {
        format!("sqlite+aiosqlite:///{}", self.path().display())
    }

    async fn rows(&self) -> Result<Vec<Row>> {
        #[derive(QueryableByName)]
        struct Found {
            #[diesel(sql_type = Text)]
            order_id: String,
            #[diesel(sql_type = Text)]
            client_secret: String,
            #[diesel(sql_type = Nullable<Text>)]
            registration_access_token: Option<String>,
        }
        let rows: Vec<Found> = diesel::sql_query(SELECT).load(&mut self.connect()?)?;
        let row = |found: Found| Row {
            order_id: found.order_id,
            client_secret: found.client_secret,
            registration_access_token: found.registration_access_token,
        };
        Ok(rows.into_iter().map(row).collect())
    }
}

const SELECT: &str = "select order_id, client_secret_encrypted as client_secret,
    registration_access_token_encrypted as registration_access_token from dcr_clients";

impl SqliteFile {
    /// With so many clients under the old key.
    pub(super) async fn create(clients: u64, keys: &Keys) -> Result<SqliteFile> {
        let file = SqliteFile {
            folder: tempfile::tempdir()?,
        };
        sample::create_sqlite(&file.path(), clients, &keys.old_key()).await?;
        Ok(file)
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join("clients.sqlite")
    }

    /// A copy of all its files, to be looked at: whoever opens a database after a crash
    /// repairs it, and that is to be the program's own business.
    pub(super) fn copied(&self) -> Result<SqliteFile> {
        SqliteFile::copy_of(self.folder.path())
    }

    /// The same of any folder with a database of this name.
    pub(super) fn copy_of(folder: &Path) -> Result<SqliteFile> {
        let copy = tempfile::tempdir()?;
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            fs::copy(entry.path(), copy.path().join(entry.file_name()))?;
        }
        Ok(SqliteFile { folder: copy })
    }

    /// The names of the files beside the database: journals and locks.
    pub(super) fn beside(&self) -> Result<Vec<String>> {
        let names = fs::read_dir(self.folder.path())?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<Result<Vec<String>>>()?;
        Ok(names
            .into_iter()
            .filter(|name| name != "clients.sqlite")
            .collect())
    }

    /// A connection that doesn't wait for anybody.
    pub(super) fn connect(&self) -> Result<SqliteConnection> {
        let path = self.path();
        SqliteConnection::establish(path.to_str().context("a path of another encoding")?)
            .context("the SQLite file can't be opened")
    }
}
