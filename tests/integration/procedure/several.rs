//! More than one run: at a time, one after the other, and which of them is meant.
use std::fs;

use anyhow::Result;

use super::sandbox::{RESTART, Sandbox, assert_said};

const CLIENTS: u64 = 20;

/// A service whose restart takes until a file is gone.
const SLOW: &str = "echo restarted >> restarts\nwhile test -e hold; do sleep 0.02; done\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_is_refused_while_the_first_is_at_work() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    sandbox.write("restart.sh", SLOW)?;
    sandbox.write("hold", "")?;
    let mut first = sandbox.program(&["rotate-dcr"]).spawn();
    first.wait_for("11/15");
    let run = sandbox.run_name()?;
    let busy = [
        "another process is rotating `dcr-encryption-key` now",
        "hint: ",
    ];
    for arguments in [
        &["rotate-dcr"][..],
        &["rotate-dcr", "--yes", "--rollback-on-failure"],
        &["resume"],
        &["resume", &run, "--done"],
        &["rollback"],
        &["rollback", &run],
    ] {
        assert_said(&sandbox.run(arguments)?, 1, &busy);
    }
    let status = sandbox.run(&["status"])?;
    assert_said(&status, 0, &["running, at step 11 of 15, `cut-over`"]);
    // There is nothing to type while it runs.
    assert_eq!(super::lab::next_commands(&status), Vec::<String>::new());
    fs::remove_file(sandbox.path("hold"))?;
    assert_said(&first.wait(), 0, &["Rotated"]);
    sandbox.expect_sound(CLIENTS)
}

/// Of two that begin together, one rotates and the other says so.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_that_begin_together_one_is_refused() -> Result<()> {
    let sandbox = Sandbox::with_clients(2_000).await?;
    let mut both = [0, 1].map(|_| sandbox.program(&["rotate-dcr"]).spawn());
    both.iter_mut().for_each(|one| {
        one.is_running();
    });
    let outputs = both.map(integration_tests::Running::wait);
    let mut codes = outputs.each_ref().map(|output| output.code);
    codes.sort_unstable();
    if codes == [Some(0), Some(1)] {
        let refused = outputs.iter().find(|output| output.code == Some(1));
        let refused = refused.map(|output| output.stderr.as_str());
        let refused = refused.unwrap_or_default();
        assert!(refused.contains("another process"), "{refused}");
    } else {
        // The second began when the first was done.
        assert_eq!(codes, [Some(0), Some(0)], "{outputs:#?}");
    }
    sandbox.expect_sound(2_000)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unfinished_run_refuses_a_new_one() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    sandbox.settings("soak = \"1h\"", RESTART)?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 3, &[]);
    let run = sandbox.run_name()?;
    let before = sandbox.tree()?;
    let output = sandbox.run(&["rotate-dcr"])?;
    let words = [
        format!("the run `{run}` of `dcr-encryption-key` is not finished"),
        format!("`cargo xtask resume {run}"),
        format!("`cargo xtask rollback {run}"),
    ];
    assert_said(&output, 1, &words.each_ref().map(String::as_str));
    let differences = before.differences(&sandbox.tree()?);
    assert!(differences.is_empty(), "{differences:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_run_there_is_nothing_to_go_on_with() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    let before = sandbox.tree()?;
    assert_said(
        &sandbox.run(&["resume"])?,
        1,
        &["nothing to resume", "hint: "],
    );
    assert_said(&sandbox.run(&["rollback"])?, 1, &["nothing to roll back"]);
    for command in ["resume", "rollback"] {
        for name in ["no-such-run", "../../app", "..", "", "/", "\u{1b}[2J"] {
            let output = sandbox.run(&[command, name])?;
            assert_said(&output, 1, &["there is no run `", "`cargo xtask status`"]);
            assert!(!output.stderr.contains('\u{1b}'), "{output:?}");
        }
    }
    let differences = before.differences(&sandbox.tree()?);
    assert!(differences.is_empty(), "{differences:?}");
    Ok(())
}

/// Two unfinished ones can only be made by hand, by bringing a run's folder back.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_unfinished_runs_one_has_to_be_named() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    sandbox.settings("announce = true", RESTART)?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 3, &[]);
    let first = sandbox.run_name()?;
    let [runs, aside] = ["state/runs", "aside"].map(|name| sandbox.path(name));
    fs::rename(runs.join(&first), &aside)?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 3, &[]);
    let first_again = format!("{first}-again");
    let journal = fs::read_to_string(aside.join("journal.jsonl"))?;
    fs::write(
        aside.join("journal.jsonl"),
        journal.replace(&first, &first_again),
    )?;
    fs::rename(&aside, runs.join(&first_again))?;
    for command in ["resume", "rollback"] {
        let words = ["more than one run is unfinished", "`cargo xtask status`"];
        assert_said(&sandbox.run(&[command])?, 1, &words);
    }
    assert_eq!(sandbox.next_commands()?.len(), 4);
    let second = sandbox.runs()?.into_iter().find(|run| *run != first_again);
    let second = second.unwrap_or_default();
    assert_said(&sandbox.run(&["rollback", &second])?, 0, &["Rolled back"]);
    assert_said(&sandbox.run(&["resume", "--done"])?, 0, &["Rotated"]);
    sandbox.expect_sound(CLIENTS)
}

/// What a later run stands on is not taken away from under it.
#[tokio::test(flavor = "multi_thread")]
async fn runs_are_rolled_back_in_their_order() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    let mut keys = vec![sandbox.env_key()?];
    for _ in 0..2 {
        assert_said(&sandbox.run(&["rotate-dcr"])?, 0, &[]);
        keys.push(sandbox.env_key()?);
    }
    let runs = sandbox.runs()?;
    let before = sandbox.tree()?;
    let output = sandbox.run(&["rollback", &runs[0]])?;
    let advice = format!("`cargo xtask rollback {}", runs[1]);
    assert_said(&output, 1, &["is to be rolled back first", &advice]);
    let differences = before.differences(&sandbox.tree()?);
    assert!(differences.is_empty(), "{differences:?}");
    for (run, key) in runs.iter().zip(&keys).rev() {
        assert_said(&sandbox.run(&["rollback", run])?, 0, &["Rolled back"]);
        assert!(sandbox.env_key()? == *key, "another key after {run}");
        sandbox.expect_sound(CLIENTS)?;
    }
    Ok(())
}

/// Two operators of one machine have a folder of runs each: the secret is the same all the same.
#[tokio::test(flavor = "multi_thread")]
async fn runs_in_other_folders_are_kept_from_the_same_secret() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    sandbox.settings("soak = \"1h\"", RESTART)?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 3, &[]);
    // The first run is unfinished; another person knows nothing of it.
    let before = sandbox.tree()?;
    let output = sandbox.run(&["rotate-dcr", "--state-dir", "of-somebody-else"])?;
    assert_said(&output, 1, &[&sandbox.run_name()?, "is not finished"]);
    // `status` tells them of it, and what it says to type finds it.
    let status = sandbox.run(&["status", "--state-dir", "of-somebody-else"])?;
    assert_said(&status, 0, &["`soak`"]);
    let differences = before.differences(&sandbox.tree()?);
    assert!(differences.is_empty(), "{differences:?}");
    let next = super::lab::next_commands(&status);
    assert_eq!(next.len(), 2, "{next:?}");
    assert_said(&sandbox.pasted(&next[1])?, 0, &["Rolled back"]);
    let status = sandbox.run(&["status", "--state-dir", "of-somebody-else"])?;
    assert_said(&status, 0, &["none yet"]);
    Ok(())
}
