//! Data in a Postgres server with its default settings.
use std::env;

use anyhow::{Context as _, Result, ensure};
use reencrypt::sample::{self, SampleClient};
use secret::FernetKey;
use tokio::runtime::Runtime;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls};

const TEMPLATE: &str = "rotation_bench_template";
const COPY: &str = "rotation_bench";
const SCHEMA: &str = include_str!("../../src/service_schema.sql");

/// A database with clients, which every run gets a copy of.
pub(crate) struct PostgresData {
    pub(crate) description: String,
    runtime: Runtime,
    admin: Client,
    url: String,
}

/// A connection without TLS, whose driving task belongs to the current runtime.
pub(crate) async fn connect(url: &str) -> Result<Client> {
    let config: Config = url.replacen("+asyncpg", "", 1).parse()?;
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

impl PostgresData {
    /// Fills the database on the server of `BENCH_DATABASE_URL`.
    pub(crate) fn fill(rows: u64, key: &FernetKey) -> Result<PostgresData> {
        let url = env::var("BENCH_DATABASE_URL").context(
            "BENCH_DATABASE_URL must name a Postgres server with default settings and a \
             superuser there; docs/benchmark.md shows how to start one. Without one, there is \
             `--database sqlite`",
        )?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let (admin, description) = runtime.block_on(async {
            let admin = connect(&url).await?;
            let description = describe(&admin).await?;
            drop_databases(&admin).await?;
            let create = format!("create database {TEMPLATE} template template0");
            admin.batch_execute(&create).await?;
            let client = connect(&at(&url, TEMPLATE)?).await?;
            client.batch_execute(SCHEMA).await?;
            insert(&client, rows, key).await?;
            // Or the first to read each copy would pay for it.
            let vacuum = "vacuum (freeze, analyze) dcr_clients";
            client.batch_execute(vacuum).await?;
            anyhow::Ok((admin, description))
        })?;
        Ok(PostgresData {
            description,
            runtime,
            admin,
            url,
        })
    }

    pub(crate) fn fresh(&self) -> Result<String> {
        self.runtime.block_on(async {
            let drop = format!("drop database if exists {COPY} with (force)");
            self.admin.batch_execute(&drop).await?;
            let create = format!("create database {COPY} template {TEMPLATE}");
            self.admin.batch_execute(&create).await?;
            self.admin.batch_execute("checkpoint").await?;
            at(&self.url, COPY)
        })
    }
}

impl Drop for PostgresData {
    fn drop(&mut self) {
        // The next benchmark drops what this one couldn't.
        let _ = self.runtime.block_on(drop_databases(&self.admin));
    }
}

async fn drop_databases(admin: &Client) -> Result<()> {
    for name in [COPY, TEMPLATE] {
        let drop = format!("drop database if exists {name} with (force)");
        admin.batch_execute(&drop).await?;
    }
    Ok(())
}

/// Version and what settings cost most; a server that forgets is no floor.
async fn describe(admin: &Client) -> Result<String> {
    let mut said = Vec::new();
    for name in [
        "server_version",
        "fsync",
        "synchronous_commit",
        "full_page_writes",
        "shared_buffers",
    ] {
        let row = admin.query_one(&format!("show {name}"), &[]).await?;
        said.push((name, row.get::<_, String>(0)));
    }
    let is_on = |name: &str| {
        said.iter()
            .any(|(known, value)| *known == name && value == "on")
    };
    ensure!(
        is_on("fsync") && is_on("full_page_writes"),
        "the server of BENCH_DATABASE_URL does not write to disk: {said:?}"
    );
    let settings = said
        .iter()
        .skip(1)
        .map(|(name, value)| format!("{name} {value}"));
    let settings = settings.collect::<Vec<_>>().join(", ");
    let version = said[0].1.split(' ').next().unwrap_or_default();
    Ok(format!("PostgreSQL {version} ({settings})"))
}

/// The URL with another database in it.
fn at(url: &str, database: &str) -> Result<String> {
    let (base, query) = match url.split_once('?') {
        Some((base, query)) => (base, format!("?{query}")),
        None => (url, String::new()),
    };
    let (server, _) = base
        .rsplit_once('/')
        .filter(|(server, _)| server.contains('@'))
        .context("BENCH_DATABASE_URL must be postgresql://ROLE:PASSWORD@HOST:PORT/DATABASE")?;
    Ok(format!("{server}/{database}{query}"))
}

async fn insert(client: &Client, rows: u64, key: &FernetKey) -> Result<()> {
    let insert = client
        .prepare(
            "insert into dcr_clients (order_id, client_id, client_secret_encrypted,
                 registration_access_token_encrypted, account_id, redirect_uris, grant_types,
                 metadata)
             select page.*, array['https://example.com/callback'], array['authorization_code'],
                 '{}'
             from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) as page",
        )
        .await?;
    let mut clients = sample::clients(rows, key);
    loop {
        let page: Vec<SampleClient> = clients.by_ref().take(5_000).collect();
        if page.is_empty() {
            return Ok(());
        }
        let column = |of: fn(&SampleClient) -> &String| page.iter().map(of).collect();
        let order_ids: Vec<&String> = column(|client| &client.order_id);
        let client_ids: Vec<&String> = column(|client| &client.client_id);
        let secrets: Vec<&String> = column(|client| &client.client_secret_encrypted);
        let tokens: Vec<Option<&String>> = page
            .iter()
            .map(|client| client.registration_access_token_encrypted.as_ref())
            .collect();
        let accounts: Vec<&String> = column(|client| &client.account_id);
        let columns: [&(dyn ToSql + Sync); 5] =
            [&order_ids, &client_ids, &secrets, &tokens, &accounts];
        client.execute(&insert, &columns).await?;
    }
}
