//! The login of `gcloud` ends in the middle of a rotation: what it says to type is
//! `gcloud auth login`, and afterwards the run goes on or back.
use anyhow::{Context as _, Result};
use integration_tests::google::{Effect, Fault, Google};
use rotation::RED_HAT_SSO_CLIENT_SECRET;
use runbook::{StepError as _, Stopped};

use super::clients::OLD;
use super::moments::Moments;
use super::on_google::client_in;
use super::project::Project;
use super::world::{Ended, Then, World};

fn logged_out_at(moment: &str, google: &Google, times: u32) -> Moments {
    let google = google.clone();
    let ended = Fault {
        times,
        ..Fault::once("POST", "/token", Effect::LoggedOut)
    };
    Moments::meanwhile(moment, move || google.fault(ended))
}

/// It stopped, and says to log in.
fn expect_to_be_told(ended: Ended) -> Result<()> {
    let Err(Stopped::Failed { error, .. } | Stopped::Stuck { error, .. }) = ended else {
        panic!("{ended:?}");
    };
    let message = error.to_string();
    assert!(message.contains("`gcloud` is not logged in"), "{message}");
    let hint = error.hint().with_context(|| message)?;
    assert_eq!(hint, "`gcloud auth login`");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_ends_is_told_and_both_ways_are_open_after_the_next() -> Result<()> {
    let secret = RED_HAT_SSO_CLIENT_SECRET;
    let Some(project) = Project::new(secret, &["hunter2-older", OLD]).await else {
        return Ok(());
    };
    let world: World = client_in(project.logged_in(), secret, "redhat-sso-client-id")?;
    let (start, google) = (world.see_when_ready().await?, world.project().google());

    // For one call alone, as when the answer of one is lost.
    let once = logged_out_at("stage: before add", &google, 1);
    expect_to_be_told(world.begin(&once).await)?;
    assert_eq!(world.see().await?.states(), start.states());

    let for_ever = logged_out_at("cut-over: before cut over", &google, u32::MAX);
    expect_to_be_told(world.carry_on(Then::Resume, &for_ever).await)?;
    let nothing = Moments::undisturbed();
    expect_to_be_told(world.carry_on(Then::RollBack, &nothing).await)?;
    assert_eq!(world.see().await?.value_in_use(), OLD);

    world.project().mend();
    world.carry_on(Then::RollBack, &nothing).await?;
    world.see().await?.expect_to_be(&start, "logged in again");
    Ok(())
}
