//! What can be wrong with a database URL, told without quoting it.

use std::fmt;

use thiserror::Error;

/// Why a text is not a database URL that this tool can use.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DatabaseUrlError {
    /// Nothing, or white space only.
    #[error("the database URL is empty")]
    Empty,
    /// No `dialect://` at the start.
    #[error("the database URL does not start with a dialect and `://`")]
    NotAUrl,
    /// A line break or another control character, raw or percent-encoded.
    #[error("the database URL holds a control character, such as a line break")]
    ControlCharacter,
    /// A dialect other than Postgres and SQLite.
    #[error("dialect `{dialect}` is not supported")]
    UnsupportedDialect {
        /// Its name, with the driver.
        dialect: String,
    },
    /// The same, when the name is too odd to be shown.
    #[error("the database URL's dialect is not supported")]
    UnreadableDialect,
    /// A raw `@` past the one that ends user and password.
    #[error("the database URL holds a `@` too many")]
    UnencodedAt,
    /// Bytes that are not UTF-8 once the percent-encoding is taken off.
    #[error("{part} of the database URL is not UTF-8 once decoded")]
    NotUtf8 {
        /// Where.
        part: UrlPart,
    },
    /// `%` and two hexadecimal digits in the database's name or path.
    #[error("the database name of the URL holds a percent-encoded character")]
    EncodedDatabase,
    /// Neither a host in its place nor `?host=`.
    #[error("the database URL names no host")]
    MissingHost,
    /// No user.
    #[error("the database URL names no user")]
    MissingUser,
    /// No database.
    #[error("the database URL names no database")]
    MissingDatabase,
    /// A host with characters that no host name has.
    #[error("the database URL's host is no host name, address or folder")]
    BadHost,
    /// A port that is not a number from 1 to 65535.
    #[error("the database URL's port is not a number from `1` to `65535`")]
    BadPort,
    /// A list of hosts to try.
    #[error("the database URL names several hosts")]
    SeveralHosts,
    /// A word for TLS that the drivers don't know.
    #[error(
        "parameter `{parameter}` is none of `disable`, `allow`, `prefer`, `require`, \
         `verify-ca`, `verify-full`"
    )]
    BadSslMode {
        /// `ssl` or `sslmode`.
        parameter: &'static str,
    },
    /// A parameter that changes what is connected to, or how.
    #[error("parameter `{name}` of the database URL is not supported")]
    UnsupportedParameter {
        /// Its name.
        name: &'static str,
    },
    /// A parameter of which nothing is known.
    #[error("parameter `{name}` of the database URL is unknown")]
    UnknownParameter {
        /// Its name.
        name: String,
    },
    /// The same, when its name is too odd to be shown or may be part of a
    /// password; or, for SQLite, a parameter that sounds like a password.
    #[error("a parameter of the database URL is not supported")]
    UnreadableParameter,
    /// A parameter given twice.
    #[error("parameter `{name}` of the database URL is given more than once")]
    RepeatedParameter {
        /// Its name.
        name: &'static str,
    },
    /// SQLite without a file.
    #[error("an in-memory database: nothing to rotate")]
    InMemory,
    /// SQLite's own form of URL, inside this one.
    #[error("a SQLite `file:` URI instead of a path")]
    SqliteUri,
    /// A path with a drive, or of a share.
    #[error("the database URL names a file by a path of Windows")]
    WindowsPath,
    /// User, password, host or port before SQLite's path.
    #[error("a SQLite URL has no host or user, its path follows three slashes")]
    SqliteHost,
}

/// The parts of a URL that are percent-encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrlPart {
    /// The user before the host.
    User,
    /// The password before the host.
    Password,
    /// A parameter's name or value.
    Parameter,
}

/// `the user`, `the password`, `a parameter`.
impl fmt::Display for UrlPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            UrlPart::User => "the user",
            UrlPart::Password => "the password",
            UrlPart::Parameter => "a parameter",
        })
    }
}

impl DatabaseUrlError {
    /// Names the dialect if it looks like one, and not like a misplaced secret.
    pub(super) fn unsupported_dialect(dialect: &str) -> DatabaseUrlError {
        let is_dialect = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'+' | b'_')
        };
        if dialect.len() <= 30 && dialect.bytes().all(is_dialect) {
            DatabaseUrlError::UnsupportedDialect {
                dialect: dialect.to_owned(),
            }
        } else {
            DatabaseUrlError::UnreadableDialect
        }
    }

    /// What to do about it, where there is more to say than the message does.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            DatabaseUrlError::Empty | DatabaseUrlError::NotAUrl => Some(
                "the form is `postgresql+asyncpg://user:password@host:5432/database` or \
                 `sqlite+aiosqlite:///./file.db`, without quotes or a name before it",
            ),
            DatabaseUrlError::ControlCharacter => {
                Some("give one URL on one line; was it wrapped when it was copied?")
            }
            DatabaseUrlError::UnsupportedDialect { .. } | DatabaseUrlError::UnreadableDialect => {
                Some("`postgresql` and `sqlite` are supported, with any driver, in lower case")
            }
            DatabaseUrlError::UnencodedAt => Some(
                "percent-encode user and password: `@` is `%40`, `/` is `%2F`, `#` is `%23`, \
                 `?` is `%3F`, `:` is `%3A`, `%` is `%25`",
            ),
            DatabaseUrlError::NotUtf8 { .. } => {
                Some("percent-encode its UTF-8 bytes: `ü` is `%C3%BC`, `%` is `%25`")
            }
            DatabaseUrlError::EncodedDatabase => Some(
                "SQLAlchemy decodes it from 2.1 on and takes it as it stands before: rename \
                 the database so that both mean the same",
            ),
            DatabaseUrlError::MissingHost => Some(
                "add a host name before the database, or `?host=/var/run/postgresql` after it \
                 for a local socket",
            ),
            DatabaseUrlError::MissingUser => Some("add `user:password@` before the host"),
            DatabaseUrlError::MissingDatabase => Some("add `/database` after the host"),
            DatabaseUrlError::BadHost => Some(
                "if a part of the password got there, percent-encode it; an IPv6 address \
                 stands in brackets, a socket's folder in `?host=/…`",
            ),
            DatabaseUrlError::SeveralHosts => Some("name the one that takes writes"),
            DatabaseUrlError::UnsupportedParameter { .. }
            | DatabaseUrlError::UnknownParameter { .. }
            | DatabaseUrlError::UnreadableParameter => Some(
                "it may change which database is reached, or how: give this tool a URL without \
                 it that leads to the same database",
            ),
            DatabaseUrlError::InMemory | DatabaseUrlError::SqliteUri => {
                Some("name the file: `sqlite+aiosqlite:///./file.db`")
            }
            DatabaseUrlError::WindowsPath => Some(
                "name it as this machine does: in WSL, `C:\\service\\agent.db` is \
                 `sqlite:////mnt/c/service/agent.db`",
            ),
            DatabaseUrlError::SqliteHost => Some(
                "write `sqlite:///relative/file.db` or, with four slashes, \
                 `sqlite:////absolute/file.db`",
            ),
            DatabaseUrlError::BadPort
            | DatabaseUrlError::BadSslMode { .. }
            | DatabaseUrlError::RepeatedParameter { .. } => None,
        }
    }
}
