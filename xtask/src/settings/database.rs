//! Which database, and how to deal with it.

use platform::google_cloud::SqlProxy;
use reencrypt::{Timeouts, Tls};
use secret::{DatabaseTarget, DatabaseUrl};
use zeroize::Zeroizing;

use super::Surroundings;
use crate::cli;
use crate::failure::Failure;

/// A database and how to deal with it.
pub(crate) struct Database {
    /// Where it is.
    pub(crate) url: DatabaseUrl,
    /// Whether TLS is demanded.
    pub(crate) tls: Tls,
    /// How long to wait.
    pub(crate) timeouts: Timeouts,
    /// The proxy through which it is reached, if there has to be one.
    pub(crate) proxy: Option<SqlProxy>,
}

/// Reads the environment and the timeouts' flags.
pub(super) fn resolve(
    typed: &cli::Timeouts,
    surroundings: &Surroundings<'_>,
) -> Result<Database, Failure> {
    let tls = tls(&require_ssl(surroundings))?;
    with_url(database_url(surroundings)?, tls, typed)
}

/// The same for a URL that was found elsewhere.
pub(super) fn with_url(
    url: DatabaseUrl,
    tls: Tls,
    typed: &cli::Timeouts,
) -> Result<Database, Failure> {
    if typed.statement_timeout.is_some() && matches!(url.target(), DatabaseTarget::Sqlite(_)) {
        return Err(Failure::usage("SQLite has no timeout for statements")
            .nothing_changed()
            .hint("leave `--statement-timeout` out; `--lock-timeout` works"));
    }
    let default = Timeouts::default();
    Ok(Database {
        proxy: None,
        url,
        tls,
        timeouts: Timeouts {
            lock: typed.lock_timeout.unwrap_or(default.lock),
            statement: typed.statement_timeout.unwrap_or(default.statement),
        },
    })
}

fn database_url(surroundings: &Surroundings<'_>) -> Result<DatabaseUrl, Failure> {
    let Some(bytes) = surroundings.variable("DATABASE_URL") else {
        return Err(Failure::check("DATABASE_URL is not set").nothing_changed().hint(
            "set it to the service's own URL: `postgresql+asyncpg://user:password@host:5432/database` \
             or `sqlite+aiosqlite:///./file.db`",
        ));
    };
    let Ok(text) = std::str::from_utf8(&bytes) else {
        return Err(Failure::check("DATABASE_URL is not UTF-8")
            .nothing_changed()
            .hint("percent-encode what is not ASCII: `ü` is `%C3%BC`"));
    };
    DatabaseUrl::parse(text).map_err(|error| {
        Failure::check(format!("DATABASE_URL can't be used: {error}"))
            .nothing_changed()
            .hint_if_any(error.hint())
    })
}

/// What this process's environment demands; empty where it demands nothing.
pub(super) fn require_ssl(surroundings: &Surroundings<'_>) -> Zeroizing<Vec<u8>> {
    surroundings
        .variable("DATABASE_REQUIRE_SSL")
        .unwrap_or_default()
}

/// Reads DATABASE_REQUIRE_SSL with the words that the service's settings know.
pub(super) fn tls(value: &[u8]) -> Result<Tls, Failure> {
    match value.to_ascii_lowercase().as_slice() {
        b"true" | b"t" | b"yes" | b"y" | b"on" | b"1" => Ok(Tls::Required),
        b"" | b"false" | b"f" | b"no" | b"n" | b"off" | b"0" => Ok(Tls::AsUrlSays),
        _ => Err(
            Failure::check("DATABASE_REQUIRE_SSL is neither `true` nor `false`").nothing_changed(),
        ),
    }
}
