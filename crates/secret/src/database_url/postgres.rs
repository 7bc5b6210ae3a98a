//! The Postgres database that a URL leads to.

mod parameters;
mod server;

use std::path::PathBuf;

use secrecy::SecretString;

use self::parameters::Overrides;
use super::grammar::{Parts, decode, is_percent_encoded, refuse_control_characters};
use super::{DatabaseUrlError, UrlPart};

/// Where a Postgres database is, and who goes there.
#[derive(Clone, Debug)]
pub struct PostgresTarget {
    /// The server.
    pub host: Host,
    /// The folder in which the server's socket is to be found in place of the URL's: a
    /// proxy's. It stands in no URL.
    pub socket_folder: Option<PathBuf>,
    /// Its port, 5432 if none is given; for a socket, the number in its name.
    pub port: u16,
    /// The role to log in as, decoded.
    pub user: String,
    /// The role's password, decoded. An empty one counts as none, as it does
    /// for SQLAlchemy.
    pub password: Option<SecretString>,
    /// The database's name.
    pub database: String,
    /// What the URL says about TLS, if anything.
    pub ssl_mode: Option<SslMode>,
    /// The certificate authorities to trust, from `sslrootcert`.
    pub ssl_root_cert: Option<PathBuf>,
    /// The names of parameters that were left out: they tune a driver or name
    /// the application, and the same database is reached without them.
    pub ignored_parameters: Vec<String>,
}

/// A Postgres server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// A host name, or an address without brackets.
    Tcp(String),
    /// The folder of a Unix socket, such as `/cloudsql/project:region:instance`.
    UnixSocket(PathBuf),
}

/// How much TLS is asked for, in libpq's words (`sslmode`, PostgreSQL
/// documentation, section "Protection Provided in Different Modes").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SslMode {
    /// Never TLS.
    Disable,
    /// TLS only if the server insists.
    Allow,
    /// TLS if the server has it.
    Prefer,
    /// TLS, with whatever certificate.
    Require,
    /// TLS with a certificate of a trusted authority.
    VerifyCa,
    /// TLS with a certificate of a trusted authority for this host name.
    VerifyFull,
}

/// Reads the parts as SQLAlchemy's Postgres dialects do.
pub(super) fn read(parts: &Parts<'_>) -> Result<PostgresTarget, DatabaseUrlError> {
    if parts.has_stray_at() {
        return Err(DatabaseUrlError::UnencodedAt);
    }
    let overrides = Overrides::read(parts)?;
    let (host, port) = server::find(
        parts.authority,
        overrides.host.as_deref(),
        overrides.port.as_deref(),
    )?;
    let user = match overrides.user {
        Some(user) => user,
        None => decode(UrlPart::User, parts.user.unwrap_or_default())?.to_string(),
    };
    if user.is_empty() {
        return Err(DatabaseUrlError::MissingUser);
    }
    refuse_control_characters(&user)?;
    let password = match overrides.password {
        Some(password) => Some(password),
        None => decode_password(parts.password.unwrap_or_default())?,
    };
    Ok(PostgresTarget {
        host,
        socket_folder: None,
        port,
        user,
        password,
        database: find_database(parts)?,
        ssl_mode: overrides.ssl_mode,
        ssl_root_cert: overrides.ssl_root_cert.map(PathBuf::from),
        ignored_parameters: overrides.ignored,
    })
}

fn decode_password(written: &str) -> Result<Option<SecretString>, DatabaseUrlError> {
    let password = decode(UrlPart::Password, written)?;
    Ok(if password.is_empty() {
        None
    } else {
        Some(SecretString::from(password.as_str()))
    })
}

