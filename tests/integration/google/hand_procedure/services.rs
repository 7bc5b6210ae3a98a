//! What the hand procedure did to the services.
use anyhow::Result;
use platform::Error;
use platform::google_cloud::CloudError;

use crate::google::lab::{INSTALLED, Lab, SECRET};

/// Every restart of the hand procedure was this command.
#[tokio::test]
async fn a_restart_without_a_change_flag_fails() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    let (done, printed) = lab
        .gcloud(&["run", "services", "update", INSTALLED])
        .await?;
    assert!(
        !done && printed.contains("No configuration change requested"),
        "{printed}"
    );
    assert_eq!(lab.google.count("PUT", ""), 0);
    // Ours: a revision that says which version it reads.
    lab.prepare(lab.first()).await?;
    assert_eq!(lab.revisions(), 2);
    Ok(())
}

/// What the hand procedure stopped the service with, before it changed the table. It
/// also takes the traffic from every later deployment.
///
/// Ours stops nothing: writers wait for a lock (`behaviour::locks`), and traffic follows
/// the latest revision again afterwards
/// (`google::services::a_whole_rotation_leaves_the_traffic_as_it_was`).
#[tokio::test]
async fn no_traffic_does_not_stop_a_service() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    let (done, printed) = lab
        .gcloud(&["run", "services", "update", INSTALLED, "--no-traffic"])
        .await?;
    assert!(done, "{printed}");
    let traffic = &lab.spec()["traffic"][0];
    assert_eq!(
        (&traffic["percent"], traffic["revisionName"].is_string()),
        (&100.into(), true)
    );
    Ok(())
}

/// After its restart the hand procedure waited ten seconds, and read one condition.
#[tokio::test]
async fn sleep_10_and_the_first_condition_do_not_prove_readiness() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    let to = lab.add("a value with which nothing starts")?;
    lab.google.world().run.failing_with = Some((SECRET, "2"));
    let restart = ["run", "services", "update", INSTALLED];
    assert!(!lab.gcloud(&restart).await?.0, "it was restarted");
    let first = "--format=value(status.conditions[0].status)";
    let (done, printed) = lab
        .gcloud(&["run", "services", "describe", INSTALLED, first])
        .await?;
    assert!(done && printed.trim() == "True", "{printed}");
    // Ours: the revision itself has to be ready.
    let error = lab.prepare(to).await.expect_err("a revision that failed");
    let is_failed = matches!(error, Error::Cloud(CloudError::RevisionFailed { .. }));
    assert!(is_failed, "{error}");
    Ok(())
}
