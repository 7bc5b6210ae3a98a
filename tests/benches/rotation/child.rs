//! One piece of work in a process of its own, so that its memory is its own too.
use std::io::Read as _;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use reencrypt::{Database, Event, Keyring, Mode, Outcome, Timeouts, Tls};
use secret::{DatabaseTarget, DatabaseUrl, FernetKey};
use tokio_util::sync::CancellationToken;

use crate::postgres;

/// What to do with the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// What the database takes alone to write every cell.
    Floor,
    /// The re-encryption without reading anything back.
    Unverified,
    /// The re-encryption as the program does it.
    Verified,
}

impl Work {
    const ALL: [Work; 3] = [Work::Floor, Work::Unverified, Work::Verified];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Work::Floor => "floor",
            Work::Unverified => "unverified",
            Work::Verified => "verified",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Work> {
        Work::ALL.into_iter().find(|work| work.name() == name)
    }
}

/// Does it, on the URL and with the keys that standard input brings, and prints the
/// number of rows it went through.
pub(crate) fn run(work: Work) -> Result<()> {
    let mut input = String::new();
    std::io::stdin().read_to_string(&mut input)?;
    let mut lines = input.lines();
    let mut line = || lines.next().context("a URL and two keys are expected");
    let (url, old, new) = (line()?, line()?, line()?);
    // As the program has it.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let rows = match work {
        Work::Floor => floor(url, &runtime)?,
        Work::Unverified => runtime.block_on(reencrypt(url, old, new, Mode::CommitUnverified))?,
        Work::Verified => runtime.block_on(reencrypt(url, old, new, Mode::Commit))?,
    };
    println!("{rows}");
    Ok(())
}

async fn reencrypt(url: &str, old: &str, new: &str, mode: Mode) -> Result<u64> {
    let key = |text: &str| FernetKey::parse(text.as_bytes()).map(|parsed| parsed.key);
    let keyring = Arc::new(Keyring::for_rotation(&[key(old)?], &key(new)?)?);
    let url = DatabaseUrl::parse(url)?;
    let mut database = Database::connect(&url, Tls::AsUrlSays, Timeouts::default()).await?;
    let plan = reencrypt::check(&mut database, &[]).await?;
    let mut observer = |_: Event<'_>| {};
    let never = CancellationToken::new();
    let report =
        reencrypt::reencrypt(&mut database, &plan, &keyring, mode, &mut observer, &never).await?;
    ensure!(report.outcome == Outcome::Rotated, "{:?}", report.outcome);
    Ok(report.clients)
}

fn floor(url: &str, runtime: &tokio::runtime::Runtime) -> Result<u64> {
    match DatabaseUrl::parse(url)?.target() {
        DatabaseTarget::Postgres(_) => runtime.block_on(floor_on_postgres(url)),
        DatabaseTarget::Sqlite(target) => {
            floor_in_sqlite(target.path.to_str().context("a path of another encoding")?)
        }
    }
}

async fn floor_on_postgres(url: &str) -> Result<u64> {
    let client = postgres::connect(url).await?;
    let lock = "begin; lock table dcr_clients in share row exclusive mode";
    client.batch_execute(lock).await?;
    let update = "update dcr_clients
        set client_secret_encrypted = client_secret_encrypted || '',
            registration_access_token_encrypted = registration_access_token_encrypted || ''";
    let rows = client.execute(update, &[]).await?;
    client.batch_execute("commit").await?;
    Ok(rows)
}

fn floor_in_sqlite(path: &str) -> Result<u64> {
    let mut connection = SqliteConnection::establish(path)?;
    // The same memory for pages as the program gives SQLite.
    connection.batch_execute("pragma cache_size = -8000; begin immediate")?;
    // Another content of the same length: SQLite compares a cell with the page before it
    // writes, and what is equal costs it next to nothing.
    let update = "update dcr_clients
        set client_secret_encrypted = substr(client_secret_encrypted, 2) || 'A',
            registration_access_token_encrypted =
                substr(registration_access_token_encrypted, 2) || 'A'";
    let rows = diesel::sql_query(update).execute(&mut connection)?;
    connection.batch_execute("commit")?;
    Ok(rows as u64)
}
