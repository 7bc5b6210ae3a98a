//! The program's run, and what it said.
use anyhow::{Result, ensure};
use integration_tests::{Output, Program};

use super::tokens::Keys;

/// `rotate-dcr` on a database, as a script would run it.
pub(super) fn rotation(url: &str, keys: &Keys) -> Program {
    program("rotate-dcr", url, keys)
}

/// Asserts that it exited with a code and said each text.
#[track_caller]
pub(super) fn assert_said(output: &Output, code: i32, texts: &[&str]) {
    assert_eq!(output.code, Some(code), "{output:#?}");
    for text in texts {
        assert!(
            output.stderr.contains(text) || output.stdout.contains(text),
            "it never said `{text}`: {output:#?}"
        );
    }
}

/// The last of the program's phases that it has announced.
pub(super) fn last_phase(output: &Output) -> &'static str {
    let phases = [
        "committing",
        "verifying",
        "re-encrypting",
        "waiting for the lock",
        "checking the table",
        "connecting",
    ];
    phases
        .into_iter()
        .find(|phase| output.stderr.lines().any(|line| line.starts_with(phase)))
        .unwrap_or("starting")
}

/// `survey-dcr` with both keys.
pub(super) fn survey(url: &str, keys: &Keys) -> Program {
    program("survey-dcr", url, keys)
}

/// Runs it to a good end, and gives its report.
pub(super) fn json_of(program: &Program) -> Result<serde_json::Value> {
    let output = program.clone().args(["--format", "json"]).run();
    ensure!(output.code == Some(0), "{output:#?}");
    Ok(serde_json::from_str(&output.stdout)?)
}

fn program(command: &str, url: &str, keys: &Keys) -> Program {
    Program::xtask(env!("CARGO_BIN_EXE_xtask-under-test"))
        .arg(command)
        .env("DATABASE_URL", url)
        .env("DCR_OLD_KEY", &keys.old)
        .env("DCR_NEW_KEY", &keys.new)
}
