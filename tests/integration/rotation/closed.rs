//! Services that are closed in an emergency: who is let in behind the run's back is found, nobody
//! is forgotten, and what became of their list is said.
use std::fs;
use std::path::PathBuf;

use anyhow::Result;

use super::faulty::write_callers;
use super::moments::Moments;
use super::other_people::{carry_on, failure, stopped_after};
use super::world::{THEN, Then, World};

const LISTED: &str = "marketplace-handler allUsers";
const OTHER: &str = "marketplace-handler user:ada@example.com";

async fn world() -> Result<World> {
    let mut world = World::stored().await?;
    world.parameters.containment.close = true;
    Ok(world)
}

/// The list beside the journal.
fn list(world: &World) -> PathBuf {
    world.path("callers.csv")
}

/// Whoever was let in or shut out right after the step is found by its verification.
#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_does_to_the_callers_right_after_a_step_is_found() -> Result<()> {
    let world = world().await?;
    let start = world.see().await?;
    for (step, listed, reason, said) in [
        (
            "close",
            vec![OTHER.to_owned()],
            "a service is not closed",
            "`user:ada@example.com` may call `marketplace-handler`, which is to be closed",
        ),
        (
            "open",
            vec![LISTED.to_owned()],
            "a service is not open again",
            "`serviceAccount:pusher@p1` may not call `marketplace-handler`, though it was opened again",
        ),
    ] {
        let copy = world.copy()?;
        let path = copy.path("callers");
        let moments = Moments::meanwhile(&format!("{step}: after it is applied"), move || {
            write_callers(&path, &listed).expect("a list");
        });
        let ended = copy.begin(&moments).await;
        assert!(format!("{ended:?}").contains("Failed"), "{step}");
        if let Err(runbook::Stopped::Failed { error, .. }) = &ended {
            assert_eq!(error.to_string(), said);
        }
        assert_eq!(failure(ended, step).0, reason);
        if step == "close" {
            // Whoever let them in takes that back: they were on no list before.
            write_callers(&copy.path("callers"), &[])?;
        }
        copy.bring_to_its_end(Then::Resume, &start, step).await;
    }
    Ok(())
}

/// Nobody knows who is to be let in then, and neither way passes that over.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_lost_or_spoiled_stops_both_ways_until_it_is_written_anew() -> Result<()> {
    let world = world().await?;
    let start = world.see().await?;
    let stopped = stopped_after(&world, "close").await?;
    let text = fs::read_to_string(list(&stopped))?;
    for then in THEN {
        for (is_lost, reason) in [
            (true, "the list of callers is gone"),
            (false, "the list of callers can't be read"),
        ] {
            let copy = stopped.copy()?;
            fs::remove_file(list(&copy))?;
            if !is_lost {
                fs::create_dir(list(&copy))?;
            }
            let (found, hint) = failure(carry_on(&copy, then).await, reason);
            assert_eq!(found, reason, "{then:?}");
            assert!(hint.contains("write `callers.csv`"), "{then:?}: {hint}");
            if !is_lost {
                fs::remove_dir(list(&copy))?;
            }
            fs::write(list(&copy), &text)?;
            copy.bring_to_its_end(then, &start, reason).await;
        }
    }
    Ok(())
}

/// Before the list is written nobody was taken off it: there is nobody to be let in again.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_ended_before_it_closed_anything_is_rolled_back() -> Result<()> {
    let world = world().await?;
    let start = world.see().await?;
    let moment = "close: before it is applied";
    assert!(world.begin(&Moments::dying_at(moment)).await.is_err());
    assert!(!list(&world).exists());
    world.bring_to_its_end(Then::RollBack, &start, moment).await;
    Ok(())
}

/// Whom the project admits as a whole is on no service's list, and stays.
#[tokio::test(flavor = "multi_thread")]
async fn that_nobody_is_on_the_lists_is_said_and_only_then() -> Result<()> {
    for is_anybody in [true, false] {
        let world = world().await?;
        if !is_anybody {
            write_callers(&world.path("callers"), &[])?;
        }
        let moment = "check: after it is verified";
        assert!(world.begin(&Moments::dying_at(moment)).await.is_err());
        let nothing = Moments::undisturbed();
        let (ended, remarks) = world.carry_on_telling(Then::Resume, &nothing).await;
        ended?;
        let said = "nobody is on the services' own lists: closing them contains nothing";
        let is_said = remarks.iter().any(|remark| remark == said);
        assert_eq!(is_said, !is_anybody, "{remarks:?}");
    }
    Ok(())
}
