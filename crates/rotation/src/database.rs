//! The database with the encrypted rows, as steps use it: a connection for each piece of work.

use std::sync::Arc;

use jiff::Timestamp;
use reencrypt::{
    ColumnName, Counts, Event, Keyring, Mode, PerColumn, Phase, Survey, SurveyCounts, Timeouts, Tls,
};
use secret::{DatabaseUrl, FernetKey, VersionNumber};
use tokio_util::sync::CancellationToken;

use crate::error::Error;

/// Who is told how far a survey or a re-encryption is.
pub type RowObserver = Box<dyn FnMut(Event<'_>) + Send>;

/// Enough for any instance that still writes to be gone; more, and one isn't going.
const MOST_SWEEPS: u32 = 20;

/// The database, how to reach it, and whom to tell.
pub struct Database {
    /// Where it is.
    pub url: DatabaseUrl,
    /// Whether TLS is demanded.
    pub tls: Tls,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// Encrypted columns to leave alone.
    pub excluded_columns: Vec<ColumnName>,
    /// Who is told.
    pub observer: RowObserver,
    /// Rolls back what is not committed, and stops.
    pub interrupt: CancellationToken,
}

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

/// What a re-encryption did.
pub(crate) struct Reencrypted {
    /// The counts; on a dry run, all of it was rolled back.
    pub(crate) columns: PerColumn<Counts>,
    /// When the commit was sent; none where there was nothing to commit.
    pub(crate) committed_at: Option<Timestamp>,
}

/// Whether the observer hears of cells that none of the keys opens.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Listed {
    Yes,
    No,
}

impl Database {
    /// Checks that the table can be re-encrypted and that every encrypted column is known.
    pub(crate) async fn check(&mut self) -> Result<reencrypt::Plan, Error> {
        let mut connection = self.connect().await?;
        reencrypt::check(&mut connection, &self.excluded_columns)
            .await
            .map_err(|source| Error::database("check the table", source))
    }

    /// Who the clients are.
    pub(crate) async fn clients(&mut self) -> Result<Vec<reencrypt::Client>, Error> {
        let mut connection = self.connect().await?;
        reencrypt::clients(&mut connection, &self.interrupt)
            .await
            .map_err(|source| Error::database("list the clients", source))
    }

    /// Counts the tokens under the two keys.
    pub(crate) async fn count(
        &mut self,
        old: &FernetKey,
        new: Option<&FernetKey>,
    ) -> Result<Tokens, Error> {
        let keyring = Keyring::for_survey(std::slice::from_ref(old), new)?;
        let survey = self.survey(keyring, Listed::Yes).await?;
        let has_new = new.is_some();
        let PerColumn(columns) = survey.columns;
        Ok(Tokens {
            clients: survey.clients,
            columns: PerColumn(columns.map(|counts| cells(&counts, has_new))),
        })
    }

    /// The same by the new key alone: what is under the old one counts as unreadable.
    pub(crate) async fn count_under_new(&mut self, new: &FernetKey) -> Result<Tokens, Error> {
        let Tokens { clients, columns } = self.count(new, None).await?;
        let PerColumn(columns) = columns;
        let of_new = |cells: Cells| Cells {
            under_new: cells.under_old,
            under_old: 0,
            ..cells
        };
        Ok(Tokens {
            clients,
            columns: PerColumn(columns.map(of_new)),
        })
    }

    /// Counts the tokens under one key. All others count for nothing here.
    pub(crate) async fn tokens_under(&mut self, key: &FernetKey) -> Result<u64, Error> {
        let keyring = Keyring::for_survey(std::slice::from_ref(key), None)?;
        let survey = self.survey(keyring, Listed::No).await?;
        Ok(sum(&survey.columns, |counts| first(&counts.under)))
    }

