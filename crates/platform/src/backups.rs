//! Backups of the service's database.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::error::Error;

/// The backups of one database.
///
/// A backup counts only when it is complete: one that failed or is still being
/// made is never given.
#[async_trait(?Send)]
pub trait Backups {
    /// The newest complete backup.
    ///
    /// # Errors
    ///
    /// When the platform can't be asked.
    async fn newest(&self) -> Result<Option<Backup>, Error>;

    /// Makes a backup of the database as it is now, while others use it, and waits
    /// until it is complete.
    ///
    /// # Errors
    ///
    /// When it fails: nothing is left that could be taken for a backup.
    async fn take(&self) -> Result<Backup, Error>;
}

/// A complete backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// What it is found by: a number, or a file's name.
    pub name: String,
    /// When the state that it holds was the database's.
    pub taken_at: Timestamp,
}
