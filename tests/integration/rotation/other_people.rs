//! What other people do to the store in the middle of a run: it is noticed and said, nothing that is
//! needed is retired, and the hint leads on.
use anyhow::Result;
use platform::Bound;
use runbook::{StepError as _, Stopped};
use secret::{FernetKey, SecretValue, VersionNumber};

use super::moments::Moments;
use super::seen::{SECRET, Seen};
use super::world::{Ended, Then, World};

/// A copy whose run was cut off when this step was done.
pub(super) async fn stopped_after(world: &World, step: &str) -> Result<World> {
    let copy = world.copy()?;
    let stop = Moments::dying_at(&format!("{step}: after it is verified"));
    let ended = copy.begin(&stop).await;
    assert!(ended.is_err(), "{step}");
    Ok(copy)
}

pub(super) async fn carry_on(world: &World, then: Then) -> Ended {
    world.carry_on(then, &Moments::undisturbed()).await
}

/// Why a step failed, and the hint.
pub(super) fn failure(ended: Ended, case: &str) -> (&'static str, String) {
    match ended {
        Err(Stopped::Failed { error, .. } | Stopped::Stuck { error, .. }) => {
            (error.reason(), error.hint().unwrap_or_default())
        }
        other => panic!("{case}: {other:?}"),
    }
}

pub(super) fn number(version: u64) -> VersionNumber {
    VersionNumber::new(version).expect("from 1 on")
}

