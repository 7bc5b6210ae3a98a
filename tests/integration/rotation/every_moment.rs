//! Each moment of each step hit with each blow, then resumed to the same end or rolled
//! back to the start.
use std::time::Instant;

use anyhow::Result;

use super::moments::{BLOWS, Moments};
use super::world::{THEN, Then, World};

/// What a run goes through when nothing hits it, and how many versions it leaves.
pub(super) struct Undisturbed {
    pub(super) moments: Vec<String>,
    pub(super) steps: usize,
    states: Vec<(u64, String)>,
}

impl Undisturbed {
    pub(super) async fn run_of(world: &World, case: &str) -> Result<Undisturbed> {
        let (start, copy) = (world.see().await?, world.copy()?);
        let moments = Moments::undisturbed();
        copy.begin(&moments).await?;
        let end = copy.see().await?;
        end.expect_rotated_from(&start, case);
        let steps: Vec<_> = copy.history()?.steps;
        for step in &steps {
            let of_step = |moment: &&String| moment.starts_with(&format!("{}: ", step.name));
            let number = moments.passed().iter().filter(of_step).count();
            assert!(number >= 3, "{case}: {number} moments of {}", step.name);
        }
        Ok(Undisturbed {
            moments: moments.passed(),
            steps: steps.len(),
            states: owned(&end.states()),
        })
    }
}

fn owned(states: &[(u64, &str)]) -> Vec<(u64, String)> {
    let states = states.iter();
    states
        .map(|(number, state)| (*number, (*state).to_owned()))
        .collect()
}

async fn every_moment(world: &World, name: &str) -> Result<()> {
    let began = Instant::now();
    let undisturbed = Undisturbed::run_of(world, name).await?;
    let start = world.see().await?;
    let mut cases = 0;
    for (number, moment) in undisturbed.moments.iter().enumerate() {
        for blow in BLOWS {
            for then in THEN {
                let case = format!("{name}: {moment} ({number}) {blow:?}, then {then:?}");
                let copy = world.copy()?;
                let hit = Moments::hit_at(number, blow);
                let ended = copy.begin(&hit).await;
                // The database may be done before it hears that it is to stop.
                let may_be_late = moment.contains("the database");
                assert!(ended.is_err() || may_be_late, "{case}: went on");
                copy.bring_to_its_end(then, &start, &case).await;
                if then == Then::Resume {
                    let states = owned(&copy.see().await?.states());
                    assert_eq!(states, undisturbed.states, "{case}: the versions");
                }
                cases += 1;
            }
        }
    }
    let moments = undisturbed.moments.len();
    assert_eq!(cases, moments * BLOWS.len() * THEN.len());
    eprintln!(
        "{name}: {moments} moments of {} steps × fails or dies × resumed or rolled back: \
         {cases} cases in {} s",
        undisturbed.steps,
        began.elapsed().as_secs()
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_first_rotation() -> Result<()> {
    every_moment(&World::inline().await?, "the key in `.env` alone").await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_rotation_from_latest() -> Result<()> {
    every_moment(&World::stored().await?, "the key as the latest version").await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_second_rotation() -> Result<()> {
    every_moment(&World::pinned().await?, "the service pinned").await
}

/// Looking fails, too: a store that doesn't answer, a service that can't be described.
#[tokio::test(flavor = "multi_thread")]
async fn each_look_that_fails_changes_nothing_for_good() -> Result<()> {
    let world = World::stored().await?;
    let start = world.see().await?;
    let all = Moments::with_looks(None);
    world.copy()?.begin(&all).await?;
    let is_look = |moment: &str| {
        let looks = [
            "versions",
            "access",
            "describe",
            "inline value",
            "newest backup",
        ];
        looks
            .iter()
            .any(|look| moment.ends_with(&format!("before {look}")))
    };
    let mut cases = 0;
    for (number, moment) in all
        .passed()
        .iter()
        .enumerate()
        .filter(|(_, name)| is_look(name))
    {
        for then in THEN {
            let case = format!("{moment} ({number}), then {then:?}");
            let copy = world.copy()?;
            let ended = copy.begin(&Moments::with_looks(Some(number))).await;
            assert!(ended.is_err(), "{case}: went on");
            copy.bring_to_its_end(then, &start, &case).await;
            cases += 1;
        }
    }
    let looks = all.passed().iter().filter(|name| is_look(name)).count();
    assert_eq!(cases, looks * THEN.len());
    eprintln!("{looks} looks that fail × resumed or rolled back: {cases} cases");
    Ok(())
}
