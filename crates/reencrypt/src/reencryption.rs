//! The re-encryption itself, from the locks to the commit.

use std::sync::Arc;
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use crate::check::Plan;
use crate::columns::{Column, PerColumn};
use crate::database::{Backend, Database};
use crate::error::Error;
use crate::event::{Event, Observer, Phase};
use crate::keyring::Keyring;
use crate::page::{SealedPage, read_back_page, seal_page};
use crate::pass::{Digester, Digests, for_each_page};
use crate::report::{Counts, Failed, Outcome, Report, TableState};
use crate::table::{Access, CommitFailure, Committed, Pass, Row, Table};

/// What becomes of the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// All of it is done, verified and committed.
    Commit,
    /// All of it is done and verified, then rolled back.
    DryRun,
    /// Committed without reading anything back: for the benchmark, which wants
    /// to know what verification costs. The command line can't ask for it.
    CommitUnverified,
}

/// Puts every token of the table under the new key of the keyring, in one
/// transaction, and proves it before the commit. Running it again, whatever
/// became of the first run, is safe: what is under the new key is left alone.
///
/// Takes the plan to be sure that there was a check. Until the commit is sent,
/// cancelling `interrupt` rolls back.
///
/// # Errors
///
/// [`Failed`], with the state that the table is in.
pub async fn reencrypt(
    database: &mut Database,
    _plan: &Plan,
    keyring: &Arc<Keyring>,
    mode: Mode,
    observer: &mut Observer<'_>,
    interrupt: &CancellationToken,
) -> Result<Report, Failed> {
    match &mut database.backend {
        Backend::Postgres(table) => run(&mut **table, keyring, mode, observer, interrupt).await,
        Backend::Sqlite(table) => run(&mut **table, keyring, mode, observer, interrupt).await,
    }
}

async fn run<T: Table>(
    table: &mut T,
    keyring: &Arc<Keyring>,
    mode: Mode,
    observer: &mut Observer<'_>,
    interrupt: &CancellationToken,
) -> Result<Report, Failed> {
    let started = Instant::now();
    let mut seen = Seen::default();

    observer(Event::Phase(Phase::Locking));
    let begun = interrupt
        .run_until_cancelled(table.begin(Access::Rewrite))
        .await;
    if let Err(error) = begun.unwrap_or(Err(Error::Interrupted)) {
        table.rollback().await;
        return Err(seen.failed(error, TableState::Untouched));
    }

    let work = rewrite_and_verify(table, keyring, mode, &mut seen, observer);
    let worked = interrupt.run_until_cancelled(work).await;
    // A request that arrived together with the last answer is still in time.
    let in_time = worked.filter(|_| !interrupt.is_cancelled());
    if let Err(error) = in_time.unwrap_or(Err(Error::Interrupted)) {
        table.rollback().await;
        return Err(seen.failed(error, TableState::RolledBack));
    }

    let columns = seen.columns.unwrap_or_default();
    let nothing_to_do = columns.iter().all(|(_, counts)| counts.reencrypted == 0);
    let outcome = match mode {
        Mode::DryRun => Outcome::DryRun,
        _ if nothing_to_do => Outcome::NothingToDo,
        _ => Outcome::Rotated,
    };
    if outcome == Outcome::Rotated {
        observer(Event::Phase(Phase::Committing));
        match table.commit(interrupt).await {
            Ok(Committed::Answered) => {}
            Ok(Committed::FoundByLooking) => observer(Event::CommitFoundByLooking),
            Err(CommitFailure::NotCommitted(error)) => {
                return Err(seen.failed(error, TableState::RolledBack));
            }
            Err(CommitFailure::Unknown(error)) => {
                return Err(seen.failed(error, TableState::Unknown));
            }
        }
    } else {
        table.rollback().await;
    }
    Ok(Report {
        outcome,
        clients: seen.clients.unwrap_or_default(),
        columns,
        duration: started.elapsed(),
    })
}

