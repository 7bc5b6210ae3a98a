//! The re-encryption itself, from the check to the commit.

use std::sync::Arc;
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use crate::columns::{Column, ColumnName, PerColumn};
use crate::database::{Backend, Database};
use crate::error::Error;
use crate::event::{Event, Observer, Phase, UnreadableCell};
use crate::keyring::Keyring;
use crate::pass::{Digester, Digests, for_each_page};
use crate::report::{Counts, Failed, Outcome, Report, TableState};
use crate::table::{Access, CommitFailure, Committed, Pass, Rewrite, Row, Table};

/// A re-encryption that was checked and may be run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Rows in the table when it was checked.
    pub clients: u64,
    /// Encrypted columns that are left alone because the caller said so.
    pub excluded_columns: Vec<ColumnName>,
    /// Tables that the role may not read, which were not searched for encrypted columns.
    pub unsearched_tables: Vec<String>,
    /// What is special about this database, for the person who decides.
    pub remarks: Vec<String>,
}

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

/// Checks that the table can be re-encrypted, and that nothing encrypted would
/// be forgotten. Changes nothing, takes no lock.
///
/// # Errors
///
/// Any of [`Error`]; among them [`Error::UnknownColumns`] for encrypted columns
/// that `excluded_columns` doesn't name.
pub async fn check(
    database: &mut Database,
    excluded_columns: &[ColumnName],
) -> Result<Plan, Error> {
    let checked = match &mut database.backend {
        Backend::Postgres(table) => table.check(Access::Rewrite).await?,
        Backend::Sqlite(table) => table.check(Access::Rewrite).await?,
    };
    for excluded in excluded_columns {
        let is_among = |columns: &[ColumnName]| columns.iter().any(|found| excluded.means(found));
        let column = || excluded.clone();
        if !is_among(&checked.unknown_columns) && is_known(excluded) {
            return Err(Error::KnownExclusion { column: column() });
        }
        if !is_among(&checked.all_columns) {
            return Err(Error::NoSuchExclusion { column: column() });
        }
    }
    let (excluded_columns, columns): (Vec<_>, Vec<_>) =
        checked.unknown_columns.into_iter().partition(|found| {
            excluded_columns
                .iter()
                .any(|excluded| excluded.means(found))
        });
    if !columns.is_empty() {
        return Err(Error::UnknownColumns { columns });
    }
    Ok(Plan {
        clients: checked.clients,
        excluded_columns,
        unsearched_tables: checked.unsearched_tables,
        remarks: checked.remarks,
    })
}

fn is_known(column: &ColumnName) -> bool {
    column.table == "dcr_clients"
        && Column::ALL
            .iter()
            .any(|known| known.name() == column.column)
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

struct SealedPage<Address> {
    rewrites: Vec<Rewrite<Address>>,
    columns: PerColumn<Counts>,
    digests: Digests,
    unreadable: Vec<UnreadableCell>,
}

fn seal_page<A>(keyring: &Keyring, digester: &Digester, page: Vec<Row<A>>) -> SealedPage<A> {
    let mut sealed = SealedPage {
        rewrites: Vec::with_capacity(page.len()),
        columns: PerColumn::default(),
        digests: Digests::default(),
        unreadable: Vec::new(),
    };
    let mut guess = Keyring::NEW;
    for row in page {
        let mut cells = row.cells.clone();
        let mut changed = false;
        sealed.digests.add(digester.row(&row));
        for column in Column::ALL {
            let counts = &mut sealed.columns[column];
            counts.scanned += 1;
            let Some(cell) = &row.cells[column] else {
                counts.empty += 1;
                continue;
            };
            match keyring.open(cell, guess) {
                Ok(opened) => {
                    guess = opened.key;
                    sealed
                        .digests
                        .add(digester.cell(&row.order_id, column, &opened));
                    if opened.key == Keyring::NEW {
                        counts.already_current += 1;
                    } else {
                        counts.reencrypted += 1;
                        cells[column] = Some(keyring.seal(&opened));
                        changed = true;
                    }
                }
                Err(reason) => {
                    counts.unreadable += 1;
                    sealed.unreadable.push(UnreadableCell {
                        order_id: row.order_id.clone(),
                        column,
                        reason,
                    });
                }
            }
        }
        if changed {
            sealed.rewrites.push(Rewrite { row, cells });
        }
    }
    sealed
}

#[expect(
    clippy::indexing_slicing,
    reason = "a cell is opened by a key of the keyring"
)]
fn read_back_page<A>(
    keyring: &Keyring,
    digester: &Digester,
    page: &[Row<A>],
) -> Result<Digests, Error> {
    let mut digests = Digests::default();
    for row in page {
        digests.add(digester.row(row));
        for (column, cell) in row.cells.iter() {
            let Some(cell) = cell else { continue };
            let order_id = || row.order_id.clone();
            let opened = keyring
                .open(cell, Keyring::NEW)
                .map_err(|reason| Error::NotReadBack {
                    order_id: order_id(),
                    column,
                    reason,
                })?;
            if opened.key != Keyring::NEW {
                return Err(Error::StillUnderOldKey {
                    order_id: order_id(),
                    column,
                    fingerprint: keyring.fingerprints()[opened.key],
                });
            }
            digests.add(digester.cell(&row.order_id, column, &opened));
        }
    }
    Ok(digests)
}
