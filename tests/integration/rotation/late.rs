//! Requests that come to Google's servers long after `gcloud` has lost them: it has sent them
//! again, or the run has stopped, gone on or been rolled back. What services read works, nothing
//! that is in use is retired, and what is wrong is said.
use anyhow::{Context as _, Result};
use integration_tests::google::{Effect, Fault, Google};
use platform::{Bound, Finding};
use rotation::{DATABASE_URL, RED_HAT_SSO_CLIENT_SECRET, left_behind};
use runbook::{StepError as _, Stopped};

use super::clients::{NEW, NEWER, OLD};
use super::moments::Moments;
use super::on_google::{client, login};
use super::other_people::number;
use super::seen::Seen;
use super::world::{Ended, Then, World};

const ADDITION: &str = ":addVersion";
const OF_AGENT: &str = "/services/lightspeed-agent?";
/// Changes of a service, before the one by which its traffic is cut over: two that pin it, and
/// one that prepares its revision.
const BEFORE_CUT_OVER: u32 = 3;

/// What becomes of a request that is lost for now.
#[derive(Clone, Copy)]
enum Again {
    /// `gcloud` sends it once more, and that is carried out.
    CarriedOut,
    /// That is refused, for another change is under way; and so are so many more.
    Refused(u32),
}

fn lose(google: &Google, method: &'static str, piece: &'static str, after: u32, again: Again) {
    let lost = Fault {
        after,
        ..Fault::once(method, piece, Effect::Strays)
    };
    google.fault(lost.clone());
    if let Again::Refused(times) = again {
        google.fault(Fault {
            effect: Effect::Conflict,
            times,
            ..lost
        });
    }
}

/// Right before the revisions are prepared.
fn delivered_before_preparing(google: Google) -> Moments {
    Moments::meanwhile("prepare: before prepare", move || {
        assert_eq!(google.deliver(), (1, 0));
    })
}

async fn client_world() -> Result<Option<World>> {
    client(RED_HAT_SSO_CLIENT_SECRET, "redhat-sso-client-id").await
}

fn expect_failed(world: &World, ended: Ended, reason: &str) {
    match ended {
        Err(Stopped::Failed { error, changed, .. }) => {
            assert_eq!(error.to_string(), reason);
            assert!(changed, "it has pinned the services");
        }
        other => panic!("{other:?}"),
    }
    let is_struck = world.project().mend();
    assert!(is_struck, "nothing was lost");
}

/// What services read, and what they would read as `latest`, is this value, which works; what
/// came since the start and is another one is disabled.
fn expect_in_use(seen: &Seen, value: &str, start: &Seen) {
    let mut in_use = seen.values_in_use();
    assert!(in_use.all(|one| one == value), "another value is in use");
    assert!(seen.beside.accepted.contains(value), "it is refused");
    let states = seen.states();
    let (_, state, latest) = seen.latest().expect("a version");
    assert!(
        state == "enabled" && latest == value,
        "the latest: {states:?}"
    );
    let came = seen.versions.iter();
    for (number, (state, held)) in came.filter(|(number, _)| !start.versions.contains_key(number)) {
        assert!(state == "disabled" || held == value, "{number}: {states:?}");
    }
}

/// What `status` says of the services that the runs bound.
async fn told(world: &World) -> Result<Vec<Finding>> {
    let (platform, histories) = (world.platform()?, world.histories()?);
    let mut told = Vec::new();
    for expected in left_behind(&histories)
        .iter()
        .flat_map(|left| &left.services)
    {
        let (service, binding) = (&expected.service, &expected.binding);
        let found = platform.services.describe(service, binding).await?;
        let versions = platform.store.versions(&binding.secret).await?;
        told.extend(expected.deviation(&platform, &found, &versions));
    }
    Ok(told)
}

/// One says so of each service, and what it says to type mends it.
async fn expect_told_and_mend(world: &World, came: u64, left: u64) -> Result<()> {
    let told = told(world).await?;
    assert_eq!(told.len(), 2, "{told:?}");
    let words = format!("that is version {came} now, and not version {left}");
    for finding in &told {
        assert!(finding.text.contains(&words), "{finding:?}");
        for command in &finding.mend {
            world.project().paste(command)?;
        }
    }
    assert_eq!(self::told(world).await?, []);
    Ok(())
}

/// A client's secret that is stored twice is one value: it serves, and goes with it.
#[tokio::test(flavor = "multi_thread")]
async fn an_addition_that_is_carried_out_twice_disturbs_neither_way() -> Result<()> {
    let Some(world) = client_world().await? else {
        return Ok(());
    };
    let (start, google) = (world.see_when_ready().await?, world.project().google());
    lose(&google, "POST", ADDITION, 0, Again::CarriedOut);
    world.begin(&delivered_before_preparing(google)).await?;
    let seen = world.see().await?;
    expect_in_use(&seen, NEW, &start);
    assert_eq!(seen.enabled(), 3, "{:?}", seen.states());
    assert!(!seen.is_enabled(OLD), "it is not retired");
    for service in &seen.services {
        assert_eq!(service.bound, Bound::Pinned(number(3)));
    }

    // A rollback that stops between the two, and is told to go on.
    world.project().google().fault(Fault {
        after: 1,
        times: 20,
        ..Fault::once("POST", ":disable", Effect::Unavailable)
    });
    let nothing = Moments::undisturbed();
    let ended = world.carry_on(Then::RollBack, &nothing).await;
    assert!(matches!(ended, Err(Stopped::Stuck { .. })), "{ended:?}");
    assert!(world.project().mend(), "nothing was refused");
    world.carry_on(Then::RollBack, &nothing).await?;
    let seen = world.see().await?;
    seen.expect_to_be(&start, "back");
    expect_in_use(&seen, OLD, &start);
    Ok(())
}