fn find_database(parts: &Parts<'_>) -> Result<String, DatabaseUrlError> {
    match parts.database {
        None | Some("") => Err(DatabaseUrlError::MissingDatabase),
        Some(name) if is_percent_encoded(name) => Err(DatabaseUrlError::EncodedDatabase),
        Some(name) => Ok(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn target(url: &str) -> PostgresTarget {
        read(&Parts::of(url).unwrap()).unwrap()
    }

    fn error(url: &str) -> DatabaseUrlError {
        read(&Parts::of(url).unwrap()).unwrap_err()
    }

    #[expect(clippy::disallowed_methods, reason = "a test looks at a test password")]
    fn password(target: &PostgresTarget) -> &str {
        target.password.as_ref().unwrap().expose_secret()
    }

    #[test]
    fn reads_the_forms_of_the_service() {
        let cloud = target(
            "postgresql+asyncpg://insights:p%40ss@/lightspeed_agent?host=/cloudsql/p:us-central1:i",
        );
        assert_eq!(
            cloud.host,
            Host::UnixSocket(PathBuf::from("/cloudsql/p:us-central1:i"))
        );
        assert_eq!((cloud.port, cloud.user.as_str()), (5432, "insights"));
        assert_eq!(cloud.database, "lightspeed_agent");
        assert_eq!(password(&cloud), "p@ss");
        assert_eq!(cloud.ssl_mode, None);

        let podman = target("postgresql+asyncpg://u:pw@host.containers.internal:5433/db");
        assert_eq!(
            podman.host,
            Host::Tcp("host.containers.internal".to_owned())
        );
        assert_eq!(podman.port, 5433);
    }

    #[test]
    fn decodes_user_and_password_as_python_does() {
        for (written, decoded) in [
            ("p%40%2F%23", "p@/#"),
            ("a:b", "a:b"),
            ("pa/ss?w#rd", "pa/ss?w#rd"),
            ("a+b", "a+b"),
            ("50%off%", "50%off%"),
            ("%C3%BC", "ü"),
            ("ü", "ü"),
        ] {
            let target = target(&format!("postgresql://us%2Fer:{written}@h/db"));
            assert_eq!(target.user, "us/er");
            assert_eq!(password(&target), decoded, "{written}");
        }
        assert!(target("postgresql://u@h/db").password.is_none());
        assert!(target("postgresql://u:@h/db").password.is_none());
        assert_eq!(target("postgresql://us@er@h/db").user, "us@er");
    }

    #[test]
    fn the_query_goes_before_what_stands_in_front() {
        let target = target(
            "postgresql://u:pw@h:1/db?user=a+b&password=c%26d&port=2&sslrootcert=/ca.pem&ssl=true",
        );
        assert_eq!((target.port, target.user.as_str()), (2, "a b"));
        assert_eq!(password(&target), "c&d");
        assert_eq!(target.ssl_mode, Some(SslMode::Require));
        assert_eq!(target.ssl_root_cert, Some(PathBuf::from("/ca.pem")));
    }

    #[test]
    fn refuses_what_is_incomplete() {
        for (url, expected) in [
            ("postgresql://u:pw@/db", DatabaseUrlError::MissingHost),
            ("postgresql:///db?host=/run", DatabaseUrlError::MissingUser),
            ("postgresql://h/db", DatabaseUrlError::MissingUser),
            ("postgresql://:pw@h/db", DatabaseUrlError::MissingUser),
            ("postgresql://u:pw@h", DatabaseUrlError::MissingDatabase),
            ("postgresql://u:pw@h/", DatabaseUrlError::MissingDatabase),
            (
                "postgresql://u:pw@h/?sslmode=require",
                DatabaseUrlError::MissingDatabase,
            ),
            (
                "postgresql://u:pw@h/d%62",
                DatabaseUrlError::EncodedDatabase,
            ),
            ("postgresql://u:pw@h:db/db", DatabaseUrlError::BadPort),
            (
                "postgresql://u%0A:pw@h/db",
                DatabaseUrlError::ControlCharacter,
            ),
            (
                "postgresql://%FF:pw@h/db",
                DatabaseUrlError::NotUtf8 {
                    part: UrlPart::User,
                },
            ),
            (
                "postgresql://u:%FF@h/db",
                DatabaseUrlError::NotUtf8 {
                    part: UrlPart::Password,
                },
            ),
        ] {
            assert_eq!(error(url), expected, "{url}");
        }
    }

    #[test]
    fn what_is_not_utf_8_is_named() {
        for (url, part) in [
            ("postgresql://%FF:pw@h/db", "the user"),
            ("postgresql://u:%FF@h/db", "the password"),
            ("postgresql://u:pw@h/db?port=%FF", "a parameter"),
        ] {
            let message = error(url).to_string();
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn a_raw_at_sign_in_a_password_is_told_with_the_way_out() {
        for url in [
            "postgresql://u:p@ss@h/db",
            "postgresql://u:p@ss/word@h/db",
            "postgresql://u:p@ss?a=b@h/db",
            "postgresql://us/er:pw@h/db",
        ] {
            assert_eq!(error(url), DatabaseUrlError::UnencodedAt, "{url}");
            assert!(
                error(url)
                    .hint()
                    .unwrap()
                    .contains("`@` is `%40`, `/` is `%2F`")
            );
        }
    }

    #[test]
    fn debug_hides_the_password() {
        let debug = format!("{:?}", target("postgresql://u:hunter2@h/db"));
        assert!(!debug.contains("hunter2"), "{debug}");
    }
}
