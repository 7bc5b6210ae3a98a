//! One pass over the table, page by page, with the work on another thread.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use futures_util::future::try_join3;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::mpsc;

use crate::columns::Column;
use crate::error::Error;
use crate::keyring::Opened;
use crate::table::{Pass, Rewrite, Row, Table};

/// Rows on the way at once: enough that a page's cost is its rows and not its
/// statements, few enough that three pages are a few megabytes.
pub(crate) const PAGE_ROWS: usize = 2_000;

/// Writes that are under way at once: while the database does one, the next has
/// arrived.
const WRITES: usize = 2;

/// Reads the whole table, does `work` on each page in another thread, asks `take`
/// for each result in turn what to write, and writes it: all at the same time,
/// each step on a page of its own.
pub(crate) async fn for_each_page<T, Work, Worked>(
    table: &mut T,
    pass: Pass,
    work: Work,
    mut take: impl FnMut(Worked) -> Result<Vec<Rewrite<T::Address>>, Error>,
) -> Result<(), Error>
where
    T: Table,
    Work: Fn(Vec<Row<T::Address>>) -> Worked + Send + Sync + 'static,
    Worked: Send + 'static,
{
    table.start_pass(pass).await?;
    let table = &*table;
    let work = Arc::new(work);
    let (pages, mut pages_read) = mpsc::channel(1);
    let (results, mut results_worked) = mpsc::channel(1);

    // Joined, not chained as streams: a stream that nobody asks is not polled,
    // and a read that is not polled might hold a lock that a write waits for.
    let reading = async move {
        loop {
            let page = table.read_page().await?;
            if page.is_empty() || pages.send(page).await.is_err() {
                return Ok(());
            }
        }
    };
    let working = async move {
        while let Some(page) = pages_read.recv().await {
            let worked = in_thread(Arc::clone(&work), page).await;
            if results.send(worked).await.is_err() {
                break;
            }
        }
        Ok(())
    };
    let writing = stream::poll_fn(|context| results_worked.poll_recv(context))
        .map(&mut take)
        .try_for_each_concurrent(WRITES, |rewrites| table.write_page(rewrites));
    try_join3(reading, working, writing).await?;
    Ok(())
}

async fn in_thread<Page, Work, Worked>(work: Arc<Work>, page: Page) -> Worked
where
    Page: Send + 'static,
    Work: Fn(Page) -> Worked + Send + Sync + 'static,
    Worked: Send + 'static,
{
    let worked = tokio::task::spawn_blocking(move || work(page)).await;
    worked.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}

/// Digests of what a pass saw, to compare two passes with flat memory.
///
/// Each is a sum, modulo 2⁶⁴, of a hash of each row, so that the order of the
/// rows doesn't matter. The hash has a random key: what differs goes unseen once
/// in 2⁶⁴ times, and nobody can aim at that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Digests {
    pub(crate) rows: u64,
    pub(crate) plaintexts: u64,
    pub(crate) untouched: u64,
}

impl Digests {
    /// A digest of the rows of both.
    pub(crate) fn add(&mut self, other: Digests) {
        self.rows += other.rows;
        self.plaintexts = self.plaintexts.wrapping_add(other.plaintexts);
        self.untouched = self.untouched.wrapping_add(other.untouched);
    }

    /// Fails with the first thing that differs.
    pub(crate) fn compare(self, before: Digests) -> Result<(), Error> {
        let what = if self.rows != before.rows {
            "the numbers of rows"
        } else if self.plaintexts != before.plaintexts {
            "the plaintexts or their issue times"
        } else if self.untouched != before.untouched {
            "the columns beside the encrypted ones"
        } else {
            return Ok(());
        };
        Err(Error::Verification { what })
    }
}

/// Makes the hashes of [`Digests`], with one key for a run.
#[derive(Clone, Default)]
pub(crate) struct Digester(RandomState);

impl Digester {
    /// The row itself and its untouched columns.
    pub(crate) fn row<A>(&self, row: &Row<A>) -> Digests {
        Digests {
            rows: 1,
            plaintexts: 0,
            untouched: self.0.hash_one((&row.order_id, row.untouched)),
        }
    }

    /// What a cell of that row holds.
    pub(crate) fn cell(&self, order_id: &str, column: Column, opened: &Opened) -> Digests {
        Digests {
            plaintexts: self
                .0
                .hash_one((order_id, column, &*opened.plaintext, opened.issued_at)),
            ..Digests::default()
        }
    }
}
