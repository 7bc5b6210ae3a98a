//! The database with the encrypted rows, as steps use it: a connection for each piece of work.

use std::sync::Arc;

use jiff::Timestamp;
use reencrypt::{
    ColumnName, Counts, Event, Keyring, Mode, PerColumn, Phase, Survey, Timeouts, Tls,
};
use secret::{DatabaseUrl, FernetKey, VersionNumber};
use tokio_util::sync::CancellationToken;

use super::tokens::Tokens;
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
        self.check_over(&mut connection).await
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
        Ok(Tokens::of(survey, new.is_some()))
    }

    /// The same by the new key alone: what is under the old one counts as unreadable.
    pub(crate) async fn count_under_new(&mut self, new: &FernetKey) -> Result<Tokens, Error> {
        Ok(self.count(new, None).await?.by_new_key_alone())
    }

    /// Counts the tokens under one key. All others count for nothing here.
    pub(crate) async fn tokens_under(&mut self, key: &FernetKey) -> Result<u64, Error> {
        let keyring = Keyring::for_survey(std::slice::from_ref(key), None)?;
        let survey = self.survey(keyring, Listed::No).await?;
        let columns = survey.columns.iter();
        Ok(columns.flat_map(|(_, counts)| &counts.under).sum())
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
        let plan = self.check_over(&mut connection).await?;
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
        let mut columns = survey.columns.iter();
        Ok(columns.all(|(_, counts)| counts.unreadable == 0))
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

    async fn check_over(
        &self,
        connection: &mut reencrypt::Database,
    ) -> Result<reencrypt::Plan, Error> {
        reencrypt::check(connection, &self.excluded_columns)
            .await
            .map_err(|source| Error::database("check the table", source))
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

impl Reencrypted {
    /// Tokens that were written; those of a dry run were rolled back.
    pub(crate) fn written(&self) -> u64 {
        let columns = self.columns.iter();
        columns.map(|(_, counts)| counts.reencrypted).sum()
    }
}
