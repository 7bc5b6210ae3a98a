//! The stand-in itself: it refuses what Google refuses, also what the hand procedure does.
use anyhow::Result;

use super::lab::{INSTALLED, Lab, SECRET};

#[tokio::test]
async fn disabling_the_newest_version_does_not_bring_back_the_one_before() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    lab.add("two")?;
    let secret = format!("--secret={SECRET}");
    let (done, _) = lab
        .gcloud(&["secrets", "versions", "disable", "2", &secret])
        .await?;
    assert!(done);
    let (done, printed) = lab
        .gcloud(&["secrets", "versions", "access", "latest", &secret])
        .await?;
    assert!(
        !done && printed.contains("is in DISABLED state"),
        "{printed}"
    );
    // Nor does a new revision of a service start with it, whichever secret it is for.
    let update = "--update-secrets=GMA_CLIENT_SECRET=gma-client-secret:1";
    let (done, printed) = lab
        .gcloud(&["run", "services", "update", INSTALLED, update])
        .await?;
    assert!(
        !done && printed.contains("is in DISABLED state"),
        "{printed}"
    );
    assert_eq!(lab.revisions(), 1);
    Ok(())
}

#[tokio::test]
async fn a_restart_without_a_change_fails() -> Result<()> {
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
    Ok(())
}

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

#[tokio::test]
async fn traffic_to_an_unknown_revision_is_refused() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    let to = "--to-revisions=no-such-revision=100";
    let (done, printed) = lab
        .gcloud(&["run", "services", "update-traffic", INSTALLED, to])
        .await?;
    assert!(
        !done && printed.contains("no-such-revision not found"),
        "{printed}"
    );
    Ok(())
}

#[tokio::test]
async fn the_hand_procedures_restore_command_has_a_wrong_flag() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    let words = [
        "sql",
        "backups",
        "restore",
        "1",
        "--backup-instance=db1",
        "--instance=db1",
    ];
    let (done, printed) = lab.gcloud(&words).await?;
    assert!(
        !done && printed.contains("unrecognized arguments"),
        "{printed}"
    );
    Ok(())
}
