//! What can go wrong, each with its advice.

use std::path::PathBuf;
use std::time::Duration;

use connection::DatabaseMessage;

use crate::columns::{Column, ColumnName};
use crate::token::Unreadable;

/// Why a survey or a re-encryption, or the connection for it, failed.
///
/// No message holds a cell, a bind or a password: see [`DatabaseMessage`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The SQLite file isn't there.
    #[error("no database file at `{path}`")]
    NoSuchFile {
        /// Its path, made absolute.
        path: PathBuf,
    },
    /// The SQLite file, or its folder, can't be read or written by this user.
    #[error("no permission to {action} `{path}`")]
    FilePermission {
        /// What was wanted.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
    },
    /// The SQLite file is something else.
    #[error("`{path}` is not an SQLite database")]
    NotADatabase {
        /// Its path, made absolute.
        path: PathBuf,
    },
    /// There is no connection to the Postgres server.
    #[error(transparent)]
    Connection(#[from] connection::Error),
    /// The database has no table `dcr_clients`.
    #[error("the database has no table `dcr_clients`")]
    NoTable,
    /// `dcr_clients` is no plain table.
    #[error("`dcr_clients` is {what}, which this tool does not rewrite")]
    NotAPlainTable {
        /// What it is.
        what: &'static str,
    },
    /// The text of the SQLite file is not in UTF-8, which the service writes.
    #[error("the database keeps its text in `{found}`, not in UTF-8")]
    Encoding {
        /// The encoding.
        found: String,
    },
    /// A column is missing.
    #[error("`dcr_clients` has no column `{column}`")]
    NoColumn {
        /// Its name.
        column: &'static str,
    },
    /// A column is of another type.
    #[error("`dcr_clients.{column}` is of type `{found}`, not text")]
    ColumnType {
        /// Its name.
        column: &'static str,
        /// Its type.
        found: String,
    },
    /// The role may not do what is needed.
    #[error("the role `{user}` may not {privilege} `dcr_clients`")]
    NoPrivilege {
        /// The role.
        user: String,
        /// The missing privilege.
        privilege: &'static str,
    },
    /// The database accepts no writes.
    #[error("the database is read-only")]
    ReadOnly,
    /// The catalogue holds encrypted columns that this tool doesn't know.
    #[error("encrypted columns that this tool does not re-encrypt: {}", listed(.columns))]
    UnknownColumns {
        /// The columns.
        columns: Vec<ColumnName>,
    },
    /// An excluded column doesn't exist.
    #[error("there is no column `{column}` to exclude")]
    NoSuchExclusion {
        /// As it was typed.
        column: ColumnName,
    },
    /// An excluded column is one of those that a run is for.
    #[error("`{column}` can't be excluded: re-encrypting it is what this tool is for")]
    KnownExclusion {
        /// As it was typed.
        column: ColumnName,
    },
    /// A second run at the same time.
    #[error("another re-encryption of this database is running")]
    AlreadyRunning,
    /// Somebody else holds the table.
    #[error("`dcr_clients` is locked by somebody else: waited {} s{}", .waited.as_secs_f32().round(), held_by(.holders))]
    Locked {
        /// How long the lock was waited for.
        waited: Duration,
        /// Who holds it, as far as can be seen.
        holders: Vec<String>,
    },
    /// Cells that none of the keys opens.
    #[error("{cells} of {scanned} cells cannot be read with the given keys")]
    UnreadableCells {
        /// How many.
        cells: u64,
        /// Of how many that hold something.
        scanned: u64,
        /// Whether none at all could be read.
        all: bool,
    },
    /// A row was not as it was read: something writes within the transaction.
    #[error(
        "a row of `dcr_clients` changed while it was re-encrypted ({expected} to write, {written} written; the page's first order is `{order_id}`)"
    )]
    RowChanged {
        /// The first order of the page.
        order_id: String,
        /// Rows to write.
        expected: usize,
        /// Rows written.
        written: usize,
    },
    /// A cell that was written doesn't read back.
    #[error("order `{order_id}`, column `{column}`: what was written does not read back: {reason}")]
    NotReadBack {
        /// The row.
        order_id: String,
        /// The column.
        column: Column,
        /// Why.
        reason: Unreadable,
    },
    /// A cell still opens with an old key.
    #[error("order `{order_id}`, column `{column}`: still under the old key `{fingerprint}`")]
    StillUnderOldKey {
        /// The row.
        order_id: String,
        /// The column.
        column: Column,
        /// The old key.
        fingerprint: secret::Fingerprint,
    },
    /// A total differs between what was read and what was read back.
    #[error("verification failed: {what} differ between what was read and what is there now")]
    Verification {
        /// What differs.
        what: &'static str,
    },
    /// The disk is full.
    #[error("the disk is full")]
    DiskFull {
        /// What the database said.
        source: DatabaseMessage,
    },
    /// A statement took longer than it may.
    #[error("the database did not {operation} within {} s", .limit.as_secs_f32())]
    Timeout {
        /// What was tried.
        operation: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// Any other answer of the database.
    #[error("the database failed to {operation}")]
    Statement {
        /// What was tried.
        operation: &'static str,
        /// What the database said.
        source: DatabaseMessage,
    },
    /// The caller asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// The connection was lost during the commit and nobody could be asked.
    #[error("the answer to the commit was lost, and whether it took place could not be found out")]
    CommitUnknown {
        /// What the last attempt to ask said.
        source: DatabaseMessage,
    },
}

