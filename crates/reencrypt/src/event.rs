//! What a run tells while it runs.

use crate::columns::Column;
use crate::token::Unreadable;

/// Something that the person who waits may want to see.
#[derive(Debug)]
pub enum Event<'a> {
    /// The next part of the run begins.
    Phase(Phase),
    /// So many rows of the phase are done.
    Rows {
        /// Rows done.
        done: u64,
        /// Rows in the table.
        total: u64,
    },
    /// A cell that no key opens.
    Unreadable(&'a UnreadableCell),
    /// The answer to the commit was lost, and the database, asked again, says
    /// that it took place.
    CommitFoundByLooking,
}

/// A part of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Waiting for the locks.
    Locking,
    /// Counting tokens by the key that opens them.
    Surveying,
    /// Writing tokens under the new key.
    Reencrypting,
    /// Reading every cell back.
    Verifying,
    /// Making it last.
    Committing,
}

/// Where a cell lies that can't be read, and why it can't.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadableCell {
    /// The row's primary key.
    pub order_id: String,
    /// The column.
    pub column: Column,
    /// Why.
    pub reason: Unreadable,
}

/// Who is told.
pub type Observer<'a> = dyn FnMut(Event<'_>) + Send + 'a;
