//! The network between `gcloud` and Google in every trouble, at every request of a whole
//! rotation and of its rollback: what is said to have happened has happened, and one
//! command brings everything to an end.
//!
//! A case takes a whole rotation, so one is gone through as a rule, for each sort of
//! secret; `TEST_CASES=all` goes through all of them, `2/4` through the second of four parts.
mod cases;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Result;
use rotation::{DATABASE_URL, RED_HAT_SSO_CLIENT_SECRET};
use runbook::Stopped;
use tokio::task::{LocalSet, spawn_local};

use self::cases::{Asked, Phase, cases};
use super::moments::Moments;
use super::on_google::{client, key, login};
use super::seen::Seen;
use super::world::{Ended, Then, World};
use crate::part::Part;

pub(super) use self::cases::Case;

/// How many are under way at once where many are gone through: they wait most of the time.
const AT_ONCE: usize = 4;
/// The longest that one may take until it ends or fails. A call of `gcloud` has its
/// limit, and no question is asked more than three times.
const LONGEST: Duration = Duration::from_secs(300);

/// A world before its rotation and the same after it, with which cases begin.
struct Bench {
    before: World,
    after: World,
    start: Seen,
    end: Seen,
    asked: Vec<Asked>,
}

/// How a case came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    /// As if nothing had been.
    WentThrough,
    /// It said that nothing was changed, and was begun again.
    BegunAgain,
    Resumed,
    RolledBack,
    /// A rollback failed, and was gone on with.
    RolledBackTwice,
}

impl Bench {
    async fn new(before: World) -> Result<Bench> {
        let after = before.copy()?;
        after.begin(&Moments::undisturbed()).await?;
        let (end, start) = (after.see().await?, before.see().await?);
        end.expect_rotated_from(&start, "undisturbed");
        let asked = Asked::all_of(Phase::Forward, &after.project().asked());
        Ok(Bench {
            before,
            after,
            start,
            end,
            asked,
        })
    }

    /// The same, which knows what a rollback asks as well.
    async fn with_rollback(mut self) -> Result<Bench> {
        let (case, back) = ("undisturbed", self.after.copy()?);
        back.bring_to_its_end(Then::RollBack, &self.start, case)
            .await;
        let asked = Asked::all_of(Phase::Back, &back.project().asked());
        self.asked.extend(asked);
        Ok(self)
    }

    async fn go_through(&self, case: &Case) -> Result<Way> {
        let (name, nothing) = (case.to_string(), Moments::undisturbed());
        let world = match case.asked.phase {
            Phase::Forward => self.before.copy()?,
            Phase::Back => self.after.copy()?,
        };
        // A server that worlds share is put right before anything is disturbed.
        world.see().await?;
        world.project().disturb(case);
        let began = Instant::now();
        let ended = match case.asked.phase {
            Phase::Forward => world.begin(&nothing).await,
            Phase::Back => world.carry_on(Then::RollBack, &nothing).await,
        };
        let took = began.elapsed();
        assert!(took < LONGEST, "{name}: {took:?}");
        let is_struck = world.project().mend();
        // How often something is looked at depends on how long it takes.
        let is_needed = case.asked.is_change();
        assert!(
            is_struck || !is_needed,
            "{name}: was never asked: {ended:?}"
        );
        let way = self.judge(&world, case, &ended, &name).await?;
        if way == Way::BegunAgain {
            // As the program does after a failure that changed nothing.
            world.carry_on(Then::RollBack, &nothing).await?;
            world.begin(&nothing).await?;
        }
        let then = match way {
            Way::WentThrough | Way::BegunAgain | Way::Resumed => Then::Resume,
            Way::RolledBack | Way::RolledBackTwice => Then::RollBack,
        };
        world.bring_to_its_end(then, &self.start, &name).await;
        let seen = world.see().await?;
        match then {
            Then::Resume => seen.expect_alike(&self.end, &name),
            // The old value is stored once more at the most.
            Then::RollBack => assert!(seen.enabled() <= self.start.enabled() + 1, "{name}"),
        }
        Ok(way)
    }

