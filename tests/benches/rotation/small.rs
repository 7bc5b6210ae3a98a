//! What a run costs that has next to nothing to do.
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::PROGRAM;
use crate::data::{Data, Keys};
use crate::measure::{self, median};
use crate::options::Kind;

/// They are short and vary much.
const RUNS: usize = 21;

/// `--help`: the program's own start.
pub(crate) fn start_up() -> Result<()> {
    let mut times = Vec::new();
    for _ in 0..RUNS {
        times.push(measure::run(Path::new(PROGRAM), &["--help"], &[], "")?.time);
    }
    say("`--help`, whole process", times, Duration::from_millis(20))
}

/// A rotation of twelve rows: connecting, logging in with the password, the checks.
pub(crate) fn twelve_rows(kind: Kind) -> Result<()> {
    let mut keys = Keys::generate();
    let data = Data::fill(kind, 12, &keys)?;
    let url = data.fresh()?;
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let environment = keys.environment(&url);
        let measured = measure::run(Path::new(PROGRAM), &["rotate-dcr"], &environment, "")?;
        times.push(measured.time);
        // Back and forth.
        keys = keys.next();
    }
    let (what, goal) = match kind {
        Kind::Postgres => ("12 rows on Postgres, whole process", 60),
        Kind::Sqlite => ("12 rows in SQLite, whole process", 30),
    };
    say(what, times, Duration::from_millis(goal))
}

fn say(what: &str, times: Vec<Duration>, goal: Duration) -> Result<()> {
    let slowest = times.iter().max().copied().context("no run")?;
    let fastest = times.iter().min().copied().context("no run")?;
    let median = median(times.into_iter()).context("no run")?;
    println!(
        "{what}: median of {RUNS} runs {:.1} ms ({:.1} to {:.1}); goal {} ms",
        milliseconds(median),
        milliseconds(fastest),
        milliseconds(slowest),
        goal.as_millis(),
    );
    Ok(())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
