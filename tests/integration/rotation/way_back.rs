//! The way back hit at each of its moments, wherever the run had come to: the same call
//! finishes it, and the start is as it was.
use std::time::Instant;

use anyhow::Result;
use runbook::Stopped;

use super::every_moment::{expect_share, part};
use super::moments::{BLOWS, Blow, Moments};
use super::seen::Seen;
use super::world::{Ended, Then, World};

/// The steps at whose end a run is turned back: before the table is changed, after it, and
/// with the old version retired. The way back from a later step goes through the undoing of
/// each earlier one.
const TURNED_AT: [&str; 3] = ["prepare", "re-encrypt", "retire"];

/// Hits the way back of a world at each of its moments, with the one or the other blow in
/// turn, and gives the number of cases.
async fn every_moment_back(world: &World, start: &Seen, from: &str) -> Result<usize> {
    moments_back(world, start, from, |_| true).await
}

/// The same at the moments that are chosen by their names.
pub(super) async fn moments_back(
    world: &World,
    start: &Seen,
    from: &str,
    is_chosen: impl Fn(&str) -> bool,
) -> Result<usize> {
    let undisturbed = Moments::undisturbed();
    let copy = world.copy()?;
    copy.carry_on(Then::RollBack, &undisturbed).await?;
    copy.see().await?.expect_to_be(start, from);
    let (part, mut cases) = (part(), 0);
    let passed = undisturbed.passed();
    let chosen = || {
        passed
            .iter()
            .enumerate()
            .filter(|(_, name)| is_chosen(name))
    };
    for (number, moment) in chosen() {
        let blows = BLOWS.into_iter().enumerate();
        for (_, blow) in blows.filter(|(blow, _)| part.has(number + blow)) {
            let case = format!("back from {from}: {moment} ({number}) {blow:?}");
            let copy = world.copy()?;
            let ended = copy
                .carry_on(Then::RollBack, &Moments::hit_at(number, blow))
                .await;
            expect_stuck(&copy, &ended, moment, blow, &case)?;
            copy.bring_to_its_end(Then::RollBack, start, &case).await;
            cases += 1;
        }
    }
    assert!(chosen().count() > 0);
    expect_share(cases, chosen().count() * BLOWS.len());
    Ok(cases)
}

/// An undo that fails leaves the run stuck, and the journal says so.
fn expect_stuck(world: &World, ended: &Ended, moment: &str, blow: Blow, case: &str) -> Result<()> {
    let is_request = moment.contains("the database");
    if blow == Blow::Dies || is_request || moment.ends_with(" a record") {
        assert!(ended.is_err() || is_request, "{case}: went on");
        return Ok(());
    }
    assert!(
        matches!(ended, Err(Stopped::Stuck { .. })),
        "{case}: {ended:?}"
    );
    let history = world.history()?;
    assert!(history.is_stuck(), "{case}");
    let step = history.current_step().expect("a step");
    assert!(step.reason.is_some(), "{case}: no reason");
    Ok(())
}

async fn from_every_step(world: &World, name: &str) -> Result<()> {
    let began = Instant::now();
    let start = world.see().await?;
    let mut cases = 0;
    for step in TURNED_AT {
        let copy = world.copy()?;
        let stop = Moments::dying_at(&format!("{step}: after it is verified"));
        let ended = copy.begin(&stop).await;
        assert!(ended.is_err(), "{step} was found to be done");
        cases += every_moment_back(&copy, &start, step).await?;
    }
    let finished = world.copy()?;
    finished.begin(&Moments::undisturbed()).await?;
    cases += every_moment_back(&finished, &start, "the end").await?;
    eprintln!(
        "{name}: turned back after each of {} steps and at the end, each moment of the way \
         back × fails or dies, gone through in part: {cases} cases in {} s",
        TURNED_AT.len(),
        began.elapsed().as_secs()
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_first_rotation() -> Result<()> {
    from_every_step(&World::inline().await?, "the key in `.env` alone").await
}

/// Bound to a number before the run, and so on the way back as well.
#[tokio::test(flavor = "multi_thread")]
async fn of_a_second_rotation_from_its_end() -> Result<()> {
    let world = World::pinned().await?;
    let start = world.see().await?;
    world.begin(&Moments::undisturbed()).await?;
    let cases = every_moment_back(&world, &start, "the end").await?;
    eprintln!("the service pinned, turned back at the end: {cases} cases");
    Ok(())
}
