//! Whole runs: one after the other, with a soak, with people, and undone when finished.
use std::fs;
use std::time::Duration;

use anyhow::Result;
use runbook::{RunStatus, Stopped};

use super::moments::Moments;
use super::other_people::stopped_after;
use super::process::operator;
use super::world::{Ended, Then, World};

async fn begin(world: &World) -> Ended {
    world.begin(&Moments::undisturbed()).await
}

async fn resume(world: &World) -> Ended {
    world.carry_on(Then::Resume, &Moments::undisturbed()).await
}

fn waits_for_people(ended: &Ended, step: &str) -> bool {
    matches!(ended, Err(Stopped::Waits { about, until: None, .. }) if about.name == step)
}

#[tokio::test(flavor = "multi_thread")]
async fn three_rotations_in_a_row_and_back_from_the_third() -> Result<()> {
    for world in [World::inline().await?, World::stored().await?] {
        let mut start = world.see().await?;
        for number in 1..=3 {
            start = world.see().await?;
            begin(&world).await?;
            let case = format!("rotation {number}");
            world.see().await?.expect_rotated_from(&start, &case);
        }
        world
            .bring_to_its_end(Then::RollBack, &start, "the third")
            .await;
        // The one below it may be undone now, and then the next begins.
        begin(&world).await?;
        world.see().await?.expect_rotated_from(&start, "the fourth");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rolled_back_and_rotated_again_from_every_start() -> Result<()> {
    for (name, world) in [
        ("inline", World::inline().await?),
        ("stored", World::stored().await?),
        ("pinned", World::pinned().await?),
    ] {
        for round in 1..=2 {
            let start = world.see().await?;
            begin(&world).await?;
            let case = format!("{name}, round {round}");
            world.see().await?.expect_rotated_from(&start, &case);
            world.bring_to_its_end(Then::RollBack, &start, &case).await;
        }
    }
    Ok(())
}

/// Bound to the same number before and after: a way back that has nothing to put right leaves
/// the services alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_does_not_touch_services_that_are_bound_as_before() -> Result<()> {
    let world = World::pinned().await?;
    let start = world.see().await?;
    let stopped = stopped_after(&world, "pin").await?;
    let moments = Moments::undisturbed();
    stopped.carry_on(Then::RollBack, &moments).await?;
    let passed = moments.passed();
    let is_change = |moment: &String| moment.ends_with("prepare") || moment.ends_with("cut over");
    assert!(!passed.iter().any(is_change), "{passed:?}");
    stopped.see().await?.expect_to_be(&start, "pinned before");
    Ok(())
}

/// It is known after the preparation, and the cutover finds the same.
#[tokio::test(flavor = "multi_thread")]
async fn the_name_of_a_new_revision_is_written_down_once() -> Result<()> {
    let world = World::stored().await?;
    begin(&world).await?;
    let run = &world.runs().list()?[0];
    let journal = fs::read_to_string(run.folder.join("journal.jsonl"))?;
    let times = journal.matches("new revision of the handler").count();
    assert_eq!(times, 1, "{journal}");
    Ok(())
}

/// An older run stands below the newer ones: it can't be pulled out.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_run_is_rolled_back_after_the_newer_ones() -> Result<()> {
    let world = World::stored().await?;
    let start = world.see().await?;
    begin(&world).await?;
    let first = world.history()?.run;
    begin(&world).await?;
    let process = world.process(&Moments::undisturbed())?;
    let open = || world.runs().open(first.as_str(), &process.plan, operator());
    assert!(open().is_err(), "it was followed");
    world
        .carry_on(Then::RollBack, &Moments::undisturbed())
        .await?;
    let mut run = open()?;
    let mut process = world.process(&Moments::undisturbed())?;
    runbook::roll_back(
        &process.plan,
        &mut process.context,
        &mut run,
        &mut process.watcher,
    )
    .await?;
    world.see().await?.expect_to_be(&start, "two runs back");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_soak_is_left_and_resumed_or_rolled_back() -> Result<()> {
    let mut world = World::stored().await?;
    world.soak = Duration::from_millis(800);
    let start = world.see().await?;
    for then in [Then::Resume, Then::RollBack] {
        let copy = world.copy()?;
        let ended = begin(&copy).await;
        assert!(
            matches!(ended, Err(Stopped::Waits { until: Some(_), .. })),
            "{ended:?}"
        );
        // Too early: it waits on, until the same time.
        let until = |history: runbook::History| history.facts.time("soak ends");
        let first = until(copy.history()?)?;
        assert!(matches!(resume(&copy).await, Err(Stopped::Waits { .. })));
        assert_eq!(until(copy.history()?)?, first);
        assert!(
            copy.see().await?.is_enabled(start.value_in_use()),
            "too early"
        );
        tokio::time::sleep(world.soak).await;
        copy.bring_to_its_end(then, &start, "after the soak").await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_waited_for() -> Result<()> {
    let mut world = World::stored().await?;
    world.parameters.announce = true;
    world.parameters.back_up_by_hand = true;
    world.parameters.restart_by_hand = true;
    world.people = false;
    let start = world.see().await?;
    let mut ended = begin(&world).await;
    for step in ["announce", "back-up-by-hand", "restart-by-hand"] {
        assert!(waits_for_people(&ended, step), "{step}: {ended:?}");
        // Nobody says that it is done: it waits on.
        ended = resume(&world).await;
        assert!(waits_for_people(&ended, step), "{step}: {ended:?}");
        let mut back = world.copy()?;
        back.people = true;
        back.bring_to_its_end(Then::RollBack, &start, step).await;
        let mut on = world.copy()?;
        on.people = true;
        on.bring_to_its_end(Then::Resume, &start, step).await;
        world.people = true;
        let done = Moments::dying_at(&format!("{step}: after a record"));
        assert!(world.carry_on(Then::Resume, &done).await.is_err(), "{step}");
        world.people = false;
        ended = resume(&world).await;
    }
    ended?;
    world
        .see()
        .await?
        .expect_rotated_from(&start, "with people");
    Ok(())
}

/// Once at the cutover; and once on the way back.
#[tokio::test(flavor = "multi_thread")]
async fn the_service_is_restarted_as_often_as_its_value_changes() -> Result<()> {
    let mut world = World::stored().await?;
    world.restarts = true;
    let start = world.see().await?;
    let restarts = || fs::read_to_string(world.path("restarts")).map(|text| text.lines().count());
    begin(&world).await?;
    assert_eq!(restarts()?, 1);
    world
        .bring_to_its_end(Then::RollBack, &start, "restarts")
        .await;
    assert_eq!(restarts()?, 2);
    assert_eq!(world.history()?.status, RunStatus::RolledBack);
    Ok(())
}
