//! A database URL as the service stores it, and the database it leads to.
//!
//! The grammar is SQLAlchemy's own (`sqlalchemy.engine.url`), not RFC 3986's. A
//! general parser such as the `url` crate can't read these: it refuses
//! `scheme://user:password@/database?host=…`, for a URL with credentials must
//! have a host there, and that is this service's usual form. It would also end
//! the user's part at a raw `/`, `?` or `#` of the password, where SQLAlchemy
//! reads on.

mod error;
mod grammar;
mod login;
mod postgres;
mod sqlite;

use std::fmt;
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};

pub use self::error::{DatabaseUrlError, UrlPart};
use self::grammar::Parts;
pub use self::login::LoginError;
pub use self::postgres::{Host, PostgresTarget, SslMode};
pub use self::sqlite::{SqliteTarget, is_windows_path};

/// A database URL in SQLAlchemy's form, as `DATABASE_URL` holds it:
/// `postgresql+asyncpg://user:password@/database?host=/cloudsql/…` or
/// `sqlite+aiosqlite:///./file.db`.
///
/// It prints with `***` in place of passwords. The whole text comes out through
/// [`ExposeSecret`].
pub struct DatabaseUrl {
    text: SecretString,
    masked: String,
    target: DatabaseTarget,
}

/// The database that a [`DatabaseUrl`] leads to.
#[derive(Clone, Debug)]
pub enum DatabaseTarget {
    /// A database on a Postgres server.
    Postgres(PostgresTarget),
    /// A SQLite file.
    Sqlite(SqliteTarget),
}

impl DatabaseUrl {
    /// Reads a URL as SQLAlchemy and its asyncpg driver do. White space around
    /// it is dropped; the driver after the `+` makes no difference.
    ///
    /// # Errors
    /// When SQLAlchemy would not read it, when it leads to no database that a
    /// secret can be rotated in, and when it holds what this tool would have to
    /// obey to reach the same database and can't. No error quotes the text,
    /// apart from the dialect and the names of parameters.
    pub fn parse(text: &str) -> Result<DatabaseUrl, DatabaseUrlError> {
        let text = text.trim();
        let parts = Parts::of(text)?;
        let target = match parts.dialect() {
            "postgresql" | "postgres" => DatabaseTarget::Postgres(postgres::read(&parts)?),
            "sqlite" => DatabaseTarget::Sqlite(sqlite::read(&parts)?),
            _ => return Err(DatabaseUrlError::unsupported_dialect(parts.scheme)),
        };
        Ok(DatabaseUrl {
            text: SecretString::from(text),
            masked: parts.masked(),
            target,
        })
    }

    /// The same URL, as one reads it who works in `folder`: there begins the
    /// relative path of an SQLite file.
    #[must_use]
    pub fn read_in(mut self, folder: &Path) -> DatabaseUrl {
        if let DatabaseTarget::Sqlite(target) = &mut self.target {
            target.path = folder.join(&target.path);
        }
        self
    }

    /// The same URL, for one who finds the server's socket in another folder. A URL
    /// that leads to no socket stays as it is.
    #[must_use]
    pub fn through_socket_in(mut self, folder: &Path) -> DatabaseUrl {
        if let DatabaseTarget::Postgres(target) = &mut self.target
            && matches!(target.host, Host::UnixSocket(_))
        {
            target.socket_folder = Some(folder.to_owned());
        }
        self
    }

    /// Where the URL leads.
    pub fn target(&self) -> &DatabaseTarget {
        &self.target
    }
}

/// The whole URL, password included, without white space around it.
impl ExposeSecret<str> for DatabaseUrl {
    #[expect(
        clippy::disallowed_methods,
        reason = "the seam itself: callers need a reason"
    )]
    fn expose_secret(&self) -> &str {
        self.text.expose_secret()
    }
}

/// The URL with `***` in place of passwords, and all else as it was written.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked)
    }
}

