//! A run that is left where it stands, for good: where nothing depends on it, a new one gets on
//! from there; where something does, it isn't left.
use anyhow::Result;
use rotation::database_login::Mode;
use runbook::{RunStatus, StepError as _, Stopped};

use super::journal_lost::rotate_anew;
use super::moments::{Blow, Moments};
use super::other_people::stopped_after;
use super::world::{Then, World};
use super::{clients, logins};

/// The process ends at each moment that is near a change of these steps, and somebody wants to
/// leave the run. Gives how often that was refused, and why.
async fn at_moments_of(
    world: &World,
    steps: &[&str],
    next: Option<&'static str>,
    name: &str,
) -> Result<Vec<&'static str>> {
    let start = world.see().await?;
    let undisturbed = Moments::undisturbed();
    world.copy()?.begin(&undisturbed).await?;
    let is_chosen = |moment: &String| {
        let is_of = |step: &&str| moment.starts_with(&format!("{step}:"));
        steps.iter().any(is_of) && !moment.ends_with(" a record")
    };
    let passed = undisturbed.passed().into_iter().enumerate();
    let (mut refused, mut left) = (Vec::new(), 0);
    for (number, moment) in passed.filter(|(_, moment)| is_chosen(moment)) {
        let case = format!("{name}: {moment} ({number})");
        let mut copy = world.copy()?;
        let ended = copy.begin(&Moments::hit_at(number, Blow::Dies)).await;
        assert!(ended.is_err(), "{case}");
        let found = copy.see().await?;
        if let Err(error) = copy.abandon().await {
            refused.push(error.reason());
            assert!(copy.see().await? == found, "{case}: changed");
            copy.bring_to_its_end(Then::Resume, &start, &case).await;
            continue;
        }
        left += 1;
        assert!(copy.see().await? == found, "{case}: changed");
        assert_eq!(copy.history()?.status, RunStatus::Abandoned, "{case}");
        copy.candidate = next;
        rotate_anew(&copy, &case).await?;
    }
    assert!(left >= steps.len(), "{left} were left");
    refused.dedup();
    Ok(refused)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_client_secret() -> Result<()> {
    let world = clients::stored().await?;
    let steps = ["stage", "cut-over", "retire"];
    let refused = at_moments_of(&world, &steps, Some(clients::NEWER), "a client secret").await?;
    assert!(refused.is_empty(), "{refused:?}");
    Ok(())
}

/// Between the re-encryption and the cutover, the table is under the one key and the service
/// has the other.
#[tokio::test(flavor = "multi_thread")]
async fn of_a_key() -> Result<()> {
    let steps = ["stage", "re-encrypt", "cut-over", "sweep"];
    let refused = at_moments_of(&World::stored().await?, &steps, None, "a key").await?;
    assert_eq!(refused, ["cells can't be read with any of the keys"]);
    Ok(())
}

/// In place, the new password shuts out who still has the old one.
#[tokio::test(flavor = "multi_thread")]
async fn of_a_login() -> Result<()> {
    for (mode, steps, reasons) in [
        (
            Mode::Alternate,
            ["stage", "second-role", "lock-out"],
            &[][..],
        ),
        (
            Mode::InPlace,
            ["stage", "set-password", "cut-over"],
            &["the database refused a login"][..],
        ),
    ] {
        let world = logins::stored(mode).await?;
        let refused = at_moments_of(&world, &steps, None, "a login").await?;
        assert_eq!(refused, reasons, "{mode:?}");
    }
    Ok(())
}

/// Nobody may call the services, until the run lets them in again.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_has_closed_the_services_is_not_left() -> Result<()> {
    let mut world = World::stored().await?;
    world.parameters.containment.close = true;
    let start = world.see().await?;
    for (step, is_closed) in [("close", true), ("cut-over", true), ("open", false)] {
        let stopped = stopped_after(&world, step).await?;
        let refused = stopped.abandon().await.map_err(|error| error.reason());
        let expected = match is_closed {
            true => Err("the services are closed"),
            false => Ok(()),
        };
        assert_eq!(refused, expected, "{step}");
        if is_closed {
            stopped.bring_to_its_end(Then::RollBack, &start, step).await;
        }
    }
    Ok(())
}

/// What runs may have the old key, and the table is under the new one.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_waits_for_a_restart_is_not_left() -> Result<()> {
    let mut world = World::stored().await?;
    world.parameters.restart_by_hand = true;
    world.people = false;
    let start = world.see().await?;
    let waits = world.begin(&Moments::undisturbed()).await;
    assert!(matches!(waits, Err(Stopped::Waits { .. })), "{waits:?}");
    let refused = world.abandon().await.map_err(|error| error.reason());
    assert_eq!(refused, Err("a service is still to be restarted"));
    world.people = true;
    world
        .bring_to_its_end(Then::Resume, &start, "restarted")
        .await;
    Ok(())
}
