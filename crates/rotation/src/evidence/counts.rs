//! The cells of each column, by what became of them: `scanned` is the sum of all the others.

use reencrypt::Column;
use runbook::{Facts, History};
use serde::Serialize;

use crate::facts;

/// Tokens of the whole table.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct TokensCounted {
    /// Rows in the table when it was surveyed.
    pub clients: u64,
    /// Under the old key when it was surveyed.
    pub under_the_old_key_before: u64,
    /// Put under the new key by the re-encryption.
    pub reencrypted: Option<u64>,
    /// Put under the new key by the sweep, since they were written meanwhile.
    pub swept: Option<u64>,
    /// Opened by the verification with the new key alone.
    pub verified: Option<u64>,
    /// Clients whose secrets have to be issued anew.
    pub clients_to_issue_anew: Option<u64>,
}

/// A pass over the table.
#[derive(Clone, Debug, Serialize)]
pub struct Counted {
    /// Which.
    pub pass: Pass,
    /// Its columns.
    pub columns: Vec<Cells>,
}

/// A pass over the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pass {
    /// The one that wrote.
    Reencryption,
    /// The last one, that looked.
    Verification,
}

/// The cells of a column.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Cells {
    /// Which.
    pub column: &'static str,
    /// All cells.
    pub scanned: u64,
    /// Put under the new key in this pass.
    pub reencrypted: u64,
    /// Under the new key before this pass.
    pub already_current: u64,
    /// Without a token.
    pub empty: u64,
    /// Under no key that was known.
    pub unreadable: u64,
    /// Whether `scanned` is the sum of the others.
    pub adds_up: bool,
}

impl TokensCounted {
    pub(super) fn of(history: &History) -> Option<TokensCounted> {
        let facts = &history.facts;
        Some(TokensCounted {
            clients: facts.count(facts::CLIENTS).ok()?,
            under_the_old_key_before: facts.count(facts::TOKENS_UNDER_OLD_KEY).ok()?,
            reencrypted: facts.count(facts::REENCRYPTED).ok(),
            swept: facts.count(facts::SWEPT).ok(),
            verified: facts.count(facts::VERIFIED).ok(),
            clients_to_issue_anew: facts.count(facts::CLIENTS_LISTED).ok(),
        })
    }
}

pub(super) fn of(history: &History) -> Vec<Counted> {
    let facts = &history.facts;
    [
        counted(Pass::Reencryption, |column| reencrypted(column, facts)),
        counted(Pass::Verification, |column| verified(column, facts)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// None where a journal doesn't tell all of it.
fn counted(pass: Pass, of_column: impl Fn(Column) -> Option<Cells>) -> Option<Counted> {
    let columns = Column::ALL.into_iter().map(of_column);
    let columns = columns.collect::<Option<Vec<Cells>>>()?;
    Some(Counted { pass, columns })
}

fn reencrypted(column: Column, facts: &Facts) -> Option<Cells> {
    let names = facts::of_column(column);
    let cells = Cells {
        column: column.name(),
        scanned: facts.count(names.scanned).ok()?,
        reencrypted: facts.count(names.reencrypted).ok()?,
        already_current: facts.count(names.already_current).ok()?,
        empty: facts.count(names.empty).ok()?,
        unreadable: facts.count(names.unreadable).ok()?,
        adds_up: false,
    };
    Some(cells.added_up())
}

/// With an unreadable cell, there is no verification.
fn verified(column: Column, facts: &Facts) -> Option<Cells> {
    let names = facts::of_column(column);
    let cells = Cells {
        column: column.name(),
        scanned: facts.count(names.verified).ok()?,
        reencrypted: 0,
        already_current: facts.count(names.verified_current).ok()?,
        empty: facts.count(names.verified_empty).ok()?,
        unreadable: 0,
        adds_up: false,
    };
    Some(cells.added_up())
}

impl Cells {
    fn added_up(self) -> Cells {
        let parts = [
            self.reencrypted,
            self.already_current,
            self.empty,
            self.unreadable,
        ];
        let sum = parts.into_iter().try_fold(0_u64, u64::checked_add);
        Cells {
            adds_up: sum == Some(self.scanned),
            ..self
        }
    }
}

pub(super) fn is_of_column(fact: &str) -> bool {
    Column::ALL.into_iter().any(|column| {
        let names = facts::of_column(column);
        [
            names.scanned,
            names.reencrypted,
            names.already_current,
            names.empty,
            names.unreadable,
            names.verified,
            names.verified_current,
            names.verified_empty,
        ]
        .contains(&fact)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sum that begins anew at 0 would be that of an empty column.
    #[test]
    fn counts_that_are_no_sum_any_more_do_not_add_up() {
        let cells = Cells {
            column: Column::ClientSecret.name(),
            scanned: 0,
            reencrypted: u64::MAX,
            already_current: 1,
            empty: 0,
            unreadable: 0,
            adds_up: false,
        };
        assert!(!cells.added_up().adds_up);
        let greatest = Cells {
            scanned: u64::MAX,
            already_current: 0,
            ..cells
        };
        assert!(greatest.added_up().adds_up);
    }
}
