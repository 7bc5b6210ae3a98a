//! Each moment of each step hit with each blow, then resumed to the same end or rolled
//! back to the start: as a rule the one or the other in turn, and both where `TEST_CASES` asks
//! for all.
use std::time::Instant;

use anyhow::Result;

use super::moments::{BLOWS, Blow, Moments};
use super::world::{THEN, Then, World};
use crate::part::Part;

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

/// The moment of a number, what it is hit with, and what comes then.
pub(super) type Case = (usize, Blow, Then);

/// How many of the cases are gone through as a rule: each moment with each blow.
pub(super) fn part() -> Part {
    Part::wanted().unwrap_or(Part::first_of(2))
}

/// All of a product's cases are gone through where that is asked for, and as a rule a half.
pub(super) fn expect_share(cases: usize, whole: usize) {
    if part() == Part::first_of(1) {
        assert_eq!(cases, whole);
    } else if part() == Part::first_of(2) {
        assert_eq!(cases * 2, whole);
    }
}

fn cases_at(moment: usize) -> impl Iterator<Item = Case> {
    let part = part();
    let blows = BLOWS.into_iter().enumerate();
    blows.flat_map(move |(number, blow)| {
        let ends = THEN.into_iter().enumerate();
        let chosen = ends.filter(move |(end, _)| part.has(moment + number + end));
        chosen.map(move |(_, then)| (moment, blow, then))
    })
}

pub(super) async fn every_moment(world: &World, name: &str) -> Result<()> {
    let began = Instant::now();
    let undisturbed = Undisturbed::run_of(world, name).await?;
    let moments = undisturbed.moments.len();
    let chosen: Vec<_> = (0..moments).flat_map(cases_at).collect();
    hit_each(world, &undisturbed, &chosen, name).await?;
    expect_share(chosen.len(), moments * BLOWS.len() * THEN.len());
    eprintln!(
        "{name}: {moments} moments of {} steps × fails or dies × resumed or rolled back: \
         {} of {} cases in {} s",
        undisturbed.steps,
        chosen.len(),
        moments * BLOWS.len() * THEN.len(),
        began.elapsed().as_secs()
    );
    Ok(())
}

/// The moments of some steps: each of an effect, and each of the journal once.
pub(super) async fn moments_of(world: &World, steps: &[&str], name: &str) -> Result<()> {
    let began = Instant::now();
    let undisturbed = Undisturbed::run_of(world, name).await?;
    let mut chosen = Vec::new();
    let (mut effects, mut records) = (0, 0);
    for (number, moment) in undisturbed.moments.iter().enumerate() {
        let step = moment.split(':').next().unwrap_or_default();
        if !steps.contains(&step) {
            continue;
        }
        if moment.ends_with(" a record") {
            records += 1;
            // One end after the other, where another product has the rest.
            chosen.push((number, Blow::Dies, THEN[number % THEN.len()]));
        } else {
            effects += 1;
            chosen.extend(cases_at(number));
        }
    }
    hit_each(world, &undisturbed, &chosen, name).await?;
    let of_effects = chosen.len() - records;
    expect_share(of_effects, effects * BLOWS.len() * THEN.len());
    eprintln!(
        "{name}: of the steps {}, {effects} moments × fails or dies × resumed or rolled back, and \
         {records} records × dies, resumed and rolled back in turn: {} of {} cases in {} s",
        steps.join(", "),
        chosen.len(),
        effects * BLOWS.len() * THEN.len() + records,
        began.elapsed().as_secs()
    );
    Ok(())
}

/// Goes through cases, each in a world of its own.
pub(super) async fn hit_each(
    world: &World,
    undisturbed: &Undisturbed,
    cases: &[Case],
    name: &str,
) -> Result<()> {
    let start = world.see().await?;
    for (number, blow, then) in cases {
        let moment = &undisturbed.moments[*number];
        let case = format!("{name}: {moment} ({number}) {blow:?}, then {then:?}");
        let copy = world.copy()?;
        let ended = copy.begin(&Moments::hit_at(*number, *blow)).await;
        // The database may be done before it hears that it is to stop.
        let may_be_late = moment.contains("the database");
        assert!(ended.is_err() || may_be_late, "{case}: went on");
        copy.bring_to_its_end(*then, &start, &case).await;
        if *then == Then::Resume {
            let states = owned(&copy.see().await?.states());
            assert_eq!(states, undisturbed.states, "{case}: the versions");
        }
    }
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
    every_look(&World::stored().await?, &LOOKS, "the key").await
}

/// What is looked at on the platform.
pub(super) const LOOKS: [&str; 5] = [
    "versions",
    "access",
    "describe",
    "inline value",
    "newest backup",
];

pub(super) async fn every_look(world: &World, looks: &[&str], name: &str) -> Result<()> {
    let start = world.see().await?;
    let all = Moments::with_looks(None);
    world.copy()?.begin(&all).await?;
    let is_look = |moment: &str| {
        let mut looks = looks.iter();
        looks.any(|look| moment.ends_with(&format!("before {look}")))
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
    let number = all.passed().iter().filter(|name| is_look(name)).count();
    assert_eq!(cases, number * THEN.len());
    eprintln!("{name}: {number} looks that fail × resumed or rolled back: {cases} cases");
    Ok(())
}

/// In an emergency nobody may call the services until the new value serves.
#[tokio::test(flavor = "multi_thread")]
async fn of_services_that_are_closed_meanwhile() -> Result<()> {
    let mut world = World::inline().await?;
    world.parameters.containment.close = true;
    moments_of(&world, &["close", "open"], "closed meanwhile").await
}
