//! What a run leaves to say.

use std::time::Duration;

use crate::columns::PerColumn;
use crate::error::Error;

/// What a run did.
#[derive(Clone, Debug)]
pub struct Report {
    /// In one word.
    pub outcome: Outcome,
    /// Rows in the table.
    pub clients: u64,
    /// The counts.
    pub columns: PerColumn<Counts>,
    /// How long it took, waiting for the lock included.
    pub duration: Duration,
}

/// How a run ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Tokens were re-encrypted and committed.
    Rotated,
    /// Every token was under the new key already, or there is none; nothing was written.
    NothingToDo,
    /// Tokens were re-encrypted, verified and rolled back.
    DryRun,
}

/// The cells of one column: `scanned` is the sum of all the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All cells.
    pub scanned: u64,
    /// Written under the new key (on a dry run, and rolled back).
    pub reencrypted: u64,
    /// Under the new key before, and left as they were.
    pub already_current: u64,
    /// Nulls.
    pub empty: u64,
    /// What no key opens.
    pub unreadable: u64,
}

/// A run that failed, and what it leaves behind.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Failed {
    /// Why.
    pub error: Error,
    /// The state of the table now.
    pub table: TableState,
    /// Rows in the table, where they were counted.
    pub clients: Option<u64>,
    /// The counts, where the table was read to its end.
    pub columns: Option<PerColumn<Counts>>,
}

/// The state of the table after a run that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableState {
    /// The run failed before it wrote anything.
    Untouched,
    /// Everything was rolled back: the table is as it was before.
    RolledBack,
    /// The commit was sent and its answer could not be found out.
    Unknown,
}

impl Counts {
    /// Whether every row was seen once and every cell counted once.
    pub(crate) fn adds_up_to(&self, rows: u64) -> bool {
        let counted = self.reencrypted + self.already_current + self.empty + self.unreadable;
        self.scanned == rows && self.scanned == counted
    }

    pub(crate) fn add(&mut self, other: Counts) {
        self.scanned += other.scanned;
        self.reencrypted += other.reencrypted;
        self.already_current += other.already_current;
        self.empty += other.empty;
        self.unreadable += other.unreadable;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_add_up_only_if_every_cell_is_in_one_of_them() {
        let counts = Counts {
            scanned: 15,
            reencrypted: 8,
            already_current: 4,
            empty: 2,
            unreadable: 1,
        };
        assert!(counts.adds_up_to(15));
        assert!(!counts.adds_up_to(14), "a row was seen twice");
        let lost = Counts { empty: 1, ..counts };
        assert!(!lost.adds_up_to(15), "a cell was not counted");
        let twice = Counts {
            unreadable: 2,
            ..counts
        };
        assert!(!twice.adds_up_to(15), "a cell was counted twice");
    }
}
