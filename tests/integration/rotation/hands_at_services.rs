//! What other people deploy, disable and destroy in the middle of a run, on the local platform
//! and on Google Cloud: it is noticed and said, and nothing that serves is retired.
use anyhow::{Context as _, Result};
use platform::{Binding, Bound};
use rotation::{GMA_CLIENT_SECRET, RED_HAT_SSO_CLIENT_SECRET, Role};
use runbook::{StepError as _, Stopped};
use secret::SecretValue;

use super::clients::{NEW, NEWER, OLD, stored};
use super::moments::Moments;
use super::on_google;
use super::other_people::{carry_on, failure, number, stopped_after};
use super::world::{Ended, Then, World};

const STEPS: [&str; 4] = ["pin", "prepare", "cut-over", "soak"];

/// The same on each platform; on Google Cloud for the step that tells the most.
async fn worlds() -> Result<Vec<(World, &'static [&'static str])>> {
    let mut worlds = vec![(stored().await?, &STEPS[..])];
    if let Some(google) = on_google::client(GMA_CLIENT_SECRET, "gma-client-id").await? {
        worlds.push((google, &STEPS[2..3]));
    }
    for (world, _) in &mut worlds {
        // The laws are those of one who rotates alone.
        world.is_lawful = false;
    }
    Ok(worlds)
}

/// What a deployment of all that read the secret does by hand.
async fn deploy(world: &World, bound: Bound) -> Result<()> {
    for role in world.scene.secret().readers {
        deploy_one(world, *role, bound).await?;
    }
    Ok(())
}

async fn deploy_one(world: &World, role: Role, bound: Bound) -> Result<()> {
    let services = world.platform()?.services;
    let service = role.default_service();
    let revision = services.prepare(service, &binding(world), bound).await?;
    Ok(services.cut_over(service, &revision).await?)
}

/// What a service doesn't serve with is deleted by hand.
async fn discard_others(world: &World) -> Result<()> {
    let (secret, services) = (world.scene.secret(), world.platform()?.services);
    for role in secret.readers {
        let service = role.default_service();
        services.discard_others(service).await?;
    }
    Ok(())
}

fn binding(world: &World) -> Binding {
    let secret = world.scene.secret();
    Binding {
        variable: secret.variable.to_owned(),
        secret: secret.store_name.to_owned(),
    }
}

/// It stopped, with words that lead on, and nothing is retired.
async fn expect_said(world: &World, ended: Ended, case: &str) -> Result<()> {
    match ended {
        Err(Stopped::Failed { error, .. } | Stopped::Stuck { error, .. }) => {
            assert!(error.hint().is_some(), "{case}: {error}");
        }
        Err(Stopped::Disturbed { .. }) => {}
        other => panic!("{case}: {other:?}"),
    }
    assert!(world.see().await?.is_enabled(OLD), "{case}: retired");
    Ok(())
}

async fn expect_done(world: &World, case: &str) -> Result<()> {
    let seen = world.see().await?;
    assert_eq!(seen.value_in_use(), NEW, "{case}");
    assert!(!seen.is_enabled(OLD), "{case}");
    for service in &seen.services {
        assert!(matches!(service.bound, Bound::Pinned(_)), "{case}");
        assert_eq!(service.revisions.len(), 1, "{case}");
    }
    Ok(())
}

/// An installation's own YAML says `latest`.
#[tokio::test(flavor = "multi_thread")]
async fn somebody_deploys_and_unpins_a_service() -> Result<()> {
    for (world, steps) in worlds().await? {
        for step in steps {
            let stopped = stopped_after(&world, step).await?;
            let pinned = stopped.see().await?.services[0].bound;
            deploy(&stopped, Bound::Latest).await?;
            let ended = carry_on(&stopped, Then::Resume).await;
            if ended.is_err() {
                expect_said(&stopped, ended, step).await?;
                deploy(&stopped, pinned).await?;
                carry_on(&stopped, Then::Resume).await.context("again")?;
            }
            expect_done(&stopped, step).await?;
        }
    }
    Ok(())
}

/// Somebody rotates by hand: a version of their own, and the services bound to it.
#[tokio::test(flavor = "multi_thread")]
async fn somebody_rotates_by_hand() -> Result<()> {
    for (world, steps) in worlds().await? {
        for step in steps {
            let stopped = stopped_after(&world, step).await?;
            let pinned = stopped.see().await?.services[0].bound;
            let (store, secret) = (stopped.platform()?.store, stopped.scene.secret().store_name);
            let theirs = store
                .add(secret, &SecretValue::from(NEWER.as_bytes()))
                .await?;
            deploy(&stopped, Bound::Pinned(theirs)).await?;
            let ended = carry_on(&stopped, Then::Resume).await;
            expect_said(&stopped, ended, step).await?;
            let seen = stopped.see().await?;
            assert_eq!(seen.value_in_use(), NEWER, "{step}: taken away");

            deploy(&stopped, pinned).await?;
            store.disable(secret, theirs).await?;
            carry_on(&stopped, Then::Resume).await.context("again")?;
            expect_done(&stopped, step).await?;
        }
    }
    Ok(())
}

/// The run's own version, for good: only the way back is left, if any is.
#[tokio::test(flavor = "multi_thread")]
async fn somebody_destroys_the_new_version() -> Result<()> {
    for (world, steps) in worlds().await? {
        for step in steps.iter().filter(|step| **step != "pin") {
            let stopped = stopped_after(&world, step).await?;
            let secret = stopped.scene.secret().store_name;
            stopped.platform()?.store.destroy(secret, number(3)).await?;
            let ended = carry_on(&stopped, Then::Resume).await;
            expect_said(&stopped, ended, step).await?;
            let back = carry_on(&stopped, Then::RollBack).await;
            if *step != "prepare" && stopped.path(".env").exists() {
                // The file's value is in no store then, so nobody takes it away.
                expect_said(&stopped, back, step).await?;
                assert_eq!(stopped.see().await?.value_in_use(), NEW, "{step}");
                continue;
            }
            back.context("back")?;
            let seen = stopped.see().await?;
            assert_eq!(seen.value_in_use(), OLD, "{step}");
            assert!(seen.is_enabled(OLD), "{step}");
        }
    }
    Ok(())
}

