//! Cloud Run: what a service is given back after a rotation, and what is said where it
//! can't be.
use std::time::Duration;

use anyhow::{Context as _, Result};
use integration_tests::google::Fate;
use integration_tests::issuer::TestIssuer;
use platform::google_cloud::{CloudError, Settings};
use platform::{Error, Kept};
use serde_json::{Value, json};

use super::client_secrets::{self, SSO};
use super::lab::{INSTALLED, Lab};

const SOAK: Duration = Duration::from_secs(2);

/// A service at the end of a rotation, before its old revision goes.
async fn rotated(change: impl FnOnce(&mut Settings)) -> Result<Option<Lab>> {
    let Some(lab) = Lab::with(change).await? else {
        return Ok(None);
    };
    let new = lab.prepare(lab.add("two")?).await?;
    lab.cut_over(&new).await?;
    Ok(Some(lab))
}

/// Whether traffic follows the latest revision, and no instances are kept up.
fn is_given_back(lab: &Lab) -> bool {
    let spec = lab.spec();
    let annotations = &spec["template"]["metadata"]["annotations"];
    spec["traffic"] == json!([{"latestRevision": true, "percent": 100}])
        && annotations["autoscaling.knative.dev/minScale"] == Value::Null
}

/// Types the commands, as people do.
async fn give_back(lab: &Lab, kept: &Kept) -> Result<()> {
    for command in &kept.commands {
        let words: Vec<&str> = command.split(' ').skip(1).collect();
        let (is_done, printed) = lab.gcloud(&words).await?;
        assert!(is_done, "{command}: {printed}");
    }
    Ok(())
}

#[tokio::test]
async fn a_template_that_can_not_be_put_back_is_told_of() -> Result<()> {
    let Some(lab) = rotated(|_| {}).await? else {
        return Ok(());
    };
    let serving = lab.describe().await?.serving;
    lab.google.world().run.fate = Fate::Failed("no instance could be had".to_owned());
    let services = &lab.platform.services;
    let kept = services.discard_others(INSTALLED).await?.context("kept")?;
    assert_eq!(kept.revision, serving);
    assert!(kept.why.contains("no instance could be had"), "{kept}");
    let service = lab.describe().await?;
    assert_eq!(
        (service.serving, service.revisions.len(), service.ready),
        (serving, 1, true)
    );
    lab.google.world().run.fate = Fate::Ready;
    give_back(&lab, &kept).await?;
    assert!(is_given_back(&lab), "{:#}", lab.spec());
    Ok(())
}

#[tokio::test]
async fn a_template_that_takes_too_long_is_put_back_by_a_repetition() -> Result<()> {
    let limits = |settings: &mut Settings| {
        settings.timeouts.ready = Duration::from_secs(2);
        // `gcloud` itself would wait for half an hour.
        settings.timeouts.call = Duration::from_secs(10);
    };
    let Some(lab) = rotated(limits).await? else {
        return Ok(());
    };
    lab.google.world().run.pace = Duration::from_secs(5);
    let services = &lab.platform.services;
    let mut tries = 0;
    loop {
        match services.discard_others(INSTALLED).await {
            Err(Error::Cloud(CloudError::RevisionLate { .. })) if tries < 20 => tries += 1,
            kept => break assert_eq!(kept?, None),
        }
    }
    assert!(tries > 0 && is_given_back(&lab), "{:#}", lab.spec());
    Ok(())
}

/// Their deployment gets no traffic as long as the service is pinned. That is theirs to mend.
#[tokio::test]
async fn a_deployment_of_somebody_else_s_is_left_to_them_and_told_of() -> Result<()> {
    let Some(lab) = rotated(|_| {}).await? else {
        return Ok(());
    };
    let deployment = [
        "run",
        "services",
        "update",
        INSTALLED,
        "--update-env-vars=LOG_LEVEL=DEBUG",
    ];
    let (is_done, printed) = lab.gcloud(&deployment).await?;
    assert!(is_done, "{printed}");
    let services = &lab.platform.services;
    let kept = services.discard_others(INSTALLED).await?.context("kept")?;
    assert_eq!(
        kept.why,
        "somebody deployed it meanwhile, with another `LOG_LEVEL`"
    );
    assert!(!is_given_back(&lab));
    give_back(&lab, &kept).await?;
    assert!(is_given_back(&lab), "{:#}", lab.spec());
    let variables = &lab.spec()["template"]["spec"]["containers"][0]["env"];
    assert_eq!(variables[0], json!({"name": "LOG_LEVEL", "value": "DEBUG"}));
    Ok(())
}

/// Whoever carries the rotation out reads it, and so does whoever reads its report.
#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_and_its_report_say_what_a_service_keeps() -> Result<()> {
    let issuer = TestIssuer::start().await;
    let Some(installation) = client_secrets::installation(&issuer).await? else {
        return Ok(());
    };
    let installation = installation.soaking(SOAK)?;
    let rotate = ["rotate-secret", SSO.secret, "--value-file", "new"];
    let soaking = installation.run(&rotate)?;
    assert_eq!(soaking.code, Some(3), "{soaking:?}");
    tokio::time::sleep(SOAK).await;
    installation.google.world().run.fate = Fate::Failed("no instance could be had".to_owned());
    let done = installation.run(&["resume"])?;
    assert_eq!(done.code, Some(0), "{done:?}");
    for service in SSO.services {
        let told = format!("`{service}` works, but its traffic stays at `");
        let line = done.stderr.lines().find(|line| line.contains(&told));
        let line = line.with_context(|| format!("{done:?}"))?;
        assert!(line.contains("no instance could be had"), "{line}");
        assert!(line.contains("--to-latest"), "{line}");
    }
    let run = installation.run_name()?;
    let report = installation.program(&["report", &run]).run();
    for role in ["agent", "handler"] {
        let told = format!("{role} stays pinned to");
        assert!(report.stdout.contains(&told), "{report:?}");
    }
    Ok(())
}
