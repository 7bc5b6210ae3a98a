//! Each step applied twice, each undo called twice.
use anyhow::Result;

use super::every_moment::Undisturbed;
use super::moments::Moments;
use super::world::{Then, World};

#[tokio::test(flavor = "multi_thread")]
async fn each_step_twice_then_each_undo_twice() -> Result<()> {
    let mut cases = 0;
    for (name, mut world) in [
        ("inline", World::inline().await?),
        ("stored", World::stored().await?),
        ("pinned", World::pinned().await?),
    ] {
        let once = Undisturbed::run_of(&world, name).await?;
        let start = world.see().await?;
        world.times = 2;
        world.begin(&Moments::undisturbed()).await?;
        world.see().await?.expect_rotated_from(&start, name);
        expect_the_same_counts(&world)?;
        world.bring_to_its_end(Then::RollBack, &start, name).await;
        cases += once.steps;
    }
    eprintln!("each step applied twice and undone twice, from three starts: {cases} cases");
    Ok(())
}

/// What the journal counts is what was done, and not what the repetition did.
fn expect_the_same_counts(world: &World) -> Result<()> {
    let facts = world.history()?.facts;
    for name in [
        "tokens under the old key before",
        "tokens re-encrypted",
        "tokens verified",
    ] {
        assert_eq!(facts.count(name)?, 39, "{name}");
    }
    Ok(())
}

/// Half of a step's effect is undone twice as well.
#[tokio::test(flavor = "multi_thread")]
async fn undone_twice_from_wherever_it_stopped() -> Result<()> {
    let world = World::inline().await?;
    let start = world.see().await?;
    let undisturbed = Undisturbed::run_of(&world, "once").await?;
    let is_effect = |moment: &&String| !moment.contains("record");
    let moments: Vec<_> = undisturbed.moments.iter().filter(is_effect).collect();
    for moment in &moments {
        let mut copy = world.copy()?;
        copy.times = 1;
        let ended = copy.begin(&Moments::dying_at(moment)).await;
        assert!(
            ended.is_err() || moment.contains("the database"),
            "{moment}"
        );
        copy.times = 2;
        copy.bring_to_its_end(Then::RollBack, &start, moment).await;
    }
    eprintln!(
        "stopped at a moment, each undo twice: {} cases",
        moments.len()
    );
    Ok(())
}
