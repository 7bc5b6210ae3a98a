//! The file that a SQLite URL names.

use std::path::PathBuf;

use super::DatabaseUrlError;
use super::grammar::{Parts, is_percent_encoded, refuse_control_characters};

/// A SQLite file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqliteTarget {
    /// The file, relative to the working directory if the URL has three slashes.
    pub path: PathBuf,
    /// The names of parameters that were left out, as Python's driver alone
    /// knows them: `timeout`, `check_same_thread` and so on.
    pub ignored_parameters: Vec<String>,
}

/// Reads the parts as SQLAlchemy's `pysqlite` dialect does, which the other
/// SQLite drivers build on.
pub(super) fn read(parts: &Parts<'_>) -> Result<SqliteTarget, DatabaseUrlError> {
    if parts.user.is_some() || !parts.authority.is_empty() {
        return Err(DatabaseUrlError::SqliteHost);
    }
    let path = match parts.database {
        None | Some("" | ":memory:") => return Err(DatabaseUrlError::InMemory),
        // Without `uri=true` Python takes it for a path, but SQLite's own
        // settings decide whether other programs do.
        Some(path) if path.starts_with("file:") => return Err(DatabaseUrlError::SqliteUri),
        Some(path) if is_windows_path(path) => return Err(DatabaseUrlError::WindowsPath),
        Some(path) if is_percent_encoded(path) => return Err(DatabaseUrlError::EncodedDatabase),
        Some(path) => PathBuf::from(path),
    };
    // A password here is that of an encrypted file, which this tool can't open.
    if parts.query_may_hold_pieces_of_a_password() {
        return Err(DatabaseUrlError::UnreadableParameter);
    }
    let mut ignored_parameters = Vec::new();
    for parameter in parts.parameters()? {
        if parameter.name == "uri" && !is_false(&parameter.value) {
            return Err(DatabaseUrlError::SqliteUri);
        }
        refuse_control_characters(&parameter.name)?;
        ignored_parameters.push(parameter.name);
    }
    Ok(SqliteTarget {
        path,
        ignored_parameters,
    })
}

/// Whether it begins with a drive, as `C:\\`, or names a share, as `\\\\server\\`. Where this
/// tool runs, such a path leads nowhere, or to a file that nobody meant.
pub fn is_windows_path(path: &str) -> bool {
    let bytes = path.as_bytes();
    let has_drive = matches!(bytes, [drive, b':', b'\\' | b'/', ..] if drive.is_ascii_alphabetic());
    has_drive || path.starts_with(r"\\")
}

/// The words for false of SQLAlchemy's `asbool`.
fn is_false(value: &str) -> bool {
    ["false", "no", "off", "n", "f", "0"]
        .iter()
        .any(|word| value.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_url(url: &str) -> Result<SqliteTarget, DatabaseUrlError> {
        read(&Parts::of(url).unwrap())
    }

    #[test]
    fn a_path_of_windows_is_refused_and_a_colon_or_a_backslash_is_none() {
        for path in [r"C:\agent.db", "c:/agent.db", r"\\server\share\agent.db"] {
            let refused = read_url(&format!("sqlite:///{path}"));
            assert_eq!(refused, Err(DatabaseUrlError::WindowsPath), "{path}");
        }
        for path in [
            "c:agent.db",
            "C",
            "cd:/agent.db",
            r"a\b.db",
            r"\a.db",
            "/c:/agent.db",
        ] {
            assert!(read_url(&format!("sqlite:///{path}")).is_ok(), "{path}");
        }
    }

    #[test]
    fn reads_relative_and_absolute_paths() {
        for (url, path) in [
            (
                "sqlite+aiosqlite:///./lightspeed_agent.db",
                "./lightspeed_agent.db",
            ),
            ("sqlite:///file.db", "file.db"),
            ("sqlite:////var/lib/agent/file.db", "/var/lib/agent/file.db"),
            ("sqlite:///a b/50%/x@y:z#1.db", "a b/50%/x@y:z#1.db"),
        ] {
            assert_eq!(read_url(url).unwrap().path, PathBuf::from(path), "{url}");
        }
    }

    #[test]
    fn keeps_the_names_of_what_it_leaves_out() {
        let target = read_url("sqlite:///f.db?timeout=5&check_same_thread=false&uri=0").unwrap();
        assert_eq!(
            target.ignored_parameters,
            ["timeout", "check_same_thread", "uri"]
        );
    }

    #[test]
    fn refuses_what_is_no_file() {
        for (url, expected) in [
            ("sqlite://", DatabaseUrlError::InMemory),
            ("sqlite:///", DatabaseUrlError::InMemory),
            ("sqlite:///:memory:", DatabaseUrlError::InMemory),
            ("sqlite+aiosqlite:///?timeout=5", DatabaseUrlError::InMemory),
            ("sqlite:///file:f.db?uri=true", DatabaseUrlError::SqliteUri),
            ("sqlite:///file:f.db", DatabaseUrlError::SqliteUri),
            ("sqlite:///f.db?uri=1", DatabaseUrlError::SqliteUri),
            ("sqlite://file.db", DatabaseUrlError::SqliteHost),
            ("sqlite://folder/file.db", DatabaseUrlError::SqliteHost),
            (
                "sqlite+pysqlcipher://:passphrase@/file.db",
                DatabaseUrlError::SqliteHost,
            ),
            (
                "sqlite:///f.db?key=a&b=c",
                DatabaseUrlError::UnreadableParameter,
            ),
            ("sqlite:///a%20b.db", DatabaseUrlError::EncodedDatabase),
            ("sqlite:///f.db?a%0A=b", DatabaseUrlError::ControlCharacter),
        ] {
            assert_eq!(read_url(url), Err(expected), "{url}");
        }
    }
}
