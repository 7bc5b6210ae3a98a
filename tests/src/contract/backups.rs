//! The contract of [`Backups`].
use anyhow::Result;
use jiff::{Timestamp, ToSpan as _};
use platform::Backups;

/// The backups of a database.
pub struct Subject<'a> {
    /// They.
    pub backups: &'a dyn Backups,
}

pub async fn the_newest_is_the_one_taken_last(subject: &Subject<'_>) -> Result<()> {
    let backups = subject.backups;
    for _ in 0..3 {
        let taken = backups.take().await?;
        assert_eq!(backups.newest().await?, Some(taken));
    }
    Ok(())
}

pub async fn each_has_a_name_and_a_time_of_its_own(subject: &Subject<'_>) -> Result<()> {
    let backups = subject.backups;
    let (one, other) = (backups.take().await?, backups.take().await?);
    assert!(one.taken_at < other.taken_at);
    assert_ne!(one.name, other.name);
    Ok(())
}

pub async fn its_time_is_that_of_its_state(subject: &Subject<'_>) -> Result<()> {
    let backups = subject.backups;
    let before = Timestamp::now() - 1.second();
    let taken = backups.take().await?;
    assert!(before <= taken.taken_at && taken.taken_at <= Timestamp::now() + 1.second());
    Ok(())
}