    /// Puts every token that is under `from` under `to`.
    pub(crate) async fn reencrypt(
        &mut self,
        from: &FernetKey,
        to: &FernetKey,
        mode: Mode,
    ) -> Result<Reencrypted, Error> {
        let keyring = Arc::new(Keyring::for_rotation(std::slice::from_ref(from), to)?);
        let mut connection = self.connect().await?;
        let plan = reencrypt::check(&mut connection, &self.excluded_columns)
            .await
            .map_err(|source| Error::database("check the table", source))?;
        let mut committed_at = None;
        let mut observer = |event: Event<'_>| {
            if matches!(event, Event::Phase(Phase::Committing)) {
                committed_at = Some(Timestamp::now());
            }
            (self.observer)(event);
        };
        let report = reencrypt::reencrypt(
            &mut connection,
            &plan,
            &keyring,
            mode,
            &mut observer,
            &self.interrupt,
        )
        .await
        .map_err(|failed| Error::Reencryption {
            table: failed.table,
            source: Box::new(failed.error),
        })?;
        Ok(Reencrypted {
            columns: report.columns,
            committed_at,
        })
    }

    /// Whether the key opens every token.
    pub(crate) async fn is_all_under(&mut self, key: &FernetKey) -> Result<bool, Error> {
        let keyring = Keyring::for_survey(std::slice::from_ref(key), None)?;
        let survey = self.survey(keyring, Listed::No).await?;
        Ok(sum(&survey.columns, |counts| counts.unreadable) == 0)
    }

    /// Re-encrypts and surveys until the survey counts no token under `from`.
    pub(crate) async fn reencrypt_until_none_is_left(
        &mut self,
        from: &FernetKey,
        to: &FernetKey,
    ) -> Result<u64, Error> {
        let mut written = 0;
        let mut left = 0;
        for _ in 0..MOST_SWEEPS {
            written += self.reencrypt(from, to, Mode::Commit).await?.written();
            left = self.tokens_under(from).await?;
            if left == 0 {
                return Ok(written);
            }
        }
        Err(Error::StillWritten {
            tokens: left,
            sweeps: MOST_SWEEPS,
        })
    }

    /// Refuses while a token is under the key of this version.
    pub(crate) async fn refuse_if_under(
        &mut self,
        key: &FernetKey,
        version: VersionNumber,
    ) -> Result<(), Error> {
        let tokens = self.tokens_under(key).await?;
        if tokens == 0 {
            return Ok(());
        }
        Err(Error::TokensUnder {
            key: key.fingerprint(),
            version,
            tokens,
        })
    }

    /// Puts what is under one key, if anything is, under another.
    pub(crate) async fn move_over(
        &mut self,
        from: &FernetKey,
        to: &FernetKey,
    ) -> Result<(), Error> {
        if self.tokens_under(from).await? > 0 {
            self.reencrypt_until_none_is_left(from, to).await?;
        }
        Ok(())
    }

    async fn survey(&mut self, keyring: Keyring, listed: Listed) -> Result<Survey, Error> {
        let mut connection = self.connect().await?;
        let keyring = Arc::new(keyring);
        let mut observer = |event: Event<'_>| {
            if listed == Listed::Yes || !matches!(event, Event::Unreadable(_)) {
                (self.observer)(event);
            }
        };
        reencrypt::survey(&mut connection, &keyring, &mut observer, &self.interrupt)
            .await
            .map_err(|source| Error::database("survey the table", source))
    }

    async fn connect(&self) -> Result<reencrypt::Database, Error> {
        let connect = reencrypt::Database::connect(&self.url, self.tls, self.timeouts);
        let connected = self.interrupt.run_until_cancelled(connect).await;
        connected
            .unwrap_or(Err(reencrypt::Error::Interrupted))
            .map_err(|source| Error::database("connect to the database", source))
    }
}

/// Of the first of the keys that were tried.
#[expect(clippy::indexing_slicing, reason = "no survey without a key")]
fn first(under: &[u64]) -> u64 {
    under[0]
}

fn sum(columns: &PerColumn<SurveyCounts>, count: impl Fn(&SurveyCounts) -> u64) -> u64 {
    columns.iter().map(|(_, counts)| count(counts)).sum()
}

/// By the keys in the order of the survey: the new one first, if there is one.
fn cells(counts: &SurveyCounts, has_new: bool) -> Cells {
    Cells {
        scanned: counts.scanned,
        under_new: if has_new { first(&counts.under) } else { 0 },
        under_old: counts.under.last().copied().unwrap_or_default(),
        empty: counts.empty,
        unreadable: counts.unreadable,
    }
}

impl Tokens {
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

impl Reencrypted {
    /// Tokens that were written; those of a dry run were rolled back.
    pub(crate) fn written(&self) -> u64 {
        let columns = self.columns.iter();
        columns.map(|(_, counts)| counts.reencrypted).sum()
    }
}