/// The same as [`Display`](fmt::Display), inside `DatabaseUrl(…)`.
impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({})", self.masked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Passwords in a raw and in a percent-encoded form, none of which may show.
    const PASSWORDS: [&str; 9] = [
        "hunter2",
        "hunter2@tail99",
        "hunter2/tail99",
        "hunter2#tail99",
        "hunter2?tail99=x",
        "hunter2&tail99=x",
        "hunter2:tail99",
        "hunter2%tail99%FF",
        "hunter2@tail99/x@y?tail99=z&tail99",
    ];

    /// Where a password can stand, well or badly formed; `{}` is its place.
    const FORMS: [&str; 22] = [
        "postgresql+asyncpg://u:{}@/db?host=/cloudsql/p:r:i",
        "postgresql://u:{}@h:5432/db",
        "postgresql://u:{}@h:port/db",
        "postgresql://u:{}@h",
        "postgresql://u:{}@/db",
        "postgresql://u:{}@[::1/db",
        "postgresql://u:{}@h/db?nonsense=1",
        "postgresql://u:{}@a,b/db",
        "postgresql://u:{}@h/db?sslmode={}",
        "postgresql://u@h/db?password={}",
        "postgresql://u@h/db?password={}&password={}",
        "postgresql://u@h/db?sslpassword={}",
        "postgresql://u@h/db?sslkey={}&options={}",
        "postgresql://u:one@h/db?password={}&timeout=1",
        "mysql://u:{}@h/db",
        "Postgresql://u:{}@h/db",
        "u:{}@h/db",
        "{}",
        "{}://u@h/db",
        "sqlite://u:{}@h/db",
        "sqlite:///file.db?password={}",
        "\"postgresql://u:{}@h/db\"",
    ];

    #[test]
    fn no_password_is_ever_printed() {
        let mut read = 0;
        for form in FORMS {
            for password in PASSWORDS {
                let encoded = password
                    .replace('%', "%25")
                    .replace('@', "%40")
                    .replace('/', "%2F");
                let encoded = encoded
                    .replace('?', "%3F")
                    .replace('&', "%26")
                    .replace('#', "%23");
                for written in [password, encoded.as_str()] {
                    let url = form.replace("{}", written);
                    // The one place where a name is told that has no secret's form.
                    if form.starts_with("{}:") && written == "hunter2" {
                        continue;
                    }
                    let printed = match DatabaseUrl::parse(&url) {
                        Ok(url) => {
                            read += 1;
                            format!("{url} {url:?} {:?}", url.target())
                        }
                        Err(error) => format!("{error} {error:?} {:?}", error.hint()),
                    };
                    for piece in ["hunter2", "tail99"] {
                        assert!(!printed.contains(piece), "`{url}` printed `{printed}`");
                    }
                }
            }
        }
        assert!(read > 50, "only {read} were read");
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test looks at a test URL")]
    fn prints_masked_and_keeps_the_whole() {
        let text = "postgresql+asyncpg://u:p%40ss@/db?host=/cloudsql/p:r:i";
        let url = DatabaseUrl::parse(&format!(" {text}\n")).unwrap();
        assert_eq!(
            url.to_string(),
            "postgresql+asyncpg://u:***@/db?host=/cloudsql/p:r:i"
        );
        assert_eq!(format!("{url:?}"), format!("DatabaseUrl({url})"));
        assert_eq!(url.expose_secret(), text);
    }

    #[test]
    fn a_relative_file_lies_in_the_folder_of_its_reader() {
        let path = |url: &str| match DatabaseUrl::parse(url)
            .unwrap()
            .read_in(Path::new("/app"))
            .target()
        {
            DatabaseTarget::Sqlite(target) => target.path.clone(),
            DatabaseTarget::Postgres(_) => unreachable!(),
        };
        assert_eq!(path("sqlite:///./a.db"), Path::new("/app/./a.db"));
        assert_eq!(path("sqlite:////tmp/a.db"), Path::new("/tmp/a.db"));
    }

    #[test]
    fn takes_every_driver_of_the_two_dialects() {
        for scheme in [
            "postgres",
            "postgresql",
            "postgresql+asyncpg",
            "postgresql+psycopg2",
        ] {
            let url = DatabaseUrl::parse(&format!("{scheme}://u:pw@h/db")).unwrap();
            assert!(matches!(url.target(), DatabaseTarget::Postgres(_)));
        }
        for scheme in ["sqlite", "sqlite+aiosqlite", "sqlite+pysqlite"] {
            let url = DatabaseUrl::parse(&format!("{scheme}:///file.db")).unwrap();
            assert!(matches!(url.target(), DatabaseTarget::Sqlite(_)));
        }
    }

    #[test]
    fn names_a_dialect_only_if_it_looks_like_one() {
        let error = |text: &str| DatabaseUrl::parse(text).unwrap_err();
        let unsupported = error("mysql+aiomysql://u:pw@h/db");
        assert_eq!(
            unsupported.to_string(),
            "dialect `mysql+aiomysql` is not supported"
        );
        let long = format!("{}://h", "x".repeat(31));
        for text in ["PostgreSQL://u:pw@h/db", "pâté://h", long.as_str()] {
            assert_eq!(error(text), DatabaseUrlError::UnreadableDialect);
        }
        assert_eq!(error(" \n"), DatabaseUrlError::Empty);
        assert_eq!(error("postgresql:/u:pw@h/db"), DatabaseUrlError::NotAUrl);
        assert_eq!(error("://u:pw@h/db"), DatabaseUrlError::NotAUrl);
        assert_eq!(
            error("postgresql://u:p\nw@h/db"),
            DatabaseUrlError::ControlCharacter
        );
    }
}
