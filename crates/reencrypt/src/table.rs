//! What a re-encryption needs of a database: the contract that Postgres and SQLite fill.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::columns::{ColumnName, PerColumn};
use crate::error::Error;
use crate::token::Cell;

/// How long to wait for others, and for one statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the lock on the table, held by writers.
    pub lock: Duration,
    /// For one statement, on Postgres; SQLite has no such limit.
    pub statement: Duration,
}

impl Default for Timeouts {
    /// Ten seconds for the lock: longer than any write of the service, shorter
    /// than its own patience while this waits at the head of the queue. A minute
    /// for a statement: a page takes milliseconds, the search for unknown
    /// encrypted columns reads whole tables.
    fn default() -> Self {
        Timeouts {
            lock: Duration::from_secs(10),
            statement: Duration::from_secs(60),
        }
    }
}

/// One row of `dcr_clients`.
pub(crate) struct Row<Address> {
    /// Where the database keeps this version of the row.
    pub(crate) address: Address,
    pub(crate) order_id: String,
    pub(crate) cells: PerColumn<Option<Cell>>,
    /// A digest of the columns that nobody may touch.
    pub(crate) untouched: u64,
}

/// A row and the cells that take the place of its own.
pub(crate) struct Rewrite<Address> {
    pub(crate) row: Row<Address>,
    /// What to write; a column that keeps its value stands here as it was read.
    pub(crate) cells: PerColumn<Option<Cell>>,
}

/// What a transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// To count: nobody waits.
    Survey,
    /// To write: writers wait, readers don't, a second run is refused.
    Rewrite,
}

/// What the table is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// As it was before this transaction wrote to it.
    Before,
    /// With what this transaction wrote.
    After,
}

/// A commit that did not answer "done".
pub(crate) enum CommitFailure {
    /// Looked up afterwards: nothing was committed.
    NotCommitted(Error),
    /// Could not be looked up.
    Unknown(Error),
}

/// The table `dcr_clients` of one database, on one connection.
///
/// Every method but `check` belongs to a transaction: `begin`, any number of
/// passes, then `commit` or `rollback`. A future of any method may be dropped
/// before it is done, after which only `rollback` may be called.
pub(crate) trait Table {
    /// Where one version of a row lies. Good for the length of the transaction.
    type Address: Send + 'static;

    /// Checks that the table and its columns are there and can be written, and
    /// searches the live catalogue for encrypted columns that are not known.
    /// Takes no lock and changes nothing.
    async fn check(&mut self, access: Access) -> Result<Checked, Error>;

    /// Begins a transaction and, to rewrite, takes the locks: the advisory lock
    /// that refuses a second run, then the table's. Nothing is begun on an error.
    async fn begin(&mut self, access: Access) -> Result<(), Error>;

    /// The number of rows, exact within the transaction.
    async fn count_rows(&mut self) -> Result<u64, Error>;

    /// Starts to read the table from its beginning, as it is now. What is
    /// written during the pass isn't met again by it.
    async fn start_pass(&mut self, pass: Pass) -> Result<(), Error>;

    /// Reads the next page of the pass; an empty one is the end of the table.
    /// One read may be under way together with any number of writes.
    async fn read_page(&self) -> Result<Vec<Row<Self::Address>>, Error>;

    /// Writes a page. A row is written only if it still holds what was read,
    /// else this fails with [`Error::RowChanged`].
    async fn write_page(&self, rewrites: Vec<Rewrite<Self::Address>>) -> Result<(), Error>;

    /// Commits. An answer that is lost on the way is settled by looking. Where a
    /// commit has to wait for others, cancelling `interrupt` ends the wait.
    async fn commit(&mut self, interrupt: &CancellationToken) -> Result<Committed, CommitFailure>;

    /// Ends the transaction without a trace, wherever it stands; a statement that
    /// still runs is stopped (Postgres) or waited for (SQLite). A connection that is lost counts as success:
    /// without a commit the database rolls back by itself.
    async fn rollback(&mut self);
}

/// How a commit became known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Committed {
    /// The database said so.
    Answered,
    /// The answer was lost; a look at the database showed it.
    FoundByLooking,
}

/// What a check found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Checked {
    /// Encrypted columns, by name or by content, that this crate doesn't know.
    pub(crate) unknown_columns: Vec<ColumnName>,
    /// Tables that could not be searched for them: the role may not read them.
    pub(crate) unsearched_tables: Vec<String>,
    /// Every column of every table, to tell a typing error in an exclusion.
    pub(crate) all_columns: Vec<ColumnName>,
    /// Rows of `dcr_clients`, outside any lock.
    pub(crate) clients: u64,
    /// Sentences for the plan: what is special about this database.
    pub(crate) remarks: Vec<String>,
}
