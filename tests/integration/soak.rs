//! Crashes of every kind at any moment, over every rotation on both platforms. After each, what
//! `status` says to type is typed, and works: no key is lost, every token can be read, services
//! can do their work.
//!
//! `cargo xtask soak --runs N --seed S` sets how many, and repeats them; `--case` one of them.
#![expect(
    clippy::expect_used,
    reason = "what arranges a case has to fail that case"
)]

mod beside;
mod case;
mod course;
mod disk;
mod installed;
mod paces;
mod place;
mod scene;
mod shares;
mod strike;
mod tally;

use std::env;
use std::hash::{BuildHasher as _, RandomState};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::{Result, anyhow, ensure};
use tokio::runtime::Handle;

use self::case::Case;
use self::course::Outcome;
use self::paces::Paces;
use self::shares::{POWER_CUTS, SHARES, Share};
use self::tally::Tally;

/// Where nobody says how many.
const RUNS: u32 = 100;
/// At a time.
const THREADS: usize = 2;

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_struck_whenever_the_run_comes_to_its_end() -> Result<()> {
    let seed = number_in("SOAK_SEED")?.unwrap_or_else(|| RandomState::new().hash_one(0));
    let runs = u32::try_from(number_in("SOAK_RUNS")?.unwrap_or(RUNS.into()))?;
    let numbers = match number_in("SOAK_CASE")? {
        Some(only) => u32::try_from(only).map(|only| only..only + 1)?,
        None => 0..runs,
    };
    let shares = match number_in("SOAK_POWER_CUTS")? {
        Some(1) => POWER_CUTS,
        _ => SHARES,
    };
    let cases = Cases {
        seed,
        numbers,
        shares,
    };
    let tally = Tally::new(&cases);
    let paces = Paces::default();
    let next = AtomicU32::new(cases.numbers.start);
    let handle = Handle::current();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| work(&next, &cases, &paces, &handle, &tally));
        }
    });
    tally.finish(&cases)
}

/// Those that are gone through.
struct Cases {
    seed: u64,
    numbers: Range<u32>,
    shares: &'static [Share],
}

impl Cases {
    /// The command that repeats some of them.
    fn command(&self, which: &str) -> String {
        let seed = self.seed;
        let power = match self.shares == POWER_CUTS {
            true => " --power-cuts",
            false => "",
        };
        format!("cargo xtask soak --seed {seed}{power} {which}")
    }
}

/// Takes one case after the other, as long as there are any.
fn work(next: &AtomicU32, cases: &Cases, paces: &Paces, handle: &Handle, tally: &Tally) {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if !cases.numbers.contains(&number) {
            return;
        }
        let case = Case::of(cases.seed, number, cases.shares);
        let began = Instant::now();
        // A case that fails is told, and the others go on.
        let run = || handle.block_on(course::run(&case, paces));
        let outcome: Result<Outcome> = catch_unwind(AssertUnwindSafe(run))
            .unwrap_or_else(|_| Err(anyhow!("a check failed, as it says above")));
        tally.note(cases, number, &case, began.elapsed(), outcome);
    }
}

fn number_in(variable: &str) -> Result<Option<u64>> {
    let Ok(text) = env::var(variable) else {
        return Ok(None);
    };
    let number = text.parse();
    ensure!(number.is_ok(), "{variable} must be a number");
    Ok(number.ok())
}

#[test]
fn a_case_follows_from_seed_and_number() {
    let described = |number| format!("{:?}", Case::of(7, number, SHARES));
    assert_eq!(described(3), described(3));
    assert_ne!(described(3), described(4));
    let mut rotated: Vec<_> = (0..100)
        .map(|number| Case::of(7, number, SHARES).kind)
        .map(|kind| (kind.on, kind.rotated))
        .collect();
    rotated.sort();
    rotated.dedup();
    // The key is in SQLite or on Postgres.
    assert_eq!(rotated.len(), 2 * 6, "{rotated:?}");
}
