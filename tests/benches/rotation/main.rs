//! The benchmark of `docs/benchmark.md`: a rotation as a ratio to what the database alone takes.
#![expect(
    clippy::print_stdout,
    reason = "a benchmark's result goes to standard output"
)]
#![expect(
    clippy::indexing_slicing,
    reason = "a benchmark whose data isn't there has nothing to measure"
)]

mod child;
mod data;
mod measure;
mod options;
mod postgres;
mod result;
mod small;
mod sqlite;

use std::path::Path;

use anyhow::{Result, ensure};

use crate::child::Work;
use crate::data::{Data, Keys};
use crate::measure::Measured;
use crate::options::{Asked, Kind, Options};

/// The program under test, built with the same profile as this.
const PROGRAM: &str = env!("CARGO_BIN_EXE_xtask-under-test");

/// What is compared, in the order of the printed table.
const CONTENDERS: [Contender; 4] = [
    Contender::Child(Work::Floor),
    Contender::Child(Work::Unverified),
    Contender::Child(Work::Verified),
    Contender::Program,
];

/// Something that goes through the whole table, in a process of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Contender {
    /// This executable, started anew.
    Child(Work),
    /// `rotate-dcr`, as a release engineer would run it.
    Program,
}

fn main() -> Result<()> {
    match Options::parse(std::env::args().skip(1))? {
        Asked::Child(work) => child::run(work),
        Asked::Benchmark(options) => benchmark(&options),
        Asked::Nothing => Ok(()),
    }
}

fn benchmark(options: &Options) -> Result<()> {
    small::start_up()?;
    for kind in &options.kinds {
        small::twelve_rows(*kind)?;
        compare(*kind, options)?;
    }
    Ok(())
}

/// Runs every contender on fresh data, in turn, as often as asked, and prints the table.
fn compare(kind: Kind, options: &Options) -> Result<()> {
    let keys = Keys::generate();
    let few = Data::fill(kind, 1_000, &keys)?;
    let flat = Contender::Child(Work::Verified).run(&few, &keys)?;
    drop(few);
    let data = Data::fill(kind, options.rows, &keys)?;
    let mut measured: [Vec<Measured>; CONTENDERS.len()] = Default::default();
    for round in 0..options.runs {
        // Each round begins with another one, lest one always follow the same.
        for turn in 0..CONTENDERS.len() {
            let contender = (round + turn) % CONTENDERS.len();
            measured[contender].push(CONTENDERS[contender].run(&data, &keys)?);
        }
    }
    result::print(&data, options, &measured, &flat);
    Ok(())
}

impl Contender {
    fn run(self, data: &Data, keys: &Keys) -> Result<Measured> {
        let url = data.fresh()?;
        let (program, arguments, input) = match self {
            Contender::Child(work) => (
                std::env::current_exe()?,
                vec!["--child", work.name()],
                format!("{url}\n{}\n{}\n", keys.old, keys.new),
            ),
            Contender::Program => (
                Path::new(PROGRAM).to_owned(),
                vec!["rotate-dcr", "--format", "json"],
                String::new(),
            ),
        };
        let environment = match self {
            Contender::Child(_) => vec![],
            Contender::Program => keys.environment(&url),
        };
        let measured = measure::run(&program, &arguments, &environment, &input)?;
        let rows = match self {
            Contender::Child(_) => measured.stdout.trim().parse()?,
            Contender::Program => rotated_clients(&measured.stdout)?,
        };
        // A benchmark of something that did nothing would look splendid.
        ensure!(rows == data.rows, "{rows} rows instead of {}", data.rows);
        Ok(measured)
    }
}

fn rotated_clients(report: &str) -> Result<u64> {
    let report: serde_json::Value = serde_json::from_str(report)?;
    ensure!(report["outcome"] == "rotated", "{report}");
    Ok(report["clients"].as_u64().unwrap_or_default())
}