/// What is known of the table so far.
#[derive(Default)]
struct Seen {
    clients: Option<u64>,
    columns: Option<PerColumn<Counts>>,
}

impl Seen {
    fn failed(self, error: Error, table: TableState) -> Failed {
        Failed {
            error,
            table,
            clients: self.clients,
            columns: self.columns,
        }
    }
}

/// Everything between the locks and the commit.
async fn rewrite_and_verify<T: Table>(
    table: &mut T,
    keyring: &Arc<Keyring>,
    mode: Mode,
    seen: &mut Seen,
    observer: &mut Observer<'_>,
) -> Result<(), Error> {
    let digester = Digester::default();
    let clients = table.count_rows().await?;
    seen.clients = Some(clients);

    observer(Event::Phase(Phase::Reencrypting));
    let (columns, before) = rewrite(table, keyring, &digester, clients, observer).await?;
    seen.columns = Some(columns);
    if !columns.iter().all(|(_, counts)| counts.adds_up_to(clients)) {
        return Err(Error::Verification {
            what: "the counts of cells",
        });
    }
    let total =
        |count: fn(&Counts) -> u64| columns.iter().map(|(_, counts)| count(counts)).sum::<u64>();
    if total(|counts| counts.unreadable) > 0 {
        return Err(Error::UnreadableCells {
            cells: total(|counts| counts.unreadable),
            scanned: total(|counts| counts.scanned - counts.empty),
            all: total(|counts| counts.reencrypted + counts.already_current) == 0,
        });
    }
    // The first pass opened every cell: where it wrote nothing, it is the proof.
    if mode == Mode::CommitUnverified || total(|counts| counts.reencrypted) == 0 {
        return Ok(());
    }
    observer(Event::Phase(Phase::Verifying));
    let after = read_back(table, keyring, &digester, clients, observer).await?;
    after.compare(before)
}

/// First pass: every token that isn't under the new key is written under it.
async fn rewrite<T: Table>(
    table: &mut T,
    keyring: &Arc<Keyring>,
    digester: &Digester,
    total: u64,
    observer: &mut Observer<'_>,
) -> Result<(PerColumn<Counts>, Digests), Error> {
    let mut columns = PerColumn::<Counts>::default();
    let mut digests = Digests::default();
    let mut unreadable = false;
    let (keyring, digester) = (Arc::clone(keyring), digester.clone());
    let work = move |page: Vec<Row<T::Address>>| seal_page(&keyring, &digester, page);
    for_each_page(table, Pass::Before, work, |page: SealedPage<T::Address>| {
        for column in Column::ALL {
            columns[column].add(page.columns[column]);
        }
        digests.add(page.digests);
        page.unreadable
            .iter()
            .for_each(|cell| observer(Event::Unreadable(cell)));
        observer(Event::Rows {
            done: digests.rows,
            total,
        });
        // From the first unreadable cell on the run can only fail, but it goes
        // on reading so as to name them all.
        unreadable |= !page.unreadable.is_empty();
        Ok(if unreadable {
            Vec::new()
        } else {
            page.rewrites
        })
    })
    .await?;
    Ok((columns, digests))
}

/// Second pass: every cell must open with the new key.
async fn read_back<T: Table>(
    table: &mut T,
    keyring: &Arc<Keyring>,
    digester: &Digester,
    total: u64,
    observer: &mut Observer<'_>,
) -> Result<Digests, Error> {
    let mut digests = Digests::default();
    let (keyring, digester) = (Arc::clone(keyring), digester.clone());
    let work = move |page: Vec<Row<T::Address>>| read_back_page(&keyring, &digester, &page);
    for_each_page(table, Pass::After, work, |page| {
        digests.add(page?);
        observer(Event::Rows {
            done: digests.rows,
            total,
        });
        Ok(Vec::new())
    })
    .await?;
    Ok(digests)
}
