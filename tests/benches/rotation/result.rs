//! The table that is printed.
use std::time::Duration;

use crate::child::Work;
use crate::data::Data;
use crate::measure::{Measured, median};
use crate::options::{Kind, Options};
use crate::{CONTENDERS, Contender};

/// Prints the medians as ratios to the floor; `few` is a run over 1,000 rows.
pub(crate) fn print(data: &Data, options: &Options, measured: &[Vec<Measured>], few: &Measured) {
    let rows = data.rows;
    let kind = data.kind;
    println!();
    println!(
        "{}, {rows} rows, {} interleaved runs",
        data.description(),
        options.runs
    );
    println!();
    println!("| | median | fastest to slowest | ratio to the floor | goal | peak memory |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    let floor = time_of(&measured[0]);
    for (contender, runs) in CONTENDERS.into_iter().zip(measured) {
        let time = time_of(runs);
        let seconds = |time: Option<Duration>| time.unwrap_or_default().as_secs_f64();
        println!(
            "| {} | {:.3} s | {:.3} to {:.3} s | {:.2} | {} | {} |",
            name_of(contender, kind),
            time.as_secs_f64(),
            seconds(runs.iter().map(|run| run.time).min()),
            seconds(runs.iter().map(|run| run.time).max()),
            time.as_secs_f64() / floor.as_secs_f64(),
            goal_of(contender, kind, rows).map_or(String::new(), |goal| format!("≤ {goal:.2}")),
            megabytes(median(runs.iter().map(|run| run.peak_kb)).unwrap_or_default()),
        );
    }
    println!();
    println!(
        "peak memory with 1,000 rows, verified: {}",
        megabytes(few.peak_kb)
    );
    println!();
}

fn time_of(runs: &[Measured]) -> Duration {
    median(runs.iter().map(|run| run.time)).unwrap_or_default()
}

fn name_of(contender: Contender, kind: Kind) -> &'static str {
    match (contender, kind) {
        (Contender::Child(Work::Floor), Kind::Postgres) => {
            "the floor: `LOCK`, `UPDATE … \\|\\| ''`, `COMMIT`"
        }
        (Contender::Child(Work::Floor), Kind::Sqlite) => {
            "the floor: `BEGIN IMMEDIATE`, `UPDATE … substr(…, 2) \\|\\| 'A'`, `COMMIT`"
        }
        (Contender::Child(Work::Unverified), _) => "re-encryption without verification",
        (Contender::Child(Work::Verified), _) => "re-encryption with every cell read back",
        (Contender::Program, _) => "the same through `rotate-dcr`",
    }
}

/// Where a goal was set: it is for the number of rows it names, and up.
fn goal_of(contender: Contender, kind: Kind, rows: u64) -> Option<f64> {
    let (without, with) = match (kind, rows) {
        (Kind::Postgres, 1_000_000..) => (Some(1.15), Some(1.30)),
        (Kind::Postgres, 100_000..) => (Some(1.25), Some(1.40)),
        (Kind::Sqlite, 100_000..) => (None, Some(1.5)),
        _ => (None, None),
    };
    match contender {
        Contender::Child(Work::Floor) => None,
        Contender::Child(Work::Unverified) => without,
        Contender::Child(Work::Verified) | Contender::Program => with,
    }
}

fn megabytes(kilobytes: u64) -> String {
    format!("{:.1} MB", kilobytes as f64 / 1_024.0)
}
