//! What a person sees at a terminal: all of a plan at once, colours where they are wanted,
//! and no codes for a terminal that has none.
#![cfg(target_os = "linux")]
use anyhow::{Context as _, Result};
use integration_tests::{Output, Program};

use super::sandbox::{RESTART, Sandbox, assert_said};
use super::seated::Seated;

/// A command that asks, answered with no, on a screen of this size.
async fn refused(
    command: &str,
    size: (usize, usize),
    environment: impl FnOnce(Program) -> Program,
) -> Result<Output> {
    let sandbox = Sandbox::with_clients(3).await?;
    sandbox.settings("", &format!("{RESTART}{CLIENT}"))?;
    let secrets = sandbox.secrets()?;
    let mut seated = Seated::on_screen(&sandbox, command, Some(size), environment, secrets)?;
    seated.answer("Go on? [y/N] ", "n\n")?;
    seated.wait(&sandbox)
}

/// An issuer whose secret can be rotated; nobody asks it before the answer.
const CLIENT: &str = "[issuers]\ngma = \"https://issuer.example.com\"\n";

/// The rows of the screen that the plan and the question take.
fn rows_before_the_answer(shown: &str, columns: usize) -> Result<usize> {
    let (plan, _) = shown.split_once("[y/N]").context("a question")?;
    let (_, plan) = plan.split_once("Plan").context("a plan")?;
    let rows = plan
        .lines()
        .map(|line| line.chars().count().max(1).div_ceil(columns));
    Ok(rows.sum())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_and_the_question_fit_on_a_screen() -> Result<()> {
    for command in ["rotate-dcr", "rotate-secret gma-client-secret"] {
        let output = refused(command, (80, 24), |program| program).await?;
        // What whoever says yes has to know.
        assert_said(&output, 3, &["Retire the old version", "Cut over", "place"]);
        assert!(
            rows_before_the_answer(&output.stdout, 80)? < 24,
            "{output:#?}"
        );
    }
    let output = refused("rotate-dcr", (80, 24), |program| program).await?;
    assert_said(&output, 3, &["outage:"]);
    let all = refused("rotate-dcr --verbose", (80, 24), |program| program).await?;
    assert_said(&all, 3, &["Generate the candidate", "every token"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_word_of_the_plan_is_cut_on_a_narrow_screen_or_a_wide_one() -> Result<()> {
    for columns in [40, 200] {
        let output = refused("rotate-dcr", (columns, 24), |program| program).await?;
        let (plan, _) = output.stdout.split_once("[y/N]").context("a question")?;
        let widest = plan.lines().map(|line| line.chars().count()).max();
        let widest = widest.context("a line")?;
        assert!(widest < columns.min(101), "{widest}: {output:#?}");
    }
    Ok(())
}

/// A whole rotation and a failure, at a terminal with this environment.
async fn everything(variable: (&str, &str)) -> Result<String> {
    let sandbox = Sandbox::with_clients(3).await?;
    let mut shown = String::new();
    for (command, code) in [("rotate-dcr --yes", 0), ("resume", 1)] {
        let environment = |program: Program| program.env(variable.0, variable.1);
        let seated = Seated::with(&sandbox, command, environment, sandbox.secrets()?)?;
        let output = seated.wait(&sandbox)?;
        assert_said(&output, code, &[]);
        shown.push_str(&output.stdout);
    }
    Ok(shown)
}

#[tokio::test(flavor = "multi_thread")]
async fn colours_are_shown_only_where_they_are_wanted() -> Result<()> {
    let red = "\u{1b}[1;31merror\u{1b}[0m: ";
    assert!(everything(("LANG", "C")).await?.contains(red));
    // Empty, it counts as not set.
    assert!(everything(("NO_COLOR", "")).await?.contains(red));
    let shown = everything(("NO_COLOR", "1")).await?;
    assert!(shown.contains("\nerror: "), "{shown}");
    assert!(!shown.contains("\u{1b}[1"), "{shown}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dumb_terminal_gets_plain_text() -> Result<()> {
    let shown = everything(("TERM", "dumb")).await?;
    assert!(!shown.contains('\u{1b}'), "{shown}");
    assert!(shown.contains("Ctrl-C stops the run"), "{shown}");
    Ok(())
}