/// What takes its time to start is ready again before the outage begins.
#[tokio::test(flavor = "multi_thread")]
async fn a_prepared_revision_that_somebody_deletes_is_made_again_before_the_change() -> Result<()> {
    let world = World::stored().await?;
    let start = world.see().await?;
    let stopped = stopped_after(&world, "prepare").await?;
    discard_others(&stopped).await?;
    let moments = Moments::undisturbed();
    stopped.carry_on(Then::Resume, &moments).await?;
    let passed = moments.passed();
    let first = |moment: &str| passed.iter().position(|passed| passed == moment);
    let made = first("prepare: after prepare").expect("made again");
    let changed = first("re-encrypt: before it is applied").expect("a change");
    assert!(made < changed);
    stopped.see().await?.expect_rotated_from(&start, "deleted");
    Ok(())
}

/// What serves by then is somebody else's: a rollback that would take it away doesn't begin.
#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_takes_no_version_from_a_service_that_somebody_has_deployed() -> Result<()> {
    let mut world = stored().await?;
    world.is_lawful = false;
    let stopped = stopped_after(&world, "cut-over").await?;
    let (store, secret) = (stopped.platform()?.store, stopped.scene.secret().store_name);
    for (value, is_known) in [(NEWER, false), (OLD, true), (NEW, true)] {
        let value_of_it = SecretValue::from(value.as_bytes());
        let version = store.add(secret, &value_of_it).await?;
        deploy(&stopped, Bound::Pinned(version)).await?;
        let looked = stopped.look_before_the_rollback().await;
        assert_eq!(looked.is_ok(), is_known, "{value}: {looked:?}");
        if let Err(error) = looked {
            let said = format!("which reads version {version}, which this run doesn't know");
            assert!(error.to_string().ends_with(&said), "{error}");
        }
    }
    deploy(&stopped, Bound::Pinned(number(3))).await?;
    stopped.look_before_the_rollback().await?;
    Ok(())
}

/// The process ends with the table under the new key, and somebody sends the traffic there to
/// end the outage: the rollback takes it back, before the table goes.
#[tokio::test(flavor = "multi_thread")]
async fn a_cutover_by_hand_is_undone_with_the_run() -> Result<()> {
    let mut world = World::stored().await?;
    world.is_lawful = false;
    let start = world.see().await?;
    let stopped = stopped_after(&world, "re-encrypt").await?;
    let new = stopped.see().await?.latest().context("a version")?.0;
    deploy(&stopped, Bound::Pinned(number(new))).await?;
    // It is as it should be.
    let left = rotation::left_behind(&stopped.histories()?);
    let expected = left.first().and_then(|left| left.services.first());
    assert!(expected.is_some_and(|one| one.versions.contains(&number(new))));
    let soaking = Moments::dying_at("soak: after it is verified");
    assert!(stopped.carry_on(Then::Resume, &soaking).await.is_err());
    assert_ne!(stopped.see().await?.env, start.env);
    stopped.look_before_the_rollback().await?;
    stopped
        .bring_to_its_end(Then::RollBack, &start, "by hand")
        .await;
    Ok(())
}

/// The run is undone but for what it stored: that stays as long as a service reads it.
#[tokio::test(flavor = "multi_thread")]
async fn somebody_deploys_the_new_version_during_the_rollback() -> Result<()> {
    let mut world = stored().await?;
    world.is_lawful = false;
    let stopped = stopped_after(&world, "cut-over").await?;
    let back = Moments::dying_at("undo stage: before it is undone");
    assert!(stopped.carry_on(Then::RollBack, &back).await.is_err());
    deploy(&stopped, Bound::Pinned(number(3))).await?;
    let (reason, hint) = failure(carry_on(&stopped, Then::RollBack).await, "back");
    assert_eq!(reason, "a revision still reads the version");
    assert!(!hint.is_empty());
    assert!(stopped.see().await?.is_enabled(NEW), "disabled");
    deploy(&stopped, Bound::Pinned(number(2))).await?;
    discard_others(&stopped).await?;
    carry_on(&stopped, Then::RollBack).await.context("again")?;
    let seen = stopped.see().await?;
    assert!(!seen.is_enabled(NEW) && seen.is_enabled(OLD));
    Ok(())
}

/// With two versions in use, neither is the one to go back to.
#[tokio::test(flavor = "multi_thread")]
async fn services_that_read_different_versions_are_refused() -> Result<()> {
    let secret = RED_HAT_SSO_CLIENT_SECRET;
    let Some(mut world) = on_google::client(secret, "redhat-sso-client-id").await? else {
        return Ok(());
    };
    world.is_lawful = false;
    // First beside one that reads the latest version, which is the second.
    for (role, version) in secret.readers.iter().zip([1, 2]) {
        deploy_one(&world, *role, Bound::Pinned(number(version))).await?;
        let (before, world) = (world.see().await?, world.copy()?);
        let ended = world.begin(&Moments::undisturbed()).await;
        let Err(Stopped::Failed {
            error,
            changed: false,
            ..
        }) = ended
        else {
            panic!("not refused: {ended:?}");
        };
        let said = "the services read different versions of `redhat-sso-client-secret`: 1 and 2";
        assert_eq!(error.to_string(), said);
        assert_eq!(world.see().await?, before);
    }
    Ok(())
}
