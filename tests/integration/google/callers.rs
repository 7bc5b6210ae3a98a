//! Who may call a service: refused and admitted again, by the real `gcloud`.
use anyhow::{Context as _, Result};
use integration_tests::google::{Effect, Fault};
use integration_tests::{Reached, Trouble};
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

const VIEWER: &str = "roles/run.viewer";
const SOMEBODY: &str = "group:somebody@example.com";

/// A service that a group may look at, and everybody call.
fn with_a_viewer(lab: &Lab) {
    let roles = [(ROLE, EVERYBODY), (VIEWER, SOMEBODY)];
    let bindings = roles.map(|(role, member)| json!({"role": role, "members": [member]}));
    if let Some(service) = lab.google.world().run.services.get_mut(INSTALLED) {
        service.policy.bindings = bindings.into();
    }
}

/// Cuts off the answer to a read of the policy that comes after so many others.
fn cut_off_a_read(lab: &Lab, after: u32) {
    let cut = Effect::Network(Trouble::Closed(Reached::Headers));
    lab.google.world().faults = vec![Fault {
        after,
        ..Fault::once("GET", ":getIamPolicy", cut)
    }];
}

/// Of an answer that is cut off in its headers, `gcloud` makes an empty one: what it adds a
/// caller to then has no etag, and takes everybody else's roles.
#[tokio::test]
async fn a_read_that_is_cut_off_costs_nobody_a_role() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    with_a_viewer(&lab);
    cut_off_a_read(&lab, 0);
    let words = ["run", "services", "add-iam-policy-binding", INSTALLED];
    let options = [format!("--member={PUSHER}"), format!("--role={ROLE}")];
    let options = options.each_ref().map(String::as_str);
    let (done, printed) = lab.gcloud(&[&words[..], &options].concat()).await?;
    assert!(done, "{printed}");
    assert_eq!(members(&lab, VIEWER), Vec::<String>::new());

    // Ours: what was read is written, under its etag.
    with_a_viewer(&lab);
    let callers = callers(&lab)?;
    let mut struck = 0;
    for after in 0..3 {
        for is_admitted in [true, false] {
            cut_off_a_read(&lab, after);
            match is_admitted {
                true => callers.admit(INSTALLED, PUSHER).await?,
                false => callers.refuse(INSTALLED, PUSHER).await?,
            }
            struck += usize::from(lab.google.world().faults[0].times == 0);
            let case = format!("after {after}, {is_admitted}");
            let admitted: &[_] = if is_admitted {
                &[EVERYBODY, PUSHER]
            } else {
                &[EVERYBODY]
            };
            assert_eq!(members(&lab, ROLE), admitted, "{case}");
            assert_eq!(members(&lab, VIEWER), [SOMEBODY], "{case}");
        }
    }
    assert_eq!(
        struck, 4,
        "the look before the change, and the one after it"
    );
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
