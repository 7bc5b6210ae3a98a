//! Cloud Run: what a rotation leaves behind, and what is in its way.
use std::time::Duration;

use anyhow::{Context as _, Result};
use integration_tests::google::{Effect, Fate, Fault};
use platform::google_cloud::CloudError;
use platform::{Bound, Error};
use serde_json::json;

use super::lab::{INSTALLED, Lab, OTHER, SECRET, binding};

const MIN_INSTANCES: &str = "autoscaling.knative.dev/minScale";

#[tokio::test]
async fn a_whole_rotation_leaves_the_traffic_as_it_was() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    let old = lab.prepare(lab.first()).await?;
    lab.cut_over(&old).await?;
    let two = lab.add("two")?;
    let new = lab.prepare(two).await?;
    assert_eq!(lab.describe().await?.serving, old);
    lab.cut_over(&new).await?;
    assert_eq!(lab.describe().await?.revisions.len(), 3);
    lab.discard_others().await?;
    let service = lab.describe().await?;
    assert_eq!((service.bound, service.ready), (two, true));
    assert_eq!(service.revisions.len(), 1);
    let spec = lab.spec();
    assert_eq!(
        spec["template"]["metadata"]["annotations"][MIN_INSTANCES],
        json!(null)
    );
    assert_eq!(
        spec["traffic"],
        json!([{"latestRevision": true, "percent": 100}])
    );
    // Nothing else is bound otherwise than before.
    let variables = &spec["template"]["spec"]["containers"][0]["env"];
    let expected = json!([
        {"name": "LOG_LEVEL", "value": "INFO"},
        {"name": "DCR_ENCRYPTION_KEY", "valueFrom": {"secretKeyRef": {"name": SECRET, "key": "2"}}},
        {"name": "GMA_CLIENT_SECRET", "valueFrom": {"secretKeyRef": {"name": OTHER, "key": "latest"}}},
    ]);
    assert_eq!(*variables, expected);
    Ok(())
}

#[tokio::test]
async fn an_undone_pin_leaves_the_service_as_it_was() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    let before = lab.spec();
    let pinned = lab.prepare(lab.first()).await?;
    lab.cut_over(&pinned).await?;
    let template = &lab.spec()["template"];
    assert_eq!(template["metadata"]["annotations"][MIN_INSTANCES], "1");
    let latest = lab.prepare(Bound::Latest).await?;
    lab.cut_over(&latest).await?;
    lab.discard_others().await?;
    let after = lab.spec();
    assert_eq!(
        after["traffic"],
        json!([{"latestRevision": true, "percent": 100}])
    );
    let container =
        |spec: &serde_json::Value| spec["template"]["spec"]["containers"][0]["env"].clone();
    assert_eq!(container(&after), container(&before));
    let annotations = &after["template"]["metadata"]["annotations"];
    assert_eq!(annotations[MIN_INSTANCES], json!(null));
    Ok(())
}

#[tokio::test]
async fn an_undone_preparation_leaves_a_pinned_service_as_it_was() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    let (done, printed) = lab
        .gcloud(&[
            "run",
            "services",
            "update",
            INSTALLED,
            "--update-secrets=DCR_ENCRYPTION_KEY=dcr-encryption-key:1",
        ])
        .await?;
    assert!(done, "{printed}");
    let before = lab.spec();
    let revision = lab.prepare(lab.add("two")?).await?;
    lab.platform.services.discard(INSTALLED, &revision).await?;
    let service = lab.describe().await?;
    assert_eq!((service.bound, service.ready), (lab.first(), true));
    let after = lab.spec();
    assert_eq!(after["traffic"], before["traffic"]);
    assert_eq!(after["template"]["spec"], before["template"]["spec"]);
    assert_eq!(
        after["template"]["metadata"]["annotations"][MIN_INSTANCES],
        json!(null)
    );
    Ok(())
}

/// Somebody deploys, and the new revision takes its time.
#[tokio::test]
async fn somebody_elses_change_is_waited_for() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    lab.google.world().run.pace = Duration::from_secs(2);
    let update = ["run", "services", "update", INSTALLED, "--async"];
    let (done, printed) = lab
        .gcloud(&[&update[..], &["--update-env-vars=LOG_LEVEL=DEBUG"]].concat())
        .await?;
    assert!(done, "{printed}");
    assert!(!lab.describe().await?.ready);
    let services = &lab.platform.services;
    let at_rest = services.describe_at_rest(INSTALLED, &binding()).await?;
    assert!(at_rest.ready, "{at_rest:?}");
    Ok(())
}

