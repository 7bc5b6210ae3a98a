//! The host and port of a Postgres URL.

use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};

use super::Host;
use crate::database_url::DatabaseUrlError;

/// Postgres's own port.
const DEFAULT_PORT: u16 = 5432;

/// Finds the server: `host` and `port` are those of the query, and go before
/// those of `authority`, each for itself.
pub(super) fn find(
    authority: &str,
    host: Option<&str>,
    port: Option<&str>,
) -> Result<(Host, u16), DatabaseUrlError> {
    let has_comma = |text: &str| text.contains(',');
    if has_comma(authority) || host.is_some_and(has_comma) || port.is_some_and(has_comma) {
        return Err(DatabaseUrlError::SeveralHosts);
    }
    let (written_host, written_port) = split_authority(authority)?;
    let (host, host_port) = match host {
        // SQLAlchemy looks for a port there only if it stands nowhere else in
        // the query; a host with a colon is then refused below.
        Some(host) if port.is_none() => split_query_host(host),
        Some(host) => (host, None),
        None => (written_host, None),
    };
    let written_port = written_port.map(parse_port).transpose()?;
    let port = port
        .or(host_port)
        .map(parse_port)
        .transpose()?
        .or(written_port);
    if host.is_empty() {
        return Err(DatabaseUrlError::MissingHost);
    }
    if host.starts_with('/') {
        return find_socket(host, port);
    }
    if !is_host(host) {
        return Err(DatabaseUrlError::BadHost);
    }
    Ok((Host::Tcp(host.to_owned()), port.unwrap_or(DEFAULT_PORT)))
}

/// `host:port` or `[address]:port`, with or without each of the two.
fn split_authority(authority: &str) -> Result<(&str, Option<&str>), DatabaseUrlError> {
    let Some(bracketed) = authority.strip_prefix('[') else {
        return Ok(match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        });
    };
    let (host, rest) = bracketed
        .rsplit_once(']')
        .ok_or(DatabaseUrlError::BadHost)?;
    match rest.strip_prefix(':') {
        Some(port) => Ok((host, Some(port))),
        None if rest.is_empty() => Ok((host, None)),
        None => Err(DatabaseUrlError::BadHost),
    }
}

/// `?host=name:port`, which SQLAlchemy splits unless the name has characters
/// that a host name on the internet can't have. A port may be empty.
fn split_query_host(host: &str) -> (&str, Option<&str>) {
    let is_name = |name: &str| {
        name.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
    };
    match host.split_once(':') {
        Some((name, "")) if is_name(name) => (name, None),
        Some((name, port)) if is_name(name) && port.bytes().all(|b| b.is_ascii_digit()) => {
            (name, Some(port))
        }
        _ => (host, None),
    }
}

fn parse_port(port: &str) -> Result<u16, DatabaseUrlError> {
    // `parse` alone would take a `+`.
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    match port.parse() {
        Ok(port) if digits && port > 0 => Ok(port),
        _ => Err(DatabaseUrlError::BadPort),
    }
}

/// The folder of a socket. asyncpg takes the path of the socket itself too, and
/// that has the port in its name.
fn find_socket(path: &str, port: Option<u16>) -> Result<(Host, u16), DatabaseUrlError> {
    if let Some((folder, number)) = path.rsplit_once("/.s.PGSQL.") {
        let number = parse_port(number)?;
        let folder = if folder.is_empty() {
            Path::new("/")
        } else {
            Path::new(folder)
        };
        return Ok((Host::UnixSocket(folder.to_owned()), number));
    }
    Ok((
        Host::UnixSocket(PathBuf::from(path)),
        port.unwrap_or(DEFAULT_PORT),
    ))
}

