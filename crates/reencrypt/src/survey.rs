//! The survey: every token counted by the key that opens it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use secret::Fingerprint;
use tokio_util::sync::CancellationToken;

use crate::columns::{Column, ColumnName, PerColumn};
use crate::database::{Backend, Database};
use crate::error::Error;
use crate::event::{Event, Observer, Phase, UnreadableCell};
use crate::keyring::Keyring;
use crate::pass::for_each_page;
use crate::table::{Access, Pass, Row, Table};

/// What a survey counted.
#[derive(Clone, Debug)]
pub struct Survey {
    /// Rows in the table.
    pub clients: u64,
    /// The keys that were tried, in the order of [`SurveyCounts::under`].
    pub keys: Vec<Fingerprint>,
    /// The counts.
    pub columns: PerColumn<SurveyCounts>,
    /// Encrypted columns elsewhere, which were not counted.
    pub unknown_columns: Vec<ColumnName>,
    /// Tables that the role may not read, which were not searched for such columns.
    pub unsearched_tables: Vec<String>,
    /// How long it took.
    pub duration: Duration,
}

/// The cells of one column: `scanned` is the sum of all the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SurveyCounts {
    /// All cells.
    pub scanned: u64,
    /// Under each key, in the order of [`Survey::keys`].
    pub under: Vec<u64>,
    /// Nulls.
    pub empty: u64,
    /// What no key opens.
    pub unreadable: u64,
}

/// Counts every cell of the encrypted columns in one snapshot of the table.
/// Nobody waits for it, and nothing is changed.
///
/// # Errors
///
/// Any of [`Error`]; [`Error::Interrupted`] when `interrupt` was cancelled.
pub async fn survey(
    database: &mut Database,
    keyring: &Arc<Keyring>,
    observer: &mut Observer<'_>,
    interrupt: &CancellationToken,
) -> Result<Survey, Error> {
    match &mut database.backend {
        Backend::Postgres(table) => survey_table(&mut **table, keyring, observer, interrupt).await,
        Backend::Sqlite(table) => survey_table(&mut **table, keyring, observer, interrupt).await,
    }
}

async fn survey_table<T: Table>(
    table: &mut T,
    keyring: &Arc<Keyring>,
    observer: &mut Observer<'_>,
    interrupt: &CancellationToken,
) -> Result<Survey, Error> {
    let started = Instant::now();
    let counted = interrupt.run_until_cancelled(async {
        let checked = table.check(Access::Survey).await?;
        table.begin(Access::Survey).await?;
        let clients = table.count_rows().await?;
        observer(Event::Phase(Phase::Surveying));
        let columns = count(table, keyring, clients, observer).await?;
        Ok((checked, clients, columns))
    });
    let counted = counted.await.unwrap_or(Err(Error::Interrupted));
    table.rollback().await;
    let (checked, clients, columns) = counted?;
    Ok(Survey {
        clients,
        keys: keyring.fingerprints(),
        columns,
        unknown_columns: checked.unknown_columns,
        unsearched_tables: checked.unsearched_tables,
        duration: started.elapsed(),
    })
}

async fn count<T: Table>(
    table: &mut T,
    keyring: &Arc<Keyring>,
    total: u64,
    observer: &mut Observer<'_>,
) -> Result<PerColumn<SurveyCounts>, Error> {
    let keys = keyring.fingerprints().len();
    let mut columns = PerColumn([SurveyCounts::new(keys), SurveyCounts::new(keys)]);
    let mut done = 0;
    let keyring = Arc::clone(keyring);
    let work = move |page: Vec<Row<T::Address>>| count_page(&keyring, &page);
    for_each_page(table, Pass::Before, work, |page: PageSurvey| {
        for column in Column::ALL {
            columns[column].add(&page.columns[column]);
        }
        page.unreadable
            .iter()
            .for_each(|cell| observer(Event::Unreadable(cell)));
        done += page.rows;
        observer(Event::Rows { done, total });
        Ok(Vec::new())
    })
    .await?;
    let adds_up = columns.iter().all(|(_, counts)| counts.adds_up_to(total));
    adds_up.then_some(columns).ok_or(Error::Verification {
        what: "the counts of cells",
    })
}

struct PageSurvey {
    rows: u64,
    columns: PerColumn<SurveyCounts>,
    unreadable: Vec<UnreadableCell>,
}

#[expect(
    clippy::indexing_slicing,
    reason = "there is a count for each key of the keyring"
)]
fn count_page<A>(keyring: &Keyring, page: &[Row<A>]) -> PageSurvey {
    let keys = keyring.fingerprints().len();
    let mut survey = PageSurvey {
        rows: page.len() as u64,
        columns: PerColumn([SurveyCounts::new(keys), SurveyCounts::new(keys)]),
        unreadable: Vec::new(),
    };
    let mut guess = Keyring::NEW;
    for row in page {
        for (column, cell) in row.cells.iter() {
            let counts = &mut survey.columns[column];
            counts.scanned += 1;
            let Some(cell) = cell else {
                counts.empty += 1;
                continue;
            };
            match keyring.open(cell, guess) {
                Ok(opened) => {
                    guess = opened.key;
                    counts.under[guess] += 1;
                }
                Err(reason) => {
                    counts.unreadable += 1;
                    survey.unreadable.push(UnreadableCell {
                        order_id: row.order_id.clone(),
                        column,
                        reason,
                    });
                }
            }
        }
    }
    survey
}

impl SurveyCounts {
    fn new(keys: usize) -> SurveyCounts {
        SurveyCounts {
            under: vec![0; keys],
            ..SurveyCounts::default()
        }
    }

    /// Whether every row was seen once and every cell counted once.
    fn adds_up_to(&self, rows: u64) -> bool {
        let counted = self.under.iter().sum::<u64>() + self.empty + self.unreadable;
        self.scanned == rows && self.scanned == counted
    }

    fn add(&mut self, other: &SurveyCounts) {
        self.scanned += other.scanned;
        for (count, more) in self.under.iter_mut().zip(&other.under) {
            *count += more;
        }
        self.empty += other.empty;
        self.unreadable += other.unreadable;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts() -> SurveyCounts {
        SurveyCounts {
            scanned: 15,
            under: vec![8, 4],
            empty: 2,
            unreadable: 1,
        }
    }

    #[test]
    fn counts_add_up_only_if_every_cell_is_in_one_of_them() {
        assert!(counts().adds_up_to(15));
        assert!(!counts().adds_up_to(14), "a row was seen twice");
        for (empty, unreadable, under) in [(1, 1, 4), (2, 2, 4), (2, 1, 5)] {
            let wrong = SurveyCounts {
                under: vec![8, under],
                empty,
                unreadable,
                ..counts()
            };
            assert!(!wrong.adds_up_to(15), "{wrong:?}");
        }
    }

    #[test]
    fn pages_are_added_key_by_key() {
        let mut sum = counts();
        sum.add(&counts());
        assert_eq!(sum.under, [16, 8]);
        assert_eq!((sum.scanned, sum.empty, sum.unreadable), (30, 4, 2));
    }
}