#[tokio::test]
async fn somebody_elses_change_in_between_is_looked_at_and_overcome() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    lab.google
        .fault(Fault::once("PUT", INSTALLED, Effect::ChangedMeanwhile));
    let revision = lab.prepare(lab.add("two")?).await?;
    assert_eq!(
        (lab.google.count("PUT", INSTALLED), lab.revisions()),
        (2, 2)
    );
    lab.google
        .fault(Fault::once("PUT", INSTALLED, Effect::ChangedMeanwhile));
    lab.cut_over(&revision).await?;
    assert_eq!(lab.google.count("PUT", INSTALLED), 4);
    Ok(())
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_made_once() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    lab.google
        .fault(Fault::once("PUT", INSTALLED, Effect::AnswerLost));
    let revision = lab.prepare(lab.add("two")?).await?;
    assert_eq!(lab.revisions(), 2);
    lab.google
        .fault(Fault::once("PUT", INSTALLED, Effect::AnswerLost));
    lab.cut_over(&revision).await?;
    assert_eq!(lab.describe().await?.serving, revision);
    Ok(())
}

#[tokio::test]
async fn a_revision_that_fails_disturbs_nobody_and_is_made_anew() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    let before = lab.describe().await?;
    let said = "The user-provided container failed to start.";
    lab.google.world().run.fate = Fate::Failed(said.to_owned());
    let two = lab.add("two")?;
    let failed = lab.prepare(two).await;
    assert!(
        matches!(&failed, Err(Error::Cloud(CloudError::RevisionFailed { message, .. })) if message == said),
        "{failed:?}"
    );
    let meanwhile = lab.describe().await?;
    assert_eq!((meanwhile.serving, meanwhile.ready), (before.serving, true));
    lab.google.world().run.fate = Fate::Ready;
    let revision = lab.prepare(two).await?;
    lab.cut_over(&revision).await?;
    assert_eq!((lab.describe().await?.bound, lab.revisions()), (two, 3));
    Ok(())
}

#[tokio::test]
async fn a_revision_that_is_never_ready_is_given_up() -> Result<()> {
    let limits = |settings: &mut platform::google_cloud::Settings| {
        settings.timeouts.ready = Duration::from_secs(3);
        // `gcloud` itself would wait for half an hour.
        settings.timeouts.call = Duration::from_secs(15);
    };
    let Some(lab) = Lab::with(limits).await? else {
        return Ok(());
    };
    lab.google.world().run.fate = Fate::Never;
    let late = lab.prepare(lab.add("two")?).await;
    assert!(
        matches!(late, Err(Error::Cloud(CloudError::RevisionLate { .. }))),
        "{late:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_deployment_that_got_no_traffic_is_not_taken_along() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    lab.google.world().secrets.add(OTHER, b"hunter2-gma-2");
    let other = [
        "--no-traffic",
        "--update-secrets=GMA_CLIENT_SECRET=gma-client-secret:2",
    ];
    let (done, printed) = lab
        .gcloud(&[&["run", "services", "update", INSTALLED], &other[..]].concat())
        .await?;
    assert!(done, "{printed}");
    // Another secret's candidate stays away: the new revision has what serves.
    let two = lab.add("two")?;
    lab.prepare(two).await?;
    let variables = lab.spec()["template"]["spec"]["containers"][0]["env"].clone();
    assert_eq!(variables[1]["valueFrom"]["secretKeyRef"]["key"], "2");
    assert_eq!(variables[2]["valueFrom"]["secretKeyRef"]["key"], "latest");
    // What isn't a secret's version is for people to decide.
    let other = ["--no-traffic", "--update-env-vars=LOG_LEVEL=DEBUG"];
    let (done, printed) = lab
        .gcloud(&[&["run", "services", "update", INSTALLED], &other[..]].concat())
        .await?;
    assert!(done, "{printed}");
    let refused = lab.prepare(lab.add("three")?).await.expect_err("a refusal");
    let serving = lab.describe().await?.serving;
    assert_eq!(
        refused.to_string(),
        format!("the next revision of `{INSTALLED}` would differ from `{serving}` in `LOG_LEVEL`")
    );
    Ok(())
}

#[tokio::test]
async fn another_image_is_not_taken_back_and_not_taken_along() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    let two = lab.add("two")?;
    let before = lab.prepare(two).await?;
    // Somebody deploys, by a tag as people do, while the revision waits for its traffic.
    let image = "--image=gcr.io/p1/marketplace-handler:v2";
    for words in [
        &["run", "services", "update", INSTALLED, image][..],
        &[
            "run",
            "services",
            "update-traffic",
            INSTALLED,
            "--to-latest",
        ],
    ] {
        let (done, printed) = lab.gcloud(words).await?;
        assert!(done, "{printed}");
    }
    let after = lab.prepare(two).await?;
    assert_ne!(after, before);
    lab.cut_over(&after).await?;
    let image_of = |revision: &str| {
        let world = lab.google.world();
        let mut revisions = world.run.services[INSTALLED].revisions.iter();
        let found = revisions.find(|one| one.name == revision);
        found.map(|one| one.template["spec"]["containers"][0]["image"].clone())
    };
    let image = image_of(&after).context("an image")?;
    assert_eq!(image, "gcr.io/p1/marketplace-handler:v2");

    // One that got no traffic is for people to decide.
    let image = "--image=gcr.io/p1/marketplace-handler:v3";
    let words = [
        "run",
        "services",
        "update",
        INSTALLED,
        "--no-traffic",
        image,
    ];
    let (done, printed) = lab.gcloud(&words).await?;
    assert!(done, "{printed}");
    let refused = lab.prepare(lab.add("three")?).await.expect_err("a refusal");
    assert!(refused.to_string().contains("in an image"), "{refused}");
    Ok(())
}

