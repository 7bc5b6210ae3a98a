//! The tokens of the table, counted by the key that opens them.

use reencrypt::{PerColumn, Survey, SurveyCounts};

use crate::error::Error;

/// The cells of a table by the key that opens them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Rows in the table.
    pub clients: u64,
    /// The cells of each column.
    pub columns: PerColumn<Cells>,
}

/// The cells of one column: `scanned` is the sum of all the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cells {
    /// All cells.
    pub scanned: u64,
    /// Under the new key.
    pub under_new: u64,
    /// Under the old key.
    pub under_old: u64,
    /// Without a token.
    pub empty: u64,
    /// Under none of the keys.
    pub unreadable: u64,
}

impl Tokens {
    /// As a survey counted them, whose first key is the new one, if it has one.
    pub(super) fn of(survey: Survey, has_new: bool) -> Tokens {
        let PerColumn(columns) = survey.columns;
        Tokens {
            clients: survey.clients,
            columns: PerColumn(columns.map(|counts| cells(&counts, has_new))),
        }
    }

    /// The same of a survey that was given the new key as its only one.
    pub(super) fn by_new_key_alone(self) -> Tokens {
        let PerColumn(columns) = self.columns;
        let of_new = |cells: Cells| Cells {
            under_new: cells.under_old,
            under_old: 0,
            ..cells
        };
        Tokens {
            columns: PerColumn(columns.map(of_new)),
            ..self
        }
    }

    /// Refuses where a cell is under none of the keys.
    pub(super) fn refuse_unreadable(&self) -> Result<(), Error> {
        match self.unreadable() {
            0 => Ok(()),
            cells => Err(Error::Unreadable { cells }),
        }
    }

    /// Under the new key.
    pub fn under_new(&self) -> u64 {
        self.sum(|cells| cells.under_new)
    }

    /// Under the old key.
    pub fn under_old(&self) -> u64 {
        self.sum(|cells| cells.under_old)
    }

    /// Under none of the keys.
    pub fn unreadable(&self) -> u64 {
        self.sum(|cells| cells.unreadable)
    }

    fn sum(&self, count: impl Fn(&Cells) -> u64) -> u64 {
        self.columns.iter().map(|(_, cells)| count(cells)).sum()
    }
}

#[expect(clippy::indexing_slicing, reason = "no survey without a key")]
fn cells(counts: &SurveyCounts, has_new: bool) -> Cells {
    Cells {
        scanned: counts.scanned,
        under_new: if has_new { counts.under[0] } else { 0 },
        under_old: counts.under.last().copied().unwrap_or_default(),
        empty: counts.empty,
        unreadable: counts.unreadable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_survey_by_the_new_key_alone_opened_is_under_the_new_key() {
        let opened = Cells {
            scanned: 5,
            under_new: 0,
            under_old: 3,
            empty: 1,
            unreadable: 1,
        };
        let tokens = Tokens {
            clients: 5,
            columns: PerColumn([opened; 2]),
        };
        let tokens = tokens.by_new_key_alone();
        assert_eq!((tokens.under_new(), tokens.under_old()), (6, 0));
        assert_eq!((tokens.clients, tokens.unreadable()), (5, 2));
    }
}
