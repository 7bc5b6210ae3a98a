//! Servers that are away, a `gcloud` that isn't there, hangs or isn't logged in.
use std::time::{Duration, Instant};

use anyhow::Result;
use integration_tests::google::{Effect, Fault};
use platform::Error;
use platform::google_cloud::CloudError;

use super::lab::{INSTALLED, Lab, SECRET, value};

#[tokio::test]
async fn a_server_that_is_away_for_ever_is_an_error_in_time() -> Result<()> {
    let limit = Duration::from_secs(5);
    let Some(lab) = Lab::with(|settings| settings.timeouts.call = limit).await? else {
        return Ok(());
    };
    lab.google
        .fault(Fault::for_ever("GET", SECRET, Effect::Unavailable));
    let started = Instant::now();
    let away = lab.platform.store.versions(SECRET).await;
    assert!(
        matches!(
            away,
            Err(Error::Cloud(
                CloudError::Timeout { .. } | CloudError::Unavailable { .. }
            ))
        ),
        "{away:?}"
    );
    assert!(
        started.elapsed() < Duration::from_secs(30),
        "{:?}",
        started.elapsed()
    );
    Ok(())
}

#[tokio::test]
async fn an_answer_that_hangs_is_asked_for_again() -> Result<()> {
    let limit = Duration::from_secs(15);
    let Some(lab) = Lab::with(|settings| settings.timeouts.call = limit).await? else {
        return Ok(());
    };
    let late = Effect::Late(Duration::from_secs(300));
    lab.google.fault(Fault::once("GET", SECRET, late));
    assert_eq!(lab.platform.store.versions(SECRET).await?.len(), 1);
    assert_eq!(lab.google.count("GET", SECRET), 2);
    Ok(())
}

#[tokio::test]
async fn a_killed_addition_is_found_again() -> Result<()> {
    let limit = Duration::from_secs(15);
    let Some(lab) = Lab::with(|settings| settings.timeouts.call = limit).await? else {
        return Ok(());
    };
    let late = Effect::Late(Duration::from_secs(300));
    lab.google.fault(Fault::once("POST", ":addVersion", late));
    let number = lab.platform.store.add(SECRET, &value("two")).await?;
    assert_eq!(number.get(), 2);
    assert_eq!(
        lab.google.world().secrets.states(SECRET),
        ["ENABLED", "ENABLED"]
    );
    Ok(())
}

#[tokio::test]
async fn a_missing_gcloud_is_told() -> Result<()> {
    let Some(lab) = Lab::with(|settings| settings.gcloud = "/no/such/gcloud".into()).await? else {
        return Ok(());
    };
    let missing = lab
        .platform
        .store
        .versions(SECRET)
        .await
        .expect_err("no gcloud");
    assert_eq!(missing.to_string(), "`/no/such/gcloud` did not start");
    assert!(missing.hint().is_some_and(|hint| hint.contains("install")));
    Ok(())
}

#[tokio::test]
async fn nobody_logged_in_is_told() -> Result<()> {
    let out = |settings: &mut platform::google_cloud::Settings| {
        let is_token = |(name, _): &(String, String)| name == "CLOUDSDK_AUTH_ACCESS_TOKEN";
        settings.environment.retain(|variable| !is_token(variable));
    };
    let Some(lab) = Lab::with(out).await? else {
        return Ok(());
    };
    let refused = lab
        .platform
        .store
        .versions(SECRET)
        .await
        .expect_err("no account");
    assert!(
        matches!(refused, Error::Cloud(CloudError::LoggedOut { .. })),
        "{refused:?}"
    );
    assert_eq!(refused.hint().as_deref(), Some("`gcloud auth login`"));
    Ok(())
}

#[tokio::test]
async fn a_missing_permission_of_a_service_is_named() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    let permission = "run.services.update";
    lab.google.world().denied.push(permission.to_owned());
    let refused = lab.prepare(lab.add("two")?).await.expect_err("a refusal");
    assert_eq!(
        refused.to_string(),
        format!(
            "cannot make a revision of `{INSTALLED}`: the permission `{permission}` is missing"
        )
    );
    Ok(())
}
