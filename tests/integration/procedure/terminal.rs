//! A person at a terminal is shown the plan and asked, by every command that changes something.
#![cfg(target_os = "linux")]
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::sandbox::{RESTART, Sandbox, assert_said};
use super::seated::Seated;

#[tokio::test(flavor = "multi_thread")]
async fn any_answer_but_yes_changes_nothing() -> Result<()> {
    let sandbox = Sandbox::with_clients(3).await?;
    let before = sandbox.tree()?;
    for answer in ["n\n", "\n", "yes please\n", "\u{4}", "\u{3}"] {
        let mut seated = Seated::at(&sandbox, "rotate-dcr")?;
        seated.answer("Go on? [y/N] ", answer)?;
        let output = seated.wait(&sandbox)?;
        assert_said(&output, 3, &["Plan:", "nothing was changed"]);
        let differences = before.differences(&sandbox.tree()?);
        assert!(differences.is_empty(), "{answer:?}: {differences:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn yes_goes_on_after_the_plan_was_shown() -> Result<()> {
    let sandbox = Sandbox::with_clients(3).await?;
    let mut seated = Seated::at(&sandbox, "rotate-dcr")?;
    seated.answer("Go on? [y/N] ", "y\n")?;
    let output = seated.wait(&sandbox)?;
    assert_said(&output, 0, &["Plan:", "Rotated dcr-encryption-key"]);
    let question = output.stdout.find("Go on?");
    assert!(output.stdout.find("Re-encrypt the table") < question);
    sandbox.expect_sound(3)
}

/// Closing the terminal in the middle, opening another, and doing what `status` says.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_left_and_finished_at_another_terminal() -> Result<()> {
    let sandbox = Sandbox::with_clients(3).await?;
    sandbox.settings("announce = true", RESTART)?;
    let mut seated = Seated::at(&sandbox, "rotate-dcr")?;
    seated.answer("Go on? [y/N] ", "y\n")?;
    seated.answer("Is it done? [y/N] ", "n\n")?;
    assert_said(
        &seated.wait(&sandbox)?,
        3,
        &["`Announce the window`, waits"],
    );

    let run = sandbox.run_name()?;
    let mut seated = Seated::at(&sandbox, &format!("resume {run}"))?;
    seated.answer("Go on with it? [y/N] ", "y\n")?;
    seated.answer("Is it done? [y/N] ", "y\n")?;
    assert_said(&seated.wait(&sandbox)?, 0, &["Rotated dcr-encryption-key"]);
    sandbox.expect_sound(3)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_asks_whether_to_roll_back() -> Result<()> {
    for (answer, code) in [("y\n", 4), ("n\n", 2), ("\u{4}", 2), ("\u{3}", 2)] {
        let sandbox = Sandbox::with_clients(3).await?;
        // Once the service is to run with the new key, it doesn't.
        let script = "echo restarted >> restarts\ntest $(wc -l < restarts) != 1\n";
        sandbox.write("restart.sh", script)?;
        let env = sandbox.read(".env")?;
        let mut seated = Seated::at(&sandbox, "rotate-dcr")?;
        seated.answer("Go on? [y/N] ", "y\n")?;
        seated.answer("Roll back now? [y/N] ", answer)?;
        let output = seated.wait(&sandbox)?;
        assert_said(&output, code, &["restart"]);
        assert_eq!(sandbox.read(".env")? == env, code == 4, "{answer:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_and_a_resumption_are_asked_for_too() -> Result<()> {
    let sandbox = Sandbox::with_clients(3).await?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 0, &[]);
    let run = sandbox.run_name()?;
    let before = sandbox.tree()?;
    let mut seated = Seated::at(&sandbox, &format!("rollback {run}"))?;
    seated.answer("Undo it? [y/N] ", "n\n")?;
    assert_said(&seated.wait(&sandbox)?, 3, &["nothing was changed"]);
    let differences = before.differences(&sandbox.tree()?);
    assert!(differences.is_empty(), "{differences:?}");

    let mut seated = Seated::at(&sandbox, &format!("rollback {run}"))?;
    seated.answer("Undo it? [y/N] ", "y\n")?;
    assert_said(&seated.wait(&sandbox)?, 0, &["Rolled back"]);
    sandbox.expect_sound(3)
}

/// A service whose restart takes until a file is gone.
const SLOW: &str = "echo restarted >> restarts\nwhile test -e hold; do sleep 0.02; done\n";

/// In the middle of the cutover: the table is under the new key, and the service being restarted.
async fn in_the_middle() -> Result<(Sandbox, Seated)> {
    let sandbox = Sandbox::with_clients(3).await?;
    sandbox.write("restart.sh", SLOW)?;
    sandbox.write("hold", "")?;
    let mut seated = Seated::at(&sandbox, "rotate-dcr --yes")?;
    seated.running.wait_for("11/15");
    while sandbox.read("restarts").is_err() {
        sleep(Duration::from_millis(5));
    }
    Ok((sandbox, seated))
}

/// Closing the terminal in the middle, opening another, typing `status` and doing what it says.
#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_is_closed_ends_the_process_and_not_the_run() -> Result<()> {
    for way in [0, 1] {
        let (sandbox, mut seated) = in_the_middle().await?;
        seated.running.kill();
        seated.running.wait();
        std::fs::remove_file(sandbox.path("hold"))?;
        let give_up = Instant::now() + Duration::from_secs(10);
        while sandbox.next_commands()?.is_empty() {
            assert!(Instant::now() < give_up, "the process goes on");
            sleep(Duration::from_millis(20));
        }
        let next = sandbox.next_commands()?;
        assert_said(
            &sandbox.pasted(&next[way])?,
            0,
            &[["Rotated", "Rolled back"][way]],
        );
        sandbox.expect_sound(3)?;
    }
    Ok(())
}

/// The restart is let end, or is left alone at the second Ctrl-C.
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_during_a_restart_stops_where_it_can_be_resumed() -> Result<()> {
    for is_impatient in [false, true] {
        let (sandbox, mut seated) = in_the_middle().await?;
        seated.answer("11/15", "\u{3}")?;
        seated
            .running
            .wait_for("stopping; a second Ctrl-C leaves at once");
        let words = if is_impatient {
            // So soon it would belong to the first.
            sleep(Duration::from_millis(400));
            seated.answer("11/15", "\u{3}")?;
            "leaving: `cargo xtask status"
        } else {
            std::fs::remove_file(sandbox.path("hold"))?;
            "interrupted at step 12"
        };
        assert_said(&seated.wait(&sandbox)?, 3, &[words]);
        let _ = std::fs::remove_file(sandbox.path("hold"));
        let next = sandbox.next_commands()?;
        assert_said(&sandbox.pasted(&next[0])?, 0, &["Rotated"]);
        sandbox.expect_sound(3)?;
    }
    Ok(())
}
