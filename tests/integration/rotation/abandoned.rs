//! A run that is left where it stands, for good: where nothing depends on it, a new one gets on
//! from there; where something does, it isn't left.
use std::fs;

use anyhow::Result;
use rotation::Restarted;
use rotation::database_login::Mode;
use runbook::{RunStatus, StepError as _, Stopped};

use super::journal_lost::rotate_anew;
use super::moments::{Blow, Moments};
use super::other_people::stopped_after;
use super::world::{Then, World};
use super::{clients, logins};

const NOT_RESTARTED: &str = "a service is still to be restarted";

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
        let mut abandoned = copy.abandon(Restarted::Unknown).await;
        if abandoned
            .as_ref()
            .is_err_and(|error| error.reason() == NOT_RESTARTED)
        {
            assert!(copy.see().await? == found, "{case}: changed");
            abandoned = copy.abandon(Restarted::ByPeople).await;
        }
        if let Err(error) = abandoned {
            refused.push(error.reason());
            assert!(copy.see().await? == found, "{case}: changed");
            copy.bring_to_its_end(Then::Resume, &start, &case).await;
            continue;
        }
        left += 1;
        let seen = copy.see().await?;
        assert!(
            seen.env == found.env && seen.states() == found.states(),
            "{case}: changed"
        );
        assert_eq!(copy.history()?.status, RunStatus::Abandoned, "{case}");
        // Nothing is left beside what serves, where that is as recorded.
        let mut ready = seen.services.iter().filter(|service| service.ready);
        assert!(ready.all(|service| service.revisions.len() == 1), "{case}");
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

/// At each moment of letting callers in again, too: what is written down before is no proof.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_has_closed_the_services_is_not_left() -> Result<()> {
    let mut world = World::stored().await?;
    world.parameters.containment.close = true;
    let (start, undisturbed) = (world.see().await?, Moments::undisturbed());
    world.copy()?.begin(&undisturbed).await?;
    let callers = fs::read_to_string(world.path("callers"))?;
    let mut outcomes = [0, 0];
    for (number, moment) in undisturbed.passed().into_iter().enumerate() {
        if !["close:", "verify:", "open:"]
            .iter()
            .any(|step| moment.starts_with(step))
        {
            continue;
        }
        let copy = world.copy()?;
        assert!(
            copy.begin(&Moments::hit_at(number, Blow::Dies))
                .await
                .is_err()
        );
        let is_closed = fs::read_to_string(copy.path("callers"))? != callers;
        let abandoned = copy.abandon(Restarted::Unknown).await;
        let reason = abandoned.map_err(|error| error.reason());
        let expected = match is_closed {
            true => Err("the services are closed"),
            false => Ok(()),
        };
        assert_eq!(reason, expected, "{moment}");
        outcomes[usize::from(is_closed)] += 1;
        if is_closed {
            copy.bring_to_its_end(Then::RollBack, &start, &moment).await;
        }
    }
    assert!(outcomes.iter().all(|count| *count > 2), "{outcomes:?}");
    Ok(())
}

/// What runs may have the old key, and the table is under the new one.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_service_is_still_to_be_restarted_by_hand_is_not_left() -> Result<()> {
    let mut world = World::stored().await?;
    world.parameters.restart_by_hand = true;
    world.people = false;
    let start = world.see().await?;
    // Before the run has come to ask for it, and after that.
    let cut_off = stopped_after(&world, "cut-over").await?;
    let waits = world.begin(&Moments::undisturbed()).await;
    assert!(matches!(waits, Err(Stopped::Waits { .. })), "{waits:?}");
    for mut stopped in [cut_off, world] {
        let refused = stopped.abandon(Restarted::Unknown).await;
        assert_eq!(refused.map_err(|error| error.reason()), Err(NOT_RESTARTED));
        let copy = stopped.copy()?;
        copy.abandon(Restarted::ByPeople).await?;
        assert_eq!(copy.history()?.status, RunStatus::Abandoned);
        stopped.people = true;
        stopped
            .bring_to_its_end(Then::Resume, &start, "restarted")
            .await;
    }
    Ok(())
}