    /// Whether what is said of the world is so, and what is to be done now.
    async fn judge(&self, world: &World, case: &Case, ended: &Ended, name: &str) -> Result<Way> {
        Ok(match (case.asked.phase, ended) {
            (Phase::Forward, Ok(())) => Way::WentThrough,
            (Phase::Back, Ok(())) => Way::RolledBack,
            (Phase::Forward, Err(Stopped::Failed { changed: false, .. })) => {
                let is_unchanged = world.see().await? == self.start;
                assert!(is_unchanged, "{name}: changed, and said not to be");
                Way::BegunAgain
            }
            (Phase::Forward, Err(Stopped::Failed { .. })) => match case.then {
                Then::Resume => Way::Resumed,
                Then::RollBack => Way::RolledBack,
            },
            (Phase::Back, Err(Stopped::Stuck { .. })) => Way::RolledBackTwice,
            (_, Err(stopped)) => panic!("{name}: {stopped:?}"),
        })
    }
}

/// The cases that are left, and how those ended that are over.
#[derive(Default)]
struct Work {
    left: Vec<Case>,
    ways: BTreeMap<Way, usize>,
    failed: Vec<String>,
}

/// Goes through what is left, one after the other. One that fails doesn't keep the others
/// from being gone through.
async fn work(bench: Rc<Bench>, work: Rc<RefCell<Work>>) {
    loop {
        let Some(case) = work.borrow_mut().left.pop() else {
            return;
        };
        let (began, name) = (Instant::now(), case.to_string());
        let bench = Rc::clone(&bench);
        let way = spawn_local(async move { bench.go_through(&case).await }).await;
        let told = match &way {
            Ok(Ok(way)) => format!("{way:?}"),
            Ok(Err(error)) => format!("failed: {error:#}"),
            Err(panic) => format!("failed: {panic}"),
        };
        let mut work = work.borrow_mut();
        match way {
            Ok(Ok(way)) => *work.ways.entry(way).or_default() += 1,
            _ => work.failed.push(format!("{name}: {told}")),
        }
        if Part::wanted().is_some() {
            eprintln!("{name}: {told} in {} s", began.elapsed().as_secs());
        }
    }
}

/// `as_a_rule`: the case that is gone through where no part of them is asked for.
async fn each_request_in_trouble(
    as_a_rule: &str,
    make: impl AsyncFn() -> Result<Option<World>>,
) -> Result<()> {
    let began = Instant::now();
    let Some(world) = make().await? else {
        return Ok(());
    };
    let name = world.scene.secret().name;
    let mut first = Bench::new(world).await?;
    let wanted = Part::wanted();
    if wanted.is_some() {
        first = first.with_rollback().await?;
    }
    let mut all = cases(&first.asked);
    let number = all.len();
    let mut benches = vec![first];
    if let Some(part) = wanted {
        // What matters most comes first; parts that aren't small have something of each trouble.
        all.sort_by_key(|case| case.rank);
        let mut count = part.count();
        all.retain(|_| count.is_next_chosen());
        for _ in 1..AT_ONCE {
            benches.push(Bench::new(make().await?.expect("a world")).await?);
        }
    } else {
        all.retain(|case| case.to_string().contains(as_a_rule));
        all.truncate(1);
    }
    let chosen = all.len();
    assert!(chosen > 0, "no case in this part, or none `{as_a_rule}`");
    let cases = Work {
        left: all.into_iter().rev().collect(),
        ..Work::default()
    };
    let cases = Rc::new(RefCell::new(cases));
    let local = LocalSet::new();
    let workers: Vec<_> = benches
        .into_iter()
        .map(|bench| local.spawn_local(work(Rc::new(bench), Rc::clone(&cases))))
        .collect();
    local
        .run_until(async {
            for worker in workers {
                worker.await?;
            }
            anyhow::Ok(())
        })
        .await?;
    let Work { ways, failed, .. } = &*cases.borrow();
    let seconds = began.elapsed().as_secs();
    eprintln!(
        "{name}: {chosen} of {number} cases of a request in trouble in {seconds} s: {ways:?}"
    );
    assert!(failed.is_empty(), "{failed:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_secret() -> Result<()> {
    let make = async || client(RED_HAT_SSO_CLIENT_SECRET, "redhat-sso-client-id").await;
    each_request_in_trouble(":addVersion? (0) EachTime", make).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_url() -> Result<()> {
    let make = async || login(DATABASE_URL).await;
    each_request_in_trouble("lightspeed-agent? (2) Once(Away)", make).await
}

/// The answer to the cutover is lost when the table is under the new key already.
#[tokio::test(flavor = "multi_thread")]
async fn the_dcr_encryption_key() -> Result<()> {
    let cut_over =
        "PUT namespaces/p1/services/marketplace-handler? (3) Once(Network(Closed(Headers";
    each_request_in_trouble(cut_over, key).await
}
