//! `cargo xtask soak`: runs the part of the tests that strikes rotations, as often as wanted.

use anyhow::Context as _;
use platform::SECRET_VARIABLES;
use xshell::{Shell, cmd};

use super::fail;
use crate::cli;
use crate::exit_code;
use crate::failure::Failure;
use crate::output::Printer;
use crate::workspace;

/// Runs the command and gives its exit code.
pub(super) fn run(typed: &cli::Soak) -> u8 {
    match soak(typed) {
        Ok(()) => exit_code::DONE,
        Err(error) => fail(&Failure::from_anyhow(&error), &Printer::default()),
    }
}

fn soak(typed: &cli::Soak) -> anyhow::Result<()> {
    let shell = Shell::new().context("can't set up a shell")?;
    shell.change_dir(workspace::root()?);
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut tests = cmd!(
        shell,
        "{cargo} test --package integration-tests --test integration --locked -- soak:: --nocapture"
    )
    .quiet()
    .env("SOAK_RUNS", typed.runs.to_string());
    // Of what another shell may have set, nothing counts.
    for (name, number) in [
        ("SOAK_SEED", typed.seed),
        ("SOAK_CASE", typed.case.map(u64::from)),
        ("SOAK_POWER_CUTS", typed.power_cuts.then_some(1)),
    ] {
        tests = match number {
            Some(number) => tests.env(name, number.to_string()),
            None => tests.env_remove(name),
        };
    }
    for name in SECRET_VARIABLES {
        tests = tests.env_remove(name);
    }
    tests.run().context("a case didn't come to its end")
}
