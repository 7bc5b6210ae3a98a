//! Cloud Run: what a service is given back after a rotation, and what is said where it
//! can't be.
use std::time::Duration;

use anyhow::{Context as _, Result};
use integration_tests::google::{Effect, Fate, Fault};
use integration_tests::issuer::TestIssuer;
use platform::google_cloud::Settings;
use platform::{Bound, Kept};
use secret::VersionNumber;
use serde_json::{Value, json};

use super::client_secrets::{self, SSO};
use super::installation::AGENT;
use super::lab::{INSTALLED, Lab, gcloud};

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
    let command = kept.advice.split('`').nth(1).unwrap_or_default();
    for command in command.split(" && ") {
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
    assert_eq!(kept.pinned_to.as_ref(), Some(&serving));
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
async fn a_template_that_takes_too_long_is_told_of() -> Result<()> {
    let limits = |settings: &mut Settings| {
        settings.timeouts.ready = Duration::from_secs(2);
        // `gcloud` itself would wait for half an hour.
        settings.timeouts.call = Duration::from_secs(10);
    };
    let Some(lab) = rotated(limits).await? else {
        return Ok(());
    };
    lab.google.world().run.fate = Fate::Never;
    let serving = lab.describe().await?.serving;
    let services = &lab.platform.services;
    let kept = services.discard_others(INSTALLED).await?.context("kept")?;
    assert_eq!(kept.pinned_to, Some(serving));
    assert_eq!(kept.why, "its next revision was not ready in 2 s");
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
        "what somebody deployed meanwhile differs in `LOG_LEVEL`"
    );
    assert!(!is_given_back(&lab));
    give_back(&lab, &kept).await?;
    assert!(is_given_back(&lab), "{:#}", lab.spec());
    let variables = &lab.spec()["template"]["spec"]["containers"][0]["env"];
    assert_eq!(variables[0], json!({"name": "LOG_LEVEL", "value": "DEBUG"}));
    Ok(())
}

/// The same, where nothing but its image tells.
#[tokio::test]
async fn another_image_is_left_to_whoever_deployed_it() -> Result<()> {
    let Some(lab) = rotated(|_| {}).await? else {
        return Ok(());
    };
    let image = "--image=gcr.io/p1/marketplace-handler:v2";
    let deployment = ["run", "services", "update", INSTALLED, image];
    let (is_done, printed) = lab.gcloud(&deployment).await?;
    assert!(is_done, "{printed}");
    let services = &lab.platform.services;
    let kept = services.discard_others(INSTALLED).await?.context("kept")?;
    assert_eq!(
        kept.why,
        "what somebody deployed meanwhile differs in an image"
    );
    Ok(())
}

/// A revision that puts the template back failed after a rollback, whose other revision is
/// ready: what a person types serves with what served.
#[tokio::test]
async fn what_is_typed_never_serves_with_another_version() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    let old = lab.prepare(lab.first()).await?;
    lab.cut_over(&old).await?;
    lab.discard_others().await?;
    let new = lab.prepare(lab.add("two")?).await?;
    // As a process leaves it that ends before the revision is ready.
    let back = [
        "run",
        "services",
        "update",
        INSTALLED,
        "--no-traffic",
        "--update-secrets=DCR_ENCRYPTION_KEY=dcr-encryption-key:1",
        "--min-instances=default",
    ];
    lab.google.world().run.fate = Fate::Failed("no instance could be had".to_owned());
    let (is_done, printed) = lab.gcloud(&back).await?;
    assert!(!is_done, "{printed}");
    lab.google.world().run.fate = Fate::Ready;
    let services = &lab.platform.services;
    let kept = services.discard(INSTALLED, &new).await?.context("kept")?;
    give_back(&lab, &kept).await?;
    let service = lab.describe().await?;
    assert_eq!((service.bound, service.ready), (lab.first(), true));
    assert!(is_given_back(&lab), "{:#}", lab.spec());
    Ok(())
}

/// Another run's candidate comes to be the latest revision in the moment in which traffic is
/// to follow that again.
#[tokio::test]
async fn another_run_s_candidate_gets_no_traffic_by_what_is_given_back() -> Result<()> {
    let Some(undisturbed) = rotated(|_| {}).await? else {
        return Ok(());
    };
    let looks = |lab: &Lab| lab.google.count("GET", INSTALLED);
    let services = &undisturbed.platform.services;
    let before = looks(&undisturbed);
    assert_eq!(services.discard_others(INSTALLED).await?, None);
    assert!(is_given_back(&undisturbed));
    // It is by this look that the traffic is let go: `gcloud` looks before the change, and two
    // looks come after it.
    let decisive = looks(&undisturbed) - before - 4;

    let lab = rotated(|_| {}).await?.context("a lab")?;
    lab.google.fault(Fault {
        method: "GET",
        piece: INSTALLED.into(),
        after: u32::try_from(decisive)?,
        effect: Effect::Late(Duration::from_secs(5)),
        times: 1,
    });
    let candidate = [
        "run",
        "services",
        "update",
        INSTALLED,
        "--no-traffic",
        "--tag=rotl-1a2b3c4d",
        "--update-secrets=DCR_ENCRYPTION_KEY=dcr-encryption-key:1",
        "--async",
    ];
    let serving = lab.describe().await?.serving;
    let services = &lab.platform.services;
    let meanwhile = async {
        while lab.google.world().strikes == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        lab.gcloud(&candidate).await
    };
    let (given_back, deployed) = tokio::join!(services.discard_others(INSTALLED), meanwhile);
    let (is_deployed, printed) = deployed?;
    assert!(is_deployed, "{printed}");
    assert_eq!(given_back?, None);
    let service = lab.describe().await?;
    assert_eq!(service.serving, serving);
    let new = VersionNumber::new(2).map(Bound::Pinned);
    assert_eq!(Some(service.bound), new);
    // Theirs is still there to be cut over to.
    assert_eq!(service.revisions.len(), 2);
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
        let told = format!("the traffic of `{service}` stays at `");
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

/// A deployment that got no traffic, or a revision that a rollback has left, reads a version that
/// nobody means to serve.
#[tokio::test(flavor = "multi_thread")]
async fn doctor_s_command_serves_with_what_serves() -> Result<()> {
    let issuer = TestIssuer::start().await;
    let Some(installation) = client_secrets::installation(&issuer).await? else {
        return Ok(());
    };
    let (secret, variable) = (SSO.secret, SSO.variable);
    installation
        .google
        .world()
        .secrets
        .add(secret, b"hunter2-wrong");
    let bind = format!("--update-secrets={variable}={secret}:2");
    let words = ["run", "services", "update", AGENT, "--no-traffic", &bind];
    let (is_done, printed) = gcloud(&installation.config, &words).await?;
    assert!(is_done, "{printed}");
    let found = installation.run(&["doctor"])?;
    let place = "--project=p1 --region=us-central1";
    let command = format!(
        "gcloud run services update {AGENT} {place} --update-secrets={variable}={secret}:latest && \
         gcloud run services update-traffic {AGENT} {place} --to-latest"
    );
    assert!(found.stdout.contains(&command), "{found:?}");
    Ok(())
}
