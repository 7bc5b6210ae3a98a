//! The file: that it is there, and that it may be written.

use connection::DatabaseMessage;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use rustix::fs::{Access, access};

use crate::error::Error;

/// What stands for itself in the path of a `file:` URI.
const IN_URI: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'.')
    .remove(b'-')
    .remove(b'_');

/// The absolute path of a file that exists, with symbolic links followed, so
/// that every name of one database leads to one lock.
pub(super) fn find(path: &Path) -> Result<PathBuf, Error> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    match path.canonicalize() {
        Ok(found) if found.is_file() => Ok(found),
        Ok(found) => Err(Error::NotADatabase { path: found }),
        Err(error) => Err(match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => Error::NoSuchFile { path: absolute },
            ErrorKind::PermissionDenied => Error::FilePermission {
                action: "read",
                path: absolute,
            },
            _ => Error::Statement {
                operation: "find the file",
                source: DatabaseMessage::new(&error.to_string()),
            },
        }),
    }
}

/// As a URI, since only that way SQLite can be told not to make a new file
/// (<https://www.sqlite.org/uri.html>).
pub(super) fn uri(path: &Path) -> String {
    format!(
        "file:{}?mode=rw",
        percent_encode(path.as_os_str().as_bytes(), IN_URI)
    )
}

/// SQLite opens a file that it can't write for reading, and a transaction that
/// was to write turns into one that reads: so this asks the system beforehand.
pub(super) fn check_writable(path: &Path) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    for needed in [path, folder] {
        match access(needed, Access::WRITE_OK) {
            Ok(()) => {}
            Err(rustix::io::Errno::ROFS) => return Err(Error::ReadOnly),
            Err(_) => {
                return Err(Error::FilePermission {
                    action: "write",
                    path: needed.to_owned(),
                });
            }
        }
    }
    Ok(())
}
