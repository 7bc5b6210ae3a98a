//! Two rotations of two secrets of one service in lockstep, of which the one overtakes the
//! other between its last look and Cloud Run's own change. Which one is first isn't chance:
//! the stand-in keeps a request until the other has done its part.
use std::rc::Rc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use integration_tests::google::Hold;
use platform::Bound;
use rotation::{GMA_CLIENT_SECRET, RED_HAT_SSO_CLIENT_SECRET};

use super::moments::Moments;
use super::other_people::{carry_on, failure, number};
use super::project::Project;
use super::two_of_a_service::{expect_serving, worlds};
use super::world::{Ended, Then, World};

/// What sends traffic.
const TRAFFIC: &str = "gcloud.run.services.update-traffic";
const HANDLER: &str = "marketplace-handler";
/// On a machine with much else to do.
const PATIENCE: Duration = Duration::from_secs(600);
const CUT_OVER: &str = "cut-over: after it is verified";

/// A run that says that it is done is; one that was overtaken says so, and goes on.
async fn expect_end(world: &World, ended: Ended, case: &str) -> Result<()> {
    if ended.is_ok() {
        return Ok(());
    }
    let (reason, _) = failure(ended, case);
    let is_told = [
        "a service served with another revision",
        "somebody else changed the same thing",
        "somebody else moved the traffic",
        // It looked while the other's traffic was on its way.
        "a service was not ready",
    ];
    assert!(is_told.contains(&reason), "{case}: {reason}");
    carry_on(world, Then::Resume).await.context(case.to_owned())
}

fn expect_both(project: &Project, case: &str) -> Result<()> {
    for secret in [RED_HAT_SSO_CLIENT_SECRET, GMA_CLIENT_SECRET] {
        expect_serving(project, secret, Bound::Pinned(number(2)), case)?;
    }
    Ok(())
}

/// Two worlds, both of them right before their cutovers.
async fn before_the_cutover() -> Result<Option<(Rc<Project>, World, World)>> {
    let Some((project, first, second)) = worlds().await? else {
        return Ok(None);
    };
    let prepared = Moments::dying_at("prepare: after it is verified");
    assert!(first.begin(&prepared).await.is_err());
    let prepared = Moments::dying_at("prepare: after it is verified");
    assert!(second.begin(&prepared).await.is_err());
    Ok(Some((project, first, second)))
}

/// Carries the first one on; while its request is held, the second cuts over, and its
/// process ends there.
async fn overtaken_while_held(first: &World, second: &World, hold: Hold) -> Ended {
    let stop = Moments::dying_at(CUT_OVER);
    let (ended, ()) = tokio::join!(carry_on(first, Then::Resume), async {
        hold.held().await;
        assert!(second.carry_on(Then::Resume, &stop).await.is_err());
        hold.release();
    });
    ended
}

/// The other's cutover comes between the first one's last look and its change, which the
/// server refuses since it was made of what served before.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_is_refused_is_made_again_of_what_the_other_has_done() -> Result<()> {
    let Some((project, first, second)) = before_the_cutover().await? else {
        return Ok(());
    };
    let case = "the change is refused";
    let hold = project.hold(Hold::first(TRAFFIC, "PUT", HANDLER));
    let ended = overtaken_while_held(&first, &second, hold).await;
    ended.context(case)?;
    // The other has gone no further: what serves with its version is the first one's doing.
    let told = project.tell(GMA_CLIENT_SECRET)?;
    assert_eq!(told.described[0].bound, Bound::Pinned(number(2)), "{case}");
    carry_on(&second, Then::Resume).await?;
    expect_both(&project, case)
}

/// `gcloud` itself reads the service after the other's cutover, so that nobody refuses its
/// change. The other sees it, and cuts over once more.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_takes_the_other_s_back_is_seen_by_the_other() -> Result<()> {
    let Some((project, first, second)) = before_the_cutover().await? else {
        return Ok(());
    };
    let case = "the other's is taken back";
    let hold = project.hold(Hold::first(TRAFFIC, "GET", HANDLER));
    let overtaken = {
        let (hold, google) = (hold.clone(), project.google());
        Moments::meanwhile("cut-over: after cut over", move || {
            let serving = || {
                google.world().run.services[HANDLER]
                    .serving()
                    .map(str::to_owned)
            };
            let (before, began) = (serving(), Instant::now());
            hold.release();
            while serving() == before {
                assert!(began.elapsed() < PATIENCE, "it never overtook");
                sleep(Duration::from_millis(5));
                google.world().run.settle();
            }
        })
    };
    let (one, other) = tokio::join!(carry_on(&first, Then::Resume), async {
        hold.held().await;
        second.carry_on(Then::Resume, &overtaken).await
    });
    assert!(!overtaken.is_still_to_come(), "{case}");
    expect_end(&first, one, case).await?;
    expect_end(&second, other, case).await?;
    expect_both(&project, case)
}

/// The other had looked for the last time in its cutover, and its process ended there.
#[tokio::test(flavor = "multi_thread")]
async fn a_cutover_that_was_taken_back_meanwhile_is_made_again_by_the_resumption() -> Result<()> {
    let Some((project, first, second)) = before_the_cutover().await? else {
        return Ok(());
    };
    let case = "taken back after the last look";
    let hold = project.hold(Hold::first(TRAFFIC, "GET", HANDLER));
    let ended = overtaken_while_held(&first, &second, hold).await;
    expect_end(&first, ended, case).await?;
    let resumed = carry_on(&second, Then::Resume).await;
    expect_end(&second, resumed, case).await?;
    expect_both(&project, case)
}
