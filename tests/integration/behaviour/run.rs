//! A re-encryption through the library, as the command line makes it.
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use reencrypt::{
    Column, ColumnName, Counts, Database, Error, Event, Failed, Keyring, Mode, PerColumn, Phase,
    Report, Survey, TableState, Timeouts, Tls, Unreadable,
};
use secret::DatabaseUrl;
use tokio_util::sync::CancellationToken;

use crate::subject::{NEW, OLD, Subject, key};

/// What to run; by default from `OLD` to `NEW`, for real.
pub(super) struct Rotation {
    pub(super) url: String,
    pub(super) old: Vec<&'static str>,
    pub(super) new: &'static str,
    pub(super) mode: Mode,
    pub(super) exclude: Vec<ColumnName>,
    pub(super) lock_timeout: Duration,
    pub(super) interrupt: CancellationToken,
}

/// How it went.
#[derive(Debug)]
pub(super) struct Ran {
    /// What a check refuses stands here, too: it leaves the table untouched.
    pub(super) result: Result<Report, Failed>,
    pub(super) phases: Vec<Phase>,
    /// Rows done and rows in all, as they were told.
    pub(super) progress: Vec<(u64, u64)>,
    pub(super) unreadable: BTreeMap<(String, Column), Unreadable>,
    pub(super) unsearched_tables: Vec<String>,
}

impl Rotation {
    pub(super) fn of(subject: &Subject) -> Rotation {
        Rotation::at(subject.url())
    }

    pub(super) fn at(url: String) -> Rotation {
        Rotation {
            url,
            old: vec![OLD],
            new: NEW,
            mode: Mode::Commit,
            exclude: Vec::new(),
            lock_timeout: Timeouts::default().lock,
            interrupt: CancellationToken::new(),
        }
    }

    pub(super) fn keys(self, old: &[&'static str], new: &'static str) -> Rotation {
        let old = old.to_vec();
        Rotation { old, new, ..self }
    }

    pub(super) fn dry(self) -> Rotation {
        let mode = Mode::DryRun;
        Rotation { mode, ..self }
    }

    pub(super) fn excluding(mut self, column: &str) -> Result<Rotation> {
        self.exclude.push(column.parse()?);
        Ok(self)
    }

    pub(super) async fn run(self) -> Result<Ran> {
        self.watched(|_| {}).await
    }

    /// Runs it; `watch` hears of each phase as it begins.
    pub(super) async fn watched(self, mut watch: impl FnMut(Phase) + Send) -> Result<Ran> {
        let mut ran = Ran {
            result: Err(untouched(Error::Interrupted)),
            phases: Vec::new(),
            progress: Vec::new(),
            unreadable: BTreeMap::new(),
            unsearched_tables: Vec::new(),
        };
        ran.result = match self.go(&mut ran, &mut watch).await? {
            Ok(report) => Ok(report),
            Err(failed) => Err(failed),
        };
        Ok(ran)
    }

    async fn go(
        &self,
        ran: &mut Ran,
        watch: &mut (impl FnMut(Phase) + Send),
    ) -> Result<Result<Report, Failed>> {
        let keyring = keyring(&self.old, Some(self.new))?;
        let url = DatabaseUrl::parse(&self.url)?;
        let timeouts = Timeouts {
            lock: self.lock_timeout,
            ..Timeouts::default()
        };
        let mut database = match Database::connect(&url, Tls::AsUrlSays, timeouts).await {
            Ok(database) => database,
            Err(error) => return Ok(Err(untouched(error))),
        };
        let plan = match reencrypt::check(&mut database, &self.exclude).await {
            Ok(plan) => plan,
            Err(error) => return Ok(Err(untouched(error))),
        };
        ran.unsearched_tables.clone_from(&plan.unsearched_tables);
        let mut observer = |event: Event<'_>| match event {
            Event::Phase(phase) => {
                ran.phases.push(phase);
                watch(phase);
            }
            Event::Unreadable(cell) => {
                let place = (cell.order_id.clone(), cell.column);
                ran.unreadable.insert(place, cell.reason);
            }
            Event::Rows { done, total } => ran.progress.push((done, total)),
            Event::CommitFoundByLooking => {}
        };
        Ok(reencrypt::reencrypt(
            &mut database,
            &plan,
            &keyring,
            self.mode,
            &mut observer,
            &self.interrupt,
        )
        .await)
    }
}

impl Ran {
    /// The report of a run that went well.
    pub(super) fn done(&self) -> Result<&Report> {
        match &self.result {
            Ok(report) => Ok(report),
            Err(failed) => bail!("it failed: {failed:?}"),
        }
    }

    /// The error of a run that didn't, and the state that it left.
    pub(super) fn failed(&self) -> Result<(&Error, TableState)> {
        match &self.result {
            Ok(report) => bail!("it did not fail: {report:?}"),
            Err(failed) => Ok((&failed.error, failed.table)),
        }
    }
}

/// A survey with these keys, and the cells that it found unreadable. Its progress has to end
/// with the last row.
pub(super) async fn survey(
    url: &str,
    old: &[&str],
    new: Option<&str>,
) -> Result<(Survey, BTreeMap<(String, Column), Unreadable>)> {
    let url = DatabaseUrl::parse(url)?;
    let mut database = Database::connect(&url, Tls::AsUrlSays, Timeouts::default()).await?;
    let mut unreadable = BTreeMap::new();
    let mut progress = (0, 0);
    let mut observer = |event: Event<'_>| match event {
        Event::Unreadable(cell) => {
            unreadable.insert((cell.order_id.clone(), cell.column), cell.reason);
        }
        Event::Rows { done, total } => progress = (done, total),
        _ => {}
    };
    let interrupt = CancellationToken::new();
    let keyring = keyring(old, new)?;
    let survey = reencrypt::survey(&mut database, &keyring, &mut observer, &interrupt).await?;
    assert_eq!(progress, (survey.clients, survey.clients));
    Ok((survey, unreadable))
}

/// Counts in the order of the fields: re-encrypted, already current, empty, unreadable.
pub(super) fn counts(client_secrets: [u64; 4], registrations: [u64; 4]) -> PerColumn<Counts> {
    let counts = |[reencrypted, already_current, empty, unreadable]: [u64; 4]| Counts {
        scanned: reencrypted + already_current + empty + unreadable,
        reencrypted,
        already_current,
        empty,
        unreadable,
    };
    PerColumn([counts(client_secrets), counts(registrations)])
}

pub(super) fn keyring(old: &[&str], new: Option<&str>) -> Result<Arc<Keyring>> {
    let old = old
        .iter()
        .map(|text| key(text))
        .collect::<Result<Vec<_>>>()?;
    let new = new.map(key).transpose()?;
    Ok(Arc::new(match &new {
        Some(new) if !old.is_empty() => Keyring::for_rotation(&old, new)?,
        new => Keyring::for_survey(&old, new.as_ref())?,
    }))
}

fn untouched(error: Error) -> Failed {
    Failed {
        error,
        table: TableState::Untouched,
        clients: None,
        columns: None,
    }
}