impl Error {
    /// What to do about it, where that isn't plain from the message.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Error::Connection(error) => return error.hint().map(str::to_owned),
            Error::NoSuchFile { .. } => {
                "a path after three slashes is relative to the current folder; four slashes make it absolute"
            }
            Error::FilePermission { .. } => {
                "SQLite writes its journal beside the file: both the file and its folder must be writable"
            }
            Error::NotADatabase { .. } => {
                "is this the file that the service's `DATABASE_URL` names?"
            }
            Error::NoSuchExclusion { .. } => {
                "check its spelling; without `--exclude-column` the run names what it finds"
            }
            Error::NoTable => {
                "is this the service's database? On Postgres, `dcr_clients` must be in the role's search path"
            }
            Error::NoPrivilege { .. } => "log in as the owner of the table (`insights` by default)",
            Error::ReadOnly => "connect to the primary server, not to a replica",
            Error::UnknownColumns { columns } => {
                let flags: Vec<String> = columns
                    .iter()
                    .map(|column| format!("--exclude-column {}", for_a_shell(column)))
                    .collect();
                return Some(format!(
                    "if they are under other keys, go on with `{}`",
                    flags.join(" ")
                ));
            }
            Error::AlreadyRunning => "wait until it ends; it says how it went",
            Error::Locked { .. } => {
                "let the other transaction end, or wait longer with `--lock-timeout`"
            }
            Error::UnreadableCells { all: true, .. } => {
                "no cell at all could be read: are these the keys of this database?"
            }
            Error::UnreadableCells { .. } => {
                "give further old keys with `--old-key-file`, or repair or delete those rows; `cargo xtask survey-dcr` lists them all"
            }
            Error::RowChanged { .. } | Error::Verification { .. } => {
                "does `dcr_clients` have triggers, or does something else write to it in this transaction?"
            }
            Error::DiskFull { .. } => {
                "the database needs about twice the size of the table while it is rewritten"
            }
            // A policy would hide rows, which would be left behind under the old key.
            Error::Statement { source, .. } if source.to_string().contains(ROW_POLICY) => {
                "log in as the owner of the table, or as a role with BYPASSRLS"
            }
            Error::Timeout { .. } => "give it longer with `--statement-timeout`",
            Error::CommitUnknown { .. } => {
                "run `cargo xtask survey-dcr` when the database is back: all tokens are under one key, and it says which; running `rotate-dcr` again is safe either way"
            }
            // What the caller does about it depends on what became of the table.
            Error::NotAPlainTable { .. }
            | Error::Encoding { .. }
            | Error::NoColumn { .. }
            | Error::ColumnType { .. }
            | Error::KnownExclusion { .. }
            | Error::NotReadBack { .. }
            | Error::StillUnderOldKey { .. }
            | Error::Statement { .. }
            | Error::Interrupted => return None,
        };
        Some(hint.to_owned())
    }
}

/// What Postgres calls it where its messages are in English.
const ROW_POLICY: &str = "row-level security";

/// In single quotes where there are double quotes in it, which a shell would take.
fn for_a_shell(column: &ColumnName) -> String {
    let name = column.to_string();
    if name.contains('"') {
        format!("'{name}'")
    } else {
        name
    }
}

fn listed(columns: &[ColumnName]) -> String {
    let names: Vec<String> = columns.iter().map(|column| format!("`{column}`")).collect();
    names.join(", ")
}

fn held_by(holders: &[String]) -> String {
    if holders.is_empty() {
        String::new()
    } else {
        format!("; held by {}", holders.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_quoted_for_a_shell_where_it_needs_that() {
        for (name, expected) in [("secret", "t.secret"), ("a.b", "'t.\"a.b\"'")] {
            let column = ColumnName {
                schema: None,
                table: "t".to_owned(),
                column: name.to_owned(),
            };
            assert_eq!(for_a_shell(&column), expected);
        }
    }

    #[test]
    fn who_holds_a_lock_is_said_where_it_is_known() {
        assert_eq!(held_by(&[]), "");
        let holders = ["`psql`".to_owned(), "`agent`".to_owned()];
        assert_eq!(held_by(&holders), "; held by `psql`, `agent`");
    }
}