/// All is under the new key and the old one is retired, whatever else there is.
pub(super) fn expect_done(seen: &Seen, start: &Seen, case: &str) {
    assert_ne!(seen.value_in_use(), start.value_in_use(), "{case}");
    seen.expect_all_under(seen.value_in_use(), case);
    assert_eq!(seen.plaintexts(), start.plaintexts(), "{case}");
    assert!(seen.is_enabled(seen.value_in_use()), "{case}");
    assert!(!seen.is_enabled(start.value_in_use()), "{case}");
    assert!(matches!(seen.services[0].bound, Bound::Pinned(_)) && seen.services[0].ready);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_adds_a_version() -> Result<()> {
    let world = World::stored().await?;
    let start = world.see().await?;
    for step in [
        "check",
        "back-up",
        "pin",
        "generate",
        "stage",
        "survey",
        "prepare",
        "re-encrypt",
        "cut-over",
        "sweep",
        "verify",
        "soak",
    ] {
        let stopped = stopped_after(&world, step).await?;
        let store = stopped.platform()?.store;
        let value = SecretValue::from(&FernetKey::generate());
        let foreign = store.add(SECRET, &value).await?;
        let (reason, hint) = failure(carry_on(&stopped, Then::Resume).await, step);
        assert_eq!(reason, "somebody else added a version", "{step}");
        assert!(
            hint.contains(&format!("version {foreign}")),
            "{step}: {hint}"
        );
        let seen = stopped.see().await?;
        assert!(seen.is_enabled(start.value_in_use()), "{step}: retired");

        // Back: the service gets what it had, and not what somebody put there.
        let back = stopped.copy()?;
        carry_on(&back, Then::RollBack).await?;
        let seen = back.see().await?;
        assert_eq!(
            (&seen.table.cells, &seen.env),
            (&start.table.cells, &start.env),
            "{step}"
        );
        assert!(seen.is_enabled(start.value_in_use()), "{step}");
        assert!(seen.services[0].ready, "{step}");
        assert_eq!(
            seen.versions[&foreign.get()].0,
            "enabled",
            "{step}: not ours"
        );

        // Or on, by the hint.
        store.disable(SECRET, foreign).await?;
        carry_on(&stopped, Then::Resume).await?;
        expect_done(&stopped.see().await?, &start, step);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_may_not_go_back_to_latest_stays_pinned_and_it_is_said() -> Result<()> {
    let world = World::stored().await?;
    let stopped = stopped_after(&world, "pin").await?;
    let value = SecretValue::from(&FernetKey::generate());
    stopped.platform()?.store.add(SECRET, &value).await?;
    let nothing = Moments::undisturbed();
    let (ended, remarks) = stopped.carry_on_telling(Then::RollBack, &nothing).await;
    ended?;
    let said =
        "`marketplace-handler` stays pinned to version 2: the latest version has another value";
    assert!(remarks.iter().any(|remark| remark == said), "{remarks:?}");
    let bound = stopped.see().await?.services[0].bound;
    assert_eq!(bound, Bound::Pinned(number(2)));
    Ok(())
}

/// Whoever reads the latest version would get theirs.
#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_adds_after_the_new_version_is_not_the_latest_after_a_rollback() -> Result<()>
{
    let world = World::stored().await?;
    let start = world.see().await?;
    let stopped = stopped_after(&world, "stage").await?;
    let value = SecretValue::from(&FernetKey::generate());
    stopped.platform()?.store.add(SECRET, &value).await?;
    carry_on(&stopped, Then::RollBack).await?;
    let seen = stopped.see().await?;
    let (number, state, value) = seen.latest().expect("a version");
    assert_eq!((number, state, value), (5, "enabled", start.value_in_use()));
    assert_eq!(seen.services[0].bound, Bound::Latest);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_disables_the_new_version() -> Result<()> {
    let mut world = World::stored().await?;
    world.is_lawful = false;
    let start = world.see().await?;
    for step in [
        "stage",
        "survey",
        "prepare",
        "re-encrypt",
        "cut-over",
        "sweep",
        "verify",
        "soak",
    ] {
        let stopped = stopped_after(&world, step).await?;
        stopped.platform()?.store.disable(SECRET, number(3)).await?;
        let back = stopped.copy()?;

        let ended = carry_on(&stopped, Then::Resume).await;
        if ended.is_err() {
            if let Err(Stopped::Failed { error, .. }) = &ended {
                let hint = error.hint().unwrap_or_default();
                assert!(hint.contains("enable-version"), "{step}: {error}: {hint}");
            }
            assert!(
                stopped.see().await?.is_enabled(start.value_in_use()),
                "{step}"
            );
            stopped.platform()?.store.enable(SECRET, number(3)).await?;
            carry_on(&stopped, Then::Resume).await?;
        }
        expect_done(&stopped.see().await?, &start, step);

        let ended = carry_on(&back, Then::RollBack).await;
        if ended.is_err() {
            let (reason, hint) = failure(ended, step);
            assert_eq!(reason, "a version is disabled or destroyed", "{step}");
            assert!(hint.contains("enable-version"), "{step}: {hint}");
            back.platform()?.store.enable(SECRET, number(3)).await?;
            carry_on(&back, Then::RollBack).await?;
        }
        back.see().await?.expect_to_be(&start, step);
    }
    Ok(())
}

/// The old version, before its time.
#[tokio::test(flavor = "multi_thread")]
async fn somebody_disables_the_old_version() -> Result<()> {
    let mut world = World::stored().await?;
    world.is_lawful = false;
    let start = world.see().await?;
    for step in [
        "pin",
        "stage",
        "prepare",
        "re-encrypt",
        "cut-over",
        "sweep",
        "soak",
    ] {
        let stopped = stopped_after(&world, step).await?;
        stopped.platform()?.store.disable(SECRET, number(2)).await?;
        let back = stopped.copy()?;
        let ended = carry_on(&stopped, Then::Resume).await;
        // Once the table is under the new key, nothing needs the old one.
        let is_needed = !["re-encrypt", "cut-over", "sweep", "soak"].contains(&step);
        assert_eq!(ended.is_err(), is_needed, "{step}: {ended:?}");
        if ended.is_err() {
            let (_, hint) = failure(ended, step);
            assert!(hint.contains("enable-version"), "{step}: {hint}");
            stopped.platform()?.store.enable(SECRET, number(2)).await?;
            carry_on(&stopped, Then::Resume).await?;
        }
        expect_done(&stopped.see().await?, &start, step);

        let ended = carry_on(&back, Then::RollBack).await;
        if ended.is_err() {
            let (_, hint) = failure(ended, step);
            assert!(hint.contains("enable-version"), "{step}: {hint}");
            back.platform()?.store.enable(SECRET, number(2)).await?;
            carry_on(&back, Then::RollBack).await?;
        } else {
            // What it never needed, it left as it was.
            back.platform()?.store.enable(SECRET, number(2)).await?;
        }
        back.see().await?.expect_to_be(&start, step);
    }
    Ok(())
}

/// Nothing begins that can't end.
#[tokio::test(flavor = "multi_thread")]
async fn a_version_added_before_the_run_stops_it_before_anything_changes() -> Result<()> {
    let world = World::pinned().await?;
    let value = SecretValue::from(&FernetKey::generate());
    world.platform()?.store.add(SECRET, &value).await?;
    let start = world.see().await?;
    let ended = world.begin(&Moments::undisturbed()).await;
    let Err(Stopped::Failed {
        number,
        changed,
        error,
        ..
    }) = ended
    else {
        panic!("{ended:?}");
    };
    assert_eq!((number, changed), (1, false));
    assert_eq!(error.reason(), "somebody else added a version");
    assert_eq!(world.see().await?, start);
    Ok(())
}
