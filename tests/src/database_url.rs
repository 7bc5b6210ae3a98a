//! Database URLs as the service's secrets hold them.
use std::path::Path;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// `postgresql+asyncpg://ROLE:PASSWORD@HOST:PORT/DATABASE`.
pub(crate) fn tcp(role: &str, password: &str, host: &str, port: u16, database: &str) -> String {
    let login = login(role, password);
    if host.contains(':') {
        return format!("{login}@[{host}]:{port}/{database}");
    }
    format!("{login}@{host}:{port}/{database}")
}

/// `postgresql+asyncpg://ROLE:PASSWORD@/DATABASE?host=DIRECTORY`.
pub(crate) fn socket(role: &str, password: &str, directory: &Path, database: &str) -> String {
    let login = login(role, password);
    format!("{login}@/{database}?host={}", directory.display())
}

fn login(role: &str, password: &str) -> String {
    let role = utf8_percent_encode(role, NON_ALPHANUMERIC);
    let password = utf8_percent_encode(password, NON_ALPHANUMERIC);
    format!("postgresql+asyncpg://{role}:{password}")
}