/// Whether `host` may be a host name or an address, so that a piece of a
/// password doesn't pass for one and get printed.
fn is_host(host: &str) -> bool {
    if host.contains(':') {
        let address = host
            .split_once('%')
            .map_or(host, |(address, _zone)| address);
        return address.parse::<Ipv6Addr>().is_ok();
    }
    host.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(host: &str, port: u16) -> Result<(Host, u16), DatabaseUrlError> {
        Ok((Host::Tcp(host.to_owned()), port))
    }

    fn socket(folder: &str, port: u16) -> Result<(Host, u16), DatabaseUrlError> {
        Ok((Host::UnixSocket(PathBuf::from(folder)), port))
    }

    #[test]
    fn reads_host_and_port_in_front_of_the_database() {
        assert_eq!(find("db", None, None), tcp("db", 5432));
        assert_eq!(
            find("host.internal:5433", None, None),
            tcp("host.internal", 5433)
        );
        assert_eq!(find("10.0.0.1:1", None, None), tcp("10.0.0.1", 1));
        assert_eq!(find("[::1]", None, None), tcp("::1", 5432));
        assert_eq!(
            find("[fe80::1%eth0]:65535", None, None),
            tcp("fe80::1%eth0", 65535)
        );
    }

    #[test]
    fn the_query_goes_before_it() {
        assert_eq!(
            find("", Some("/cloudsql/p:r:i"), None),
            socket("/cloudsql/p:r:i", 5432)
        );
        assert_eq!(find("db:5433", Some("/run"), None), socket("/run", 5433));
        assert_eq!(find("db:5433", Some("other"), None), tcp("other", 5433));
        assert_eq!(
            find("db:5433", Some("other:5434"), None),
            tcp("other", 5434)
        );
        assert_eq!(find("db:5433", None, Some("5434")), tcp("db", 5434));
        assert_eq!(find("", Some("other:"), None), tcp("other", 5432));
        assert_eq!(find("", Some("::1"), None), tcp("::1", 5432));
    }

    #[test]
    fn reads_the_path_of_a_socket_itself() {
        assert_eq!(
            find("", Some("/run/.s.PGSQL.5433"), None),
            socket("/run", 5433)
        );
        assert_eq!(
            find("", Some("/.s.PGSQL.5433"), Some("1")),
            socket("/", 5433)
        );
        assert_eq!(
            find("", Some("/run/.s.PGSQL."), None),
            Err(DatabaseUrlError::BadPort)
        );
    }

    #[test]
    fn refuses_what_leads_nowhere() {
        fn error(authority: &str, host: Option<&str>, port: Option<&str>) -> DatabaseUrlError {
            find(authority, host, port).unwrap_err()
        }
        assert_eq!(error("", None, None), DatabaseUrlError::MissingHost);
        assert_eq!(error(":5432", None, None), DatabaseUrlError::MissingHost);
        for port in ["", "0", "65536", "+1", "-1", "x", "54 32", "5_432"] {
            assert_eq!(error("db", None, Some(port)), DatabaseUrlError::BadPort);
            assert_eq!(
                error(&format!("db:{port}"), None, None),
                DatabaseUrlError::BadPort
            );
        }
        for host in [
            "a b",
            "%2Frun",
            "hôte",
            "[::1",
            "[::1]x",
            "[]",
            "[nonsense:1]",
            "a%b",
        ] {
            assert!(
                matches!(
                    error(host, None, None),
                    DatabaseUrlError::BadHost | DatabaseUrlError::MissingHost
                ),
                "{host}",
            );
        }
        assert_eq!(
            error("", Some("db:5433"), Some("5434")),
            DatabaseUrlError::BadHost
        );
        // SQLAlchemy splits the port off a name of plain characters alone.
        assert_eq!(
            error("", Some("snake_case:"), None),
            DatabaseUrlError::BadHost
        );
        for (authority, host, port) in [
            ("a:1,b:2", None, None),
            ("", Some("a,b"), None),
            ("a", None, Some("1,2")),
        ] {
            assert_eq!(error(authority, host, port), DatabaseUrlError::SeveralHosts);
        }
    }
}
