//! The arguments behind `cargo bench --package integration-tests --`.
use anyhow::{Context as _, Result, bail};

use crate::child::Work;

/// How to use it.
const USAGE: &str = "usage: cargo bench --package integration-tests -- \
     [--rows N] [--runs N] [--database postgres|sqlite|both]";

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgres,
    Sqlite,
}

/// What to measure.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) rows: u64,
    pub(crate) runs: usize,
    pub(crate) kinds: Vec<Kind>,
}

/// What this process is for.
pub(crate) enum Asked {
    Benchmark(Options),
    /// One measured piece of work, for the benchmark that started it.
    Child(Work),
    /// Nothing: `cargo test --all-targets` starts it too.
    Nothing,
}

impl Options {
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Asked> {
        let mut options = Options {
            rows: 100_000,
            runs: 5,
            kinds: vec![Kind::Postgres, Kind::Sqlite],
        };
        let (mut arguments, mut is_benchmark) = (arguments, false);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().context(USAGE);
            match argument.as_str() {
                // From `cargo bench`.
                "--bench" => is_benchmark = true,
                "--rows" => options.rows = number(&value()?)?,
                "--runs" => options.runs = usize::try_from(number(&value()?)?)?,
                "--database" => options.kinds = kinds(&value()?)?,
                "--child" => return Ok(Asked::Child(Work::named(&value()?).context(USAGE)?)),
                _ => bail!("unknown argument `{argument}`\n{USAGE}"),
            }
        }
        Ok(match is_benchmark {
            true => Asked::Benchmark(options),
            false => Asked::Nothing,
        })
    }
}

fn number(text: &str) -> Result<u64> {
    let number = text.replace(['_', ','], "").parse().ok();
    number.filter(|number| *number > 0).context(USAGE)
}

fn kinds(text: &str) -> Result<Vec<Kind>> {
    Ok(match text {
        "postgres" => vec![Kind::Postgres],
        "sqlite" => vec![Kind::Sqlite],
        "both" => vec![Kind::Postgres, Kind::Sqlite],
        _ => bail!(USAGE),
    })
}
