//! A client's new value as people give it: not yet, wrong, the same again, another one, and
//! beside somebody who rotates by hand.
use anyhow::Result;
use platform::Bound;
use runbook::{RunStatus, Stopped};

use super::clients::{NEW, NEWER, OLD, WRONG, pinned, stored, value};
use super::moments::Moments;
use super::other_people::{carry_on, failure, number, stopped_after};
use super::scene::Scene;
use super::world::{THEN, Then, World};

const SECRET: &str = "redhat-sso-client-secret";

async fn begin(world: &World) -> Result<(), Stopped<rotation::Error>> {
    world.begin(&Moments::undisturbed()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_value_is_waited_for_and_given_later() -> Result<()> {
    let mut world = stored().await?;
    let start = world.see().await?;
    world.candidate = None;
    for _ in 0..2 {
        let copy = world.copy()?;
        let mut ended = begin(&copy).await;
        for _ in 0..2 {
            let waits = matches!(&ended, Err(Stopped::Waits { about, until: None, .. }) if about.name == "obtain");
            assert!(waits, "{ended:?}");
            assert_eq!(copy.see().await?, start);
            ended = carry_on(&copy, Then::Resume).await;
        }
    }
    for then in THEN {
        let mut copy = world.copy()?;
        assert!(begin(&copy).await.is_err());
        copy.candidate = Some(NEW);
        copy.bring_to_its_end(then, &start, "given later").await;
    }
    Ok(())
}

/// The run ends before anything has changed, and undoing it finds nothing to undo.
#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_is_refused_or_in_use_ends_the_run_before_anything_changes() -> Result<()> {
    for mut world in [stored().await?, pinned().await?] {
        let start = world.see().await?;
        let in_use = if start.value_in_use() == OLD {
            OLD
        } else {
            NEW
        };
        for (candidate, reason) in [
            (WRONG, "the issuer refused the value"),
            (in_use, "the candidate is the value in use"),
        ] {
            world.candidate = Some(candidate);
            let copy = world.copy()?;
            match begin(&copy).await {
                Err(Stopped::Failed { error, changed, .. }) => {
                    assert_eq!(runbook::StepError::reason(&error), reason);
                    assert!(!changed, "{reason}");
                }
                ended => panic!("{ended:?}"),
            }
            assert_eq!(copy.see().await?, start, "{reason}");
            carry_on(&copy, Then::RollBack).await?;
            assert_eq!(copy.history()?.status, RunStatus::RolledBack);
            assert_eq!(copy.see().await?, start, "{reason}: closed");
        }
    }
    Ok(())
}

/// Until it is stored, a value has to be given to each process, and is tested there.
#[tokio::test(flavor = "multi_thread")]
async fn another_value_is_tested_anew() -> Result<()> {
    let world = stored().await?;
    let start = world.see().await?;
    for step in ["test", "store-current", "pin"] {
        let mut stopped = stopped_after(&world, step).await?;
        // Nothing given: asked for again.
        stopped.candidate = None;
        let ended = carry_on(&stopped, Then::Resume).await;
        assert!(
            matches!(ended, Err(Stopped::Waits { .. })),
            "{step}: {ended:?}"
        );
        stopped.candidate = Some(WRONG);
        let (reason, _) = failure(carry_on(&stopped, Then::Resume).await, step);
        assert_eq!(reason, "the issuer refused the value", "{step}");
        let seen = stopped.see().await?;
        assert_eq!(seen.versions, start.versions, "{step}: stored");
        assert_eq!(seen.env, start.env, "{step}");
        for then in THEN {
            let mut copy = stopped.copy()?;
            copy.candidate = Some(NEWER);
            copy.bring_to_its_end(then, &start, step).await;
            if then == Then::Resume {
                assert_eq!(copy.see().await?.value_in_use(), NEWER, "{step}");
            }
        }
    }
    Ok(())
}

/// Whoever adds a version by hand is noticed, be its value valid or not.
#[tokio::test(flavor = "multi_thread")]
async fn somebody_adds_a_version() -> Result<()> {
    let world = stored().await?;
    let start = world.see().await?;
    for step in [
        "test", "pin", "stage", "prepare", "cut-over", "verify", "soak",
    ] {
        for added in [NEWER, WRONG] {
            let case = format!("{step}, {added}");
            let stopped = stopped_after(&world, step).await?;
            let store = stopped.platform()?.store;
            let foreign = store.add(SECRET, &value(added)).await?;
            let (reason, hint) = failure(carry_on(&stopped, Then::Resume).await, &case);
            assert_eq!(reason, "somebody else added a version", "{case}");
            assert!(
                hint.contains(&format!("version {foreign}")),
                "{case}: {hint}"
            );
            assert!(stopped.see().await?.is_enabled(OLD), "{case}: retired");

            let back = stopped.copy()?;
            carry_on(&back, Then::RollBack).await?;
            let seen = back.see().await?;
            assert_eq!(seen.env, start.env, "{case}");
            assert_eq!(
                seen.versions[&foreign.get()].0,
                "enabled",
                "{case}: not ours"
            );

            store.disable(SECRET, foreign).await?;
            carry_on(&stopped, Then::Resume).await?;
            let seen = stopped.see().await?;
            assert!(
                seen.value_in_use() == NEW && !seen.is_enabled(OLD),
                "{case}"
            );
        }
    }
    Ok(())
}

/// Between the last look at the store and the record of the new version's number, what
/// somebody else stores can't be told from what the process stored before it ended. It is
/// taken only if the issuer accepts it.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_without_a_number_is_tested_before_it_is_taken() -> Result<()> {
    let world = stored().await?;
    let start = world.see().await?;
    for (added, given) in [
        (NEWER, None),
        (WRONG, None),
        (NEWER, Some(NEW)),
        (WRONG, Some(NEW)),
    ] {
        let case = format!("{added}, given {given:?}");
        let mut copy = world.copy()?;
        let stopped = copy.begin(&Moments::dying_at("stage: before add")).await;
        assert!(stopped.is_err(), "{case}");
        let store = copy.platform()?.store;
        let found = store.add(SECRET, &value(added)).await?;
        copy.candidate = given;
        let ended = carry_on(&copy, Then::Resume).await;
        if added == NEWER && given.is_none() {
            ended?;
            copy.see().await?.expect_rotated_from(&start, &case);
            continue;
        }
        let (reason, _) = failure(ended, &case);
        assert_eq!(reason, "somebody else added a version", "{case}");
        assert_eq!(copy.see().await?.env, start.env, "{case}");
        store.disable(SECRET, found).await?;
        copy.candidate = Some(NEW);
        carry_on(&copy, Then::Resume).await?;
        assert_eq!(copy.see().await?.value_in_use(), NEW, "{case}");
    }
    Ok(())
}

