//! Who may call a service: refused and admitted again, by the real `gcloud`.
use anyhow::{Context as _, Result};
use integration_tests::google::{Effect, Fault};
use platform::google_cloud::CloudError;
use platform::{Callers, Error};
use serde_json::json;

use super::lab::{INSTALLED, Lab};

const EVERYBODY: &str = "allUsers";
const PUSHER: &str = "serviceAccount:pubsub-invoker@p1.iam.gserviceaccount.com";
const ROLE: &str = "roles/run.invoker";

fn callers(lab: &Lab) -> Result<&dyn Callers> {
    lab.platform.callers.as_deref().context("a list of callers")
}

fn members(lab: &Lab, role: &str) -> Vec<String> {
    lab.google.world().run.services[INSTALLED]
        .policy
        .members(role)
}

#[tokio::test]
async fn they_are_refused_and_admitted_again_and_nobody_else_notices() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    let other = json!({"role": "roles/run.viewer", "members": ["group:somebody@example.com"]});
    if let Some(service) = lab.google.world().run.services.get_mut(INSTALLED) {
        service.policy.bindings =
            vec![json!({"role": ROLE, "members": [EVERYBODY, PUSHER]}), other];
    }
    let callers = callers(&lab)?;
    assert_eq!(callers.callers(INSTALLED).await?, [EVERYBODY, PUSHER]);
    // Somebody else changes the policy in between; an answer is lost.
    lab.google.fault(Fault::once(
        "POST",
        ":setIamPolicy",
        Effect::ChangedMeanwhile,
    ));
    callers.refuse(INSTALLED, EVERYBODY).await?;
    lab.google
        .fault(Fault::once("POST", ":setIamPolicy", Effect::AnswerLost));
    callers.refuse(INSTALLED, PUSHER).await?;
    callers.refuse(INSTALLED, PUSHER).await?;
    assert_eq!(members(&lab, ROLE), Vec::<String>::new());
    assert_eq!(
        members(&lab, "roles/run.viewer"),
        ["group:somebody@example.com"]
    );

    for caller in [EVERYBODY, PUSHER, PUSHER] {
        callers.admit(INSTALLED, caller).await?;
    }
    assert_eq!(members(&lab, ROLE), [EVERYBODY, PUSHER]);
    Ok(())
}

#[tokio::test]
async fn what_could_not_be_undone_or_contains_nothing_is_refused_first() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    let callers = callers(&lab)?;
    lab.google
        .world()
        .denied
        .push("run.services.setIamPolicy".to_owned());
    let denied = callers.refuse(INSTALLED, EVERYBODY).await;
    let is_denied =
        |denied: &Result<(), Error>| matches!(denied, Err(Error::Cloud(CloudError::Denied { .. })));
    assert!(is_denied(&denied), "{denied:?}");
    assert_eq!(members(&lab, ROLE), [EVERYBODY]);

    let unchecked = "run.googleapis.com/invoker-iam-disabled";
    if let Some(service) = lab.google.world().run.services.get_mut(INSTALLED) {
        service.annotations[unchecked] = json!("true");
    }
    let open = callers.callers(INSTALLED).await;
    let is_refused = |refused: &Result<Vec<String>, Error>| {
        matches!(refused, Err(Error::Cloud(CloudError::Policy { .. })))
    };
    assert!(is_refused(&open), "{open:?}");
    if let Some(service) = lab.google.world().run.services.get_mut(INSTALLED) {
        service.annotations[unchecked] = json!("false");
        let condition = json!({"title": "by day", "expression": "true"});
        service.policy.bindings[0]["condition"] = condition;
    }
    let conditional = callers.callers(INSTALLED).await;
    assert!(is_refused(&conditional), "{conditional:?}");
    Ok(())
}

/// As a person would, on an old copy of the policy.
#[tokio::test]
async fn the_stand_in_refuses_an_old_policy_and_an_unknown_service() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("policy.json");
    std::fs::write(
        &file,
        json!({"bindings": [], "etag": "b2xk", "version": 1}).to_string(),
    )?;
    let file = file.to_string_lossy();
    let set = ["run", "services", "set-iam-policy", INSTALLED, &*file];
    let (done, printed) = lab.gcloud(&set).await?;
    assert!(!done && printed.contains("concurrent"), "{printed}");
    assert_eq!(members(&lab, ROLE), [EVERYBODY]);
    let unknown = ["run", "services", "get-iam-policy", "no-such-service"];
    let (done, printed) = lab.gcloud(&unknown).await?;
    assert!(!done && printed.contains("not found"), "{printed}");
    Ok(())
}