/// What it stores then is the old value, and nothing that came late.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_rollback_stored_and_did_not_write_down_is_its_own() -> Result<()> {
    let world = World::stored().await?;
    let nothing = Moments::undisturbed();
    world.begin(&nothing).await?;
    let died = Moments::dying_at("undo stage: after add");
    assert!(world.carry_on(Then::RollBack, &died).await.is_err());
    world.carry_on(Then::RollBack, &nothing).await?;
    assert_eq!(told(&world).await?, []);
    assert_eq!(world.see().await?.versions.len(), 4, "stored twice");
    let again = world
        .history()?
        .facts
        .version("old value stored again as")?;
    assert_eq!(again, 4);
    Ok(())
}

/// The one that is lost has the password of a process that has ended.
#[tokio::test(flavor = "multi_thread")]
async fn an_addition_that_comes_after_that_of_a_resumption_is_told_as_a_foreign_one() -> Result<()>
{
    let Some(world) = login(DATABASE_URL).await? else {
        return Ok(());
    };
    let (start, google) = (world.see_when_ready().await?, world.project().google());
    lose(&google, "POST", ADDITION, 0, Again::Refused(1));
    let ended = world.begin(&Moments::undisturbed()).await;
    let reason = "cannot add a version to the secret `database-url`: somebody else changes it at \
                  the same time";
    expect_failed(&world, ended, reason);
    let ended = world
        .carry_on(Then::Resume, &delivered_before_preparing(google))
        .await;
    let Err(Stopped::Failed { error, .. }) = ended else {
        panic!("{ended:?}");
    };
    let hint = error.hint().context("a hint")?;
    assert!(hint.contains("who added version 4"), "{error}: {hint}");
    let seen = world.see().await?;
    assert!(seen.is_enabled(start.value_in_use()), "retired");

    world
        .platform()?
        .store
        .disable("database-url", number(4))
        .await?;
    world
        .carry_on(Then::Resume, &Moments::undisturbed())
        .await?;
    let seen = world.see().await?;
    assert_eq!(seen.beside.accepted.len(), 1, "other logins");
    assert!(!seen.is_enabled(start.value_in_use()), "not retired");
    Ok(())
}

/// Then `latest`, which the services read again, is what was given up.
#[tokio::test(flavor = "multi_thread")]
async fn an_addition_that_comes_after_a_rollback_is_told_with_what_mends_it() -> Result<()> {
    let Some(world) = login(DATABASE_URL).await? else {
        return Ok(());
    };
    let (start, google) = (world.see_when_ready().await?, world.project().google());
    lose(&google, "POST", ADDITION, 0, Again::Refused(1));
    let nothing = Moments::undisturbed();
    assert!(world.begin(&nothing).await.is_err());
    world.project().mend();
    world.carry_on(Then::RollBack, &nothing).await?;
    world.see().await?.expect_to_be(&start, "back");
    assert_eq!(told(&world).await?, []);

    assert_eq!(google.deliver(), (1, 0));
    let in_use = world.see().await?.value_in_use().to_owned();
    assert!(!world.scene.accepts(&in_use).await, "nothing is wrong");
    expect_told_and_mend(&world, 3, 2).await?;
    let seen = world.see().await?;
    assert_eq!(seen.value_in_use(), start.value_in_use());
    // The next run says so, too, and goes through when what came is disabled.
    world
        .platform()?
        .store
        .disable("database-url", number(3))
        .await?;

    // A retirement that is lost, sent again, and taken back.
    lose(&google, "POST", "/2:disable", 0, Again::CarriedOut);
    world.begin(&nothing).await?;
    assert!(!world.see().await?.is_enabled(&in_use), "not retired");
    world.carry_on(Then::RollBack, &nothing).await?;
    assert_eq!(google.deliver(), (1, 0));
    let ended = world.begin(&nothing).await;
    let Err(Stopped::Failed { error, changed, .. }) = ended else {
        panic!("{ended:?}");
    };
    assert!(!changed);
    assert_eq!(
        error.to_string(),
        "version `2` of the secret `database-url` is disabled"
    );
    Ok(())
}

/// Traffic that moves when a rollback has seen that it hasn't.
#[tokio::test(flavor = "multi_thread")]
async fn a_cutover_that_comes_during_the_rollback_is_taken_back() -> Result<()> {
    let Some(mut world) = client_world().await? else {
        return Ok(());
    };
    let (start, google) = (world.see_when_ready().await?, world.project().google());
    lose(&google, "PUT", OF_AGENT, BEFORE_CUT_OVER, Again::Refused(6));
    let nothing = Moments::undisturbed();
    let ended = world.begin(&nothing).await;
    let reason = "cannot send the traffic of `lightspeed-agent`: somebody else changes it at the \
                  same time";
    expect_failed(&world, ended, reason);

    let late = google.clone();
    let delivered = Moments::meanwhile("prepare: before discard", move || {
        assert_eq!(late.deliver(), (1, 0));
    });
    let ended = world.carry_on(Then::RollBack, &delivered).await;
    if ended.is_err() {
        world.carry_on(Then::RollBack, &nothing).await?;
    }
    let seen = world.see().await?;
    seen.expect_to_be(&start, "back");
    expect_in_use(&seen, OLD, &start);
    world.candidate = Some(NEWER);
    world.begin(&nothing).await?;
    let seen = world.see().await?;
    expect_in_use(&seen, NEWER, &start);
    Ok(())
}
