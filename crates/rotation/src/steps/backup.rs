//! A backup before anything changes.

use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use platform::{Backup, Change};
use runbook::{About, Applied, Fact, Facts, Forecast, Kind, Log, Name, Observed, Step, Undo};

use crate::context::Context;
use crate::error::Error;
use crate::facts;

/// Finds a young backup of the database, or makes one.
pub(crate) struct BackUp;

const ABOUT: About = About {
    name: "back-up",
    title: "Back up the database",
    kind: Kind::Change,
    told: None,
    does: "Takes the newest complete backup if it is younger than a day, else makes one and waits \
           until it is complete. A failed backup doesn't count, however new.",
    touches: "the database's backups",
    verified: "the backup is listed as complete",
    undo: Undo::Nothing("the backup is kept"),
    outage: None,
};

#[async_trait(?Send)]
impl Step<Context, Error> for BackUp {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    async fn observe(&self, context: &mut Context, facts: &Facts) -> Result<Observed, Error> {
        let Ok(taken_at) = facts.time(facts::BACKUP_TAKEN_AT) else {
            return Ok(Observed::Absent);
        };
        // It was for the re-encryption: after that, people may tidy it up.
        if facts.count(facts::VERIFIED).is_ok() {
            return Ok(Observed::Present);
        }
        let newest = newest(context).await?;
        Ok(Observed::when(
            newest.is_some_and(|newest| newest.taken_at >= taken_at),
        ))
    }

    async fn apply(&self, context: &mut Context, log: &mut Log<'_>) -> Result<Applied, Error> {
        let backup = match young_enough(context).await? {
            Some(backup) => {
                log.say("the newest backup is young enough");
                backup
            }
            None => take(context).await?,
        };
        log.record(facts::BACKUP, Fact::Name(Name::new(backup.name)?))?;
        log.record(facts::BACKUP_TAKEN_AT, Fact::Time(backup.taken_at))?;
        Ok(Applied::Done)
    }

    async fn foresee(&self, context: &mut Context, forecast: &mut Forecast) -> Result<(), Error> {
        if let Some(backup) = young_enough(context).await? {
            let name = backup.name;
            forecast.deed(format!("the backup `{name}` is young enough: none is made"));
            return Ok(());
        }
        context.rehearse(Change::BackUp, forecast).await
    }

    async fn verify(&self, context: &mut Context, facts: &Facts) -> Result<(), Error> {
        match self.observe(context, facts).await? {
            Observed::Present => Ok(()),
            Observed::Absent => Err(Error::NoBackup),
        }
    }
}

/// The newest backup, if it is younger than one that is to be made.
async fn young_enough(context: &Context) -> Result<Option<Backup>, Error> {
    let now = Timestamp::now();
    let newest = newest(context).await?;
    Ok(newest.filter(|backup| is_young_enough(backup.taken_at, now, context.backup_max_age)))
}

/// What a clock that goes wrong dates in the future may be of any age.
fn is_young_enough(taken_at: Timestamp, now: Timestamp, max_age: Duration) -> bool {
    before(now, max_age) < taken_at && taken_at <= now
}

/// The settings may have any age, and time has a beginning.
fn before(now: Timestamp, age: Duration) -> Timestamp {
    let age = SignedDuration::try_from(age).unwrap_or(SignedDuration::MAX);
    now.checked_sub(age).unwrap_or(Timestamp::MIN)
}

async fn newest(context: &Context) -> Result<Option<Backup>, Error> {
    match &context.platform.backups {
        Some(backups) => Ok(backups.newest().await?),
        None => Ok(None),
    }
}

async fn take(context: &Context) -> Result<Backup, Error> {
    match &context.platform.backups {
        Some(backups) => Ok(backups.take().await?),
        None => Err(Error::NoBackup),
    }
}

/// The same for a database that the platform can't back up.
pub(crate) struct BackUpByHand;

/// What journals call the step.
pub(crate) const BACK_UP_BY_HAND: &str = "back-up-by-hand";

const ABOUT_BY_HAND: About = About {
    name: BACK_UP_BY_HAND,
    title: "Back up the database by hand",
    kind: Kind::People,
    told: None,
    does: "Make a backup of the database in your own way, `pg_dump --format=custom` for example, and \
           see that it is complete. The run goes on when you say so.",
    touches: "nothing that the tool knows of",
    verified: "by whoever made it",
    undo: Undo::Nothing("the backup is kept"),
    outage: None,
};

#[async_trait(?Send)]
impl Step<Context, Error> for BackUpByHand {
    fn about(&self) -> &'static About {
        &ABOUT_BY_HAND
    }

    async fn observe(&self, _: &mut Context, _: &Facts) -> Result<Observed, Error> {
        Ok(Observed::Absent)
    }

    async fn apply(&self, _: &mut Context, _: &mut Log<'_>) -> Result<Applied, Error> {
        Ok(Applied::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_counts_from_when_it_is_taken_until_it_is_of_age() {
        let now = Timestamp::from_second(1_715_000_000).unwrap();
        for (age, is_young) in [(-1, false), (0, true), (3599, true), (3600, false)] {
            let taken_at = now - SignedDuration::from_secs(age);
            let hour = Duration::from_secs(3600);
            assert_eq!(is_young_enough(taken_at, now, hour), is_young, "{age}");
        }
    }

    #[test]
    fn a_backup_may_be_of_any_age() {
        let now = Timestamp::from_second(1_715_000_000).unwrap();
        let hour = Timestamp::from_second(1_714_996_400).unwrap();
        assert_eq!(before(now, Duration::from_secs(3600)), hour);
        for age in [Duration::MAX, Duration::from_secs(u64::MAX / 2)] {
            assert_eq!(before(now, age), Timestamp::MIN);
        }
    }
}
