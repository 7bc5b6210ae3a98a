//! Runs that wait: for the value, and for people who restart a service.
use anyhow::Result;

use super::clients::{
    NEW, OLD, SSO, expect_rotated, expect_versions, installation, installation_with, with_value,
    without_issuer,
};
use crate::command_line::assert_file_snapshot;
use crate::procedure::sandbox::assert_said;

/// In a script nobody is asked: the run begins, and waits.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_value_the_run_waits_and_is_resumed_with_a_file() -> Result<()> {
    let (issuer, installation) = installation().await?;
    let before = installation.sandbox.tree()?;
    let output = installation.run(&["rotate-secret", "red-hat-sso-client-secret"])?;
    assert_said(&output, 3, &[]);
    let said = without_issuer(&installation.streams(&output)?, &issuer);
    assert_file_snapshot("secret_waits_for_the_value", said);
    installation.expect_as_before(&before)?;
    let status = installation.run(&["status"])?;
    assert_file_snapshot("secret_status_waits", installation.streams(&status)?);

    // Without a value it waits on, and a second run is not begun beside it.
    let next = installation.next_commands()?;
    assert_eq!(next.len(), 2, "{next:?}");
    assert_said(&installation.pasted(&next[0])?, 3, &["waits"]);
    let again = installation.checked(&with_value(&installation, SSO, NEW))?;
    assert_said(&again, 1, &["cargo xtask resume"]);
    installation.expect_as_before(&before)?;

    let resumed = format!("printf %s {NEW} | {} --value-file -", next[0]);
    assert_said(&installation.pasted(&resumed)?, 0, &["version 2 serves"]);
    expect_rotated(&installation, SSO)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_waits_for_the_value_is_given_up() -> Result<()> {
    let (_issuer, installation) = installation().await?;
    let before = installation.sandbox.tree()?;
    let output = installation.run(&["rotate-secret", "red-hat-sso-client-secret"])?;
    assert_said(&output, 3, &[]);
    let next = installation.next_commands()?;
    assert_said(&installation.pasted(&next[1])?, 0, &["Rolled back"]);
    installation.expect_as_before(&before)?;
    installation.expect_nothing_unfinished()
}

/// The value that was given with the second attempt is another team's.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_value_given_to_a_run_that_waits_undoes_it() -> Result<()> {
    let (issuer, installation) = installation().await?;
    let before = installation.sandbox.tree()?;
    let output = installation.run(&["rotate-secret", "red-hat-sso-client-secret"])?;
    assert_said(&output, 3, &[]);
    issuer.accept("another-client", "hunter2-anothers");
    installation.sandbox.write("issued", "hunter2-anothers")?;
    let arguments = ["resume", "--value-file", "issued"];
    let output = installation.run(&arguments)?;
    assert_said(
        &output,
        1,
        &["refuses the candidate", "nothing was changed"],
    );
    std::fs::remove_file(installation.sandbox.path("issued"))?;
    installation.expect_as_before(&before)?;
    installation.expect_nothing_unfinished()
}

/// One of the two services has no command that restarts it.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_without_a_restart_command_is_restarted_by_people() -> Result<()> {
    let agent = "[local.agent]\nrestart = [\"sh\", \"restart.sh\", \"agent\"]\n";
    let (_issuer, installation) = installation_with(agent).await?;
    let output = installation.checked(&with_value(&installation, SSO, NEW))?;
    assert_said(&output, 3, &["`Restart the service by hand`, waits"]);
    // Both values work meanwhile, and both are in the store.
    assert!(installation.variable(SSO.variable)? == NEW, "in .env");
    assert_eq!(installation.restarts(), ["agent"]);
    assert_eq!(installation.states(SSO.store)?, ["enabled", "enabled"]);
    let next = installation.next_commands()?;
    assert!(next[0].ends_with(" --done"), "{next:?}");
    assert_said(&installation.pasted(&next[0])?, 0, &["version 2 serves"]);
    expect_rotated(&installation, SSO)
}

/// `--done` says what people have done, not that the value is there: it counts for no later step.
#[tokio::test(flavor = "multi_thread")]
async fn done_is_not_taken_for_a_step_that_comes_later() -> Result<()> {
    let (_issuer, installation) = installation_with("").await?;
    let output = installation.run(&["rotate-secret", "red-hat-sso-client-secret"])?;
    assert_said(&output, 3, &["`Obtain the new value`, waits"]);
    assert_said(&installation.run(&["resume", "--done"])?, 3, &["`Obtain"]);
    let line = format!("printf %s {NEW} | cargo xtask resume --done --value-file -");
    let output = installation.pasted(&line)?;
    assert_said(&output, 3, &["`Restart the service by hand`, waits"]);

    // Nor is a value taken for one that is there already.
    let output = installation.pasted(&line)?;
    assert_said(&output, 64, &["doesn't wait for a value"]);
    let output = installation.run(&["resume", "--done"])?;
    assert_said(&output, 0, &["version 2 serves"]);
    installation.expect_nothing_unfinished()
}

/// Whoever restarted it for the new value has to do it once more, and is told at the end.
#[tokio::test(flavor = "multi_thread")]
async fn its_rollback_ends_with_a_word_to_those_people() -> Result<()> {
    let (_issuer, installation) = installation_with("").await?;
    let output = installation.checked(&with_value(&installation, SSO, NEW))?;
    assert_said(&output, 3, &[]);
    let next = installation.next_commands()?;
    let output = installation.pasted(&next[1])?;
    assert_said(&output, 0, &["once you have restarted the service"]);
    assert!(installation.variable(SSO.variable)? == OLD, "in .env");
    let states = ["enabled", "disabled", "enabled"];
    expect_versions(&installation, SSO, &states, &[OLD, NEW, OLD])
}

/// A restart that fails while changing: the message says what is where, and both ways work.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_does_not_restart_stops_the_run_where_it_can_go_on() -> Result<()> {
    for way in [0, 1] {
        let (_issuer, installation) = installation().await?;
        installation.sandbox.write("broken", "")?;
        let output = installation.checked(&with_value(&installation, SSO, NEW))?;
        assert_said(&output, 2, &["version 2 is stored", "resume", "rollback"]);
        let said = without_plan(&installation.streams(&output)?);
        assert_file_snapshot("secret_restart_failed", said);
        std::fs::remove_file(installation.sandbox.path("broken"))?;
        let next = installation.next_commands()?;
        let output = installation.pasted(&next[way])?;
        assert_said(&output, 0, &[["Rotated", "Rolled back"][way]]);
        let value = installation.variable(SSO.variable)?;
        assert!(value == [NEW, OLD][way], "in .env");
        installation.expect_nothing_unfinished()?;
    }
    Ok(())
}

/// From the step at which it failed.
fn without_plan(said: &str) -> String {
    let begins = said.find("  8/11").unwrap_or_default();
    said[begins..].to_owned()
}