/// What was stored by the process that ended is the run's own, given again or not.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_stored_right_before_the_end_is_found() -> Result<()> {
    let world = stored().await?;
    let start = world.see().await?;
    for given in [None, Some(NEW)] {
        for then in THEN {
            let case = format!("given {given:?}, then {then:?}");
            let mut copy = world.copy()?;
            let stopped = copy.begin(&Moments::dying_at("stage: after add")).await;
            assert!(stopped.is_err(), "{case}");
            copy.candidate = given;
            copy.bring_to_its_end(then, &start, &case).await;
            let added = copy.see().await?.versions.len() - start.versions.len();
            assert_eq!(added, if then == Then::Resume { 1 } else { 2 }, "{case}");
        }
    }
    Ok(())
}

/// What was staged first is known by its number, and no more the candidate.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_stored_anew_right_before_the_end_is_found() -> Result<()> {
    let world = stored().await?;
    let start = world.see().await?;
    for given in [None, Some(NEW)] {
        for then in THEN {
            let case = format!("given {given:?}, then {then:?}");
            let mut copy = stopped_after(&world, "stage").await?;
            copy.platform()?.store.disable(SECRET, number(3)).await?;
            let died = Moments::dying_at("stage: after add");
            assert!(copy.carry_on(Then::Resume, &died).await.is_err(), "{case}");
            let stored = copy.see().await?.versions.len();
            assert_eq!(stored, start.versions.len() + 2, "{case}");
            copy.candidate = given;
            copy.bring_to_its_end(then, &start, &case).await;
        }
    }
    Ok(())
}