#[tokio::test]
async fn a_value_of_its_own_is_read_and_replaced_by_a_secret() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    {
        let mut world = lab.google.world();
        let service = world.run.services.get_mut(INSTALLED).expect("the service");
        let inline = json!({"name": "DCR_ENCRYPTION_KEY", "value": "hunter2-inline"});
        service.spec["template"]["spec"]["containers"][0]["env"][1] = inline;
        service.revisions[0].template = service.spec["template"].clone();
    }
    assert_eq!(lab.describe().await?.bound, Bound::Inline);
    let services = &lab.platform.services;
    let inline = services
        .inline_value(INSTALLED, "DCR_ENCRYPTION_KEY")
        .await?;
    assert!(inline == super::lab::value("hunter2-inline"));
    let none = services.inline_value(INSTALLED, "GMA_CLIENT_SECRET").await;
    assert!(matches!(
        none,
        Err(Error::Cloud(CloudError::Variable { .. }))
    ));
    Ok(())
}

#[tokio::test]
async fn what_others_did_to_the_traffic_is_told() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    let old = lab.prepare(lab.first()).await?;
    lab.cut_over(&old).await?;
    // A deployment of the installation's YAML binds to `latest` again.
    let unpin = "--update-secrets=DCR_ENCRYPTION_KEY=dcr-encryption-key:latest";
    let words = ["run", "services", "update", INSTALLED, unpin];
    let (done, printed) = lab.gcloud(&words).await?;
    assert!(done, "{printed}");
    let words = [
        "run",
        "services",
        "update-traffic",
        INSTALLED,
        "--to-latest",
    ];
    let (done, printed) = lab.gcloud(&words).await?;
    assert!(done, "{printed}");
    let service = lab.describe().await?;
    assert_eq!((service.bound, service.ready), (Bound::Latest, true));
    // Half the traffic elsewhere, and a tag of somebody's own on what is pinned.
    let half = format!("--to-revisions={old}=50");
    let tag = format!("--update-tags=theirs={old}");
    let words = ["run", "services", "update-traffic", INSTALLED, &half, &tag];
    let (done, printed) = lab.gcloud(&words).await?;
    assert!(done, "{printed}");
    let service = lab.describe().await?;
    assert!(!service.ready);
    let mut pinned = service
        .revisions
        .iter()
        .filter(|one| one.bound == lab.first());
    assert_eq!(pinned.next().map(|one| &one.name), Some(&old));
    let refused = lab.platform.services.discard(INSTALLED, &old).await;
    assert!(
        matches!(refused, Err(Error::RevisionServes { .. })),
        "{refused:?}"
    );
    Ok(())
}
