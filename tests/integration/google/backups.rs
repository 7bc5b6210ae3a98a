//! Cloud SQL: which backup counts.
use anyhow::Result;
use integration_tests::google::{Effect, Fault};
use jiff::{Timestamp, ToSpan as _};
use platform::Error;
use platform::google_cloud::CloudError;

use super::lab::Lab;

#[tokio::test]
async fn only_a_successful_backup_counts_and_a_lost_answer_makes_no_second() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    let backups = lab.platform.backups.as_deref().expect("backups");
    assert_eq!(backups.newest().await?, None);
    let now = Timestamp::now();
    let good = {
        let sql = &mut lab.google.world().sql;
        let good = sql.add("SUCCESSFUL", now - 48.hours());
        sql.add("FAILED", now - 24.hours());
        sql.add("SKIPPED", now - 1.hours());
        good
    };
    let newest = backups.newest().await?.expect("a backup");
    assert_eq!((newest.name, newest.taken_at), (good, now - 48.hours()));
    // `gcloud` itself sends it again: the second is the one that it tells of.
    lab.google
        .fault(Fault::for_ever("POST", "/backupRuns", Effect::AnswerLost));
    let before = lab.google.world().sql.backups.len();
    let taken = backups.take().await?;
    assert!(lab.google.world().sql.backups.len() > before);
    assert!(taken.taken_at > now);
    Ok(())
}

#[tokio::test]
async fn a_failed_backup_is_an_error() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    lab.google.world().sql.outcome = "FAILED";
    let backups = lab.platform.backups.as_deref().expect("backups");
    let failed = backups.take().await;
    assert!(
        matches!(failed, Err(Error::Cloud(CloudError::Backup { .. }))),
        "{failed:?}"
    );
    assert_eq!(backups.newest().await?, None);
    Ok(())
}
