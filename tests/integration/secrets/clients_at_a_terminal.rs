//! The hidden prompt: what is typed there doesn't show, and nothing typed means later.
#![cfg(target_os = "linux")]
use anyhow::Result;

use super::clients::{NEW, SSO, expect_rotated, installation};
use super::installation::Installation;
use crate::procedure::sandbox::assert_said;
use crate::procedure::seated::Seated;

const QUESTION: &str = "new value of `red-hat-sso-client-secret`, which will not show";

fn seated(installation: &Installation, command: &str) -> Result<Seated> {
    let environment = |shell| installation.at_home(shell);
    let secrets = installation.secrets()?;
    Seated::with(&installation.sandbox, command, environment, secrets)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_value_is_asked_for_after_the_plan_was_agreed_to() -> Result<()> {
    let (_issuer, installation) = installation().await?;
    let mut seated = seated(&installation, "rotate-secret RED_HAT_SSO_CLIENT_SECRET")?;
    seated.answer("Go on? [y/N] ", "y\n")?;
    seated.answer(QUESTION, &format!("{NEW}\n"))?;
    let output = seated.wait_without(&installation.secrets()?)?;
    assert_said(&output, 0, &["Plan:", "Rotated"]);
    assert!(output.stdout.find("Go on?") < output.stdout.find(QUESTION));
    expect_rotated(&installation, SSO)
}

/// The request was mailed, and the answer takes days.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_answered_leaves_the_run_until_the_value_is_there() -> Result<()> {
    let (_issuer, installation) = installation().await?;
    let before = installation.sandbox.tree()?;
    let mut first = seated(&installation, "rotate-secret red-hat-sso-client-secret")?;
    first.answer("Go on? [y/N] ", "y\n")?;
    first.answer(QUESTION, "\n")?;
    let output = first.wait_without(&installation.secrets()?)?;
    let run = installation.last_run()?;
    let hint = format!("`cargo xtask resume {run}` asks for it at a hidden prompt");
    let words = ["`Obtain the new value`, waits", "--value-file", &hint];
    assert_said(&output, 3, &words);
    assert!(!output.stdout.contains("--done"), "{output:?}");
    installation.expect_as_before(&before)?;

    let status = installation.run(&["status"])?;
    assert_said(&status, 0, &["waits for the new value at step 2"]);
    let next = installation.next_commands()?;
    assert_eq!(next[0], format!("cargo xtask resume {run}"));
    for (answer, code) in [("\n", 3), (NEW, 0)] {
        let mut again = seated(&installation, &format!("resume {run}"))?;
        again.answer("Go on with it? [y/N] ", "y\n")?;
        again.answer(QUESTION, &format!("{answer}\n"))?;
        let output = again.wait_without(&installation.secrets()?)?;
        assert_said(&output, code, &[]);
    }
    expect_rotated(&installation, SSO)
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_and_the_end_of_the_input_at_the_prompt_change_nothing() -> Result<()> {
    let (_issuer, installation) = installation().await?;
    let before = installation.sandbox.tree()?;
    for key in ["\u{3}", "\u{4}"] {
        let mut seated = seated(&installation, "rotate-secret redhat-sso-client-secret")?;
        seated.answer("Go on? [y/N] ", "y\n")?;
        seated.answer(QUESTION, key)?;
        let output = seated.wait_without(&installation.secrets()?)?;
        assert_said(&output, 3, &["nothing was changed"]);
    }
    let differences = before.differences(&installation.sandbox.tree()?);
    assert!(differences.is_empty(), "{differences:?}");
    Ok(())
}
