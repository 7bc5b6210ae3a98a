//! A server that runs already: `TEST_DATABASE_URL`.
use std::env;

use tokio_postgres::Config;
use tokio_postgres::config::Host;

use super::{Launched, NAME_PREFIX, PostgresServer, seconds_since_epoch};
use crate::runtime::say;

/// No run of the tests takes this long.
const LEFTOVER_AFTER_SECONDS: u64 = 6 * 60 * 60;

/// The server that `TEST_DATABASE_URL` names, if it is set.
pub(super) fn from_environment() -> Result<Option<Launched>, String> {
    let Ok(url) = env::var("TEST_DATABASE_URL") else {
        return Ok(None);
    };
    if let Ok(required) = env::var("TEST_POSTGRES_REQUIRE") {
        return Err(format!(
            "TEST_DATABASE_URL and TEST_POSTGRES_REQUIRE={required} exclude each other"
        ));
    }
    let launched = parse(&url).ok_or(
        "TEST_DATABASE_URL must be of the form postgresql://ROLE:PASSWORD@HOST:PORT/DATABASE",
    )?;
    let (host, port) = (&launched.host, launched.port);
    say(&format!(
        "postgres: the server of TEST_DATABASE_URL at {host}:{port}"
    ));
    Ok(Some(launched))
}

fn parse(url: &str) -> Option<Launched> {
    let config: Config = url.replacen("+asyncpg", "", 1).parse().ok()?;
    let host = match config.get_hosts() {
        [Host::Tcp(host)] => host.clone(),
        _ => return None,
    };
    let password = config.get_password().unwrap_or_default();
    Some(Launched {
        host,
        port: config.get_ports().first().copied().unwrap_or(5432),
        role: config.get_user()?.to_owned(),
        password: String::from_utf8(password.to_vec()).ok()?,
        database: config.get_dbname().unwrap_or("postgres").to_owned(),
        is_external: true,
    })
}

/// Drops the databases and roles of runs that were killed, by the time in their names.
pub(super) async fn drop_leftovers(server: &PostgresServer) {
    let client = server.connect(server.maintenance_database()).await;
    let oldest_kept = seconds_since_epoch() - LEFTOVER_AFTER_SECONDS;
    for (kind, catalogue, column, force) in [
        ("database", "pg_database", "datname", " with (force)"),
        ("role", "pg_roles", "rolname", ""),
    ] {
        let list = format!("select {column}::text from {catalogue}");
        let names = client.query(&list, &[]).await.unwrap_or_default();
        for name in names.iter().map(|row| row.get::<_, String>(0)) {
            if made_at(&name).is_some_and(|seconds| seconds < oldest_kept) {
                let drop = format!("drop {kind} if exists {name}{force}");
                let _ = client.batch_execute(&drop).await;
            }
        }
    }
}

/// The time in a name of [`PostgresServer::unique_name`].
fn made_at(name: &str) -> Option<u64> {
    let rest = name.strip_prefix(NAME_PREFIX)?.strip_prefix('_')?;
    rest.split('_').next()?.parse().ok()
}