/// A request that was sent again after its answer was lost may be carried out each time.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_stored_three_times_is_one_candidate_and_goes_with_it() -> Result<()> {
    let world = stored().await?;
    let start = world.see().await?;
    for (step, then) in [
        ("stage", Then::Resume),
        ("stage", Then::RollBack),
        ("soak", Then::Resume),
        ("soak", Then::RollBack),
    ] {
        let case = format!("{step}, then {then:?}");
        let stopped = stopped_after(&world, step).await?;
        let store = stopped.platform()?.store;
        store.add(SECRET, &value(NEW)).await?;
        let copy = store.add(SECRET, &value(NEW)).await?.get();
        carry_on(&stopped, then).await?;
        let seen = stopped.see().await?;
        match then {
            Then::Resume => {
                assert_eq!(seen.services[0].bound, Bound::Pinned(number(3)), "{case}");
                assert!(!seen.is_enabled(OLD), "{case}: not retired");
                assert_eq!(seen.versions[&copy].0, "enabled", "{case}");
            }
            Then::RollBack => seen.expect_to_be(&start, &case),
        }
    }
    Ok(())
}

/// What was there before the run stored anything is not the run's, though nobody needs it.
#[tokio::test(flavor = "multi_thread")]
async fn a_version_from_before_the_run_that_somebody_enables_is_not_taken() -> Result<()> {
    let mut world = pinned().await?;
    let store = world.platform()?.store;
    let theirs = store.add(SECRET, &value(OLD)).await?;
    store.disable(SECRET, theirs).await?;
    let start = world.see().await?;
    let stopped = world.begin(&Moments::dying_at("stage: before add")).await;
    assert!(stopped.is_err());
    store.enable(SECRET, theirs).await?;
    world.candidate = None;
    let ended = carry_on(&world, Then::Resume).await;
    assert!(matches!(ended, Err(Stopped::Waits { .. })), "{ended:?}");
    assert_eq!(world.see().await?.env, start.env);
    world.candidate = Some(NEWER);
    let (reason, hint) = failure(carry_on(&world, Then::Resume).await, "enabled");
    assert_eq!(reason, "somebody else added a version");
    assert!(hint.contains(&format!("version {theirs}")), "{hint}");
    store.disable(SECRET, theirs).await?;
    world
        .bring_to_its_end(Then::Resume, &start, "disabled")
        .await;
    Ok(())
}

/// The services would go back to a value that is of no use; where they read it still, there is
/// nothing to lose.
#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_to_a_value_that_was_revoked_meanwhile_does_not_begin() -> Result<()> {
    for (step, is_moved) in [("prepare", false), ("cut-over", true), ("soak", true)] {
        let mut world = stored().await?;
        let start = world.see().await?;
        // Whoever revokes a value that is in use breaks one.
        world.is_lawful = false;
        let stopped = stopped_after(&world, step).await?;
        let Scene::Client(issuer) = &stopped.scene else {
            panic!("no issuer");
        };
        // Who doesn't answer revokes nothing.
        issuer.set_away(true);
        stopped.look_before_the_rollback().await?;
        issuer.set_away(false);
        issuer.revoke(OLD);
        let looked = stopped.look_before_the_rollback().await;
        let said = looked.err().map(|error| error.to_string());
        assert_eq!(said.is_some(), is_moved, "{step}");
        assert!(
            said.is_none_or(|said| said.contains("was revoked")),
            "{step}"
        );
        stopped.bring_to_its_end(Then::Resume, &start, step).await;
    }
    Ok(())
}
