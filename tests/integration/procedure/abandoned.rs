//! `abandon`: the way out where somebody has changed what a run goes by, so that it can neither
//! go on nor be undone, and the service works with what it has.
use std::fs;

use anyhow::{Context as _, Result};
use secret::FernetKey;
use serde_json::Value;

use super::sandbox::{RESTART, Sandbox, assert_said};

const CLIENTS: u64 = 20;
const FOLDER: &str = ".rotation/dcr-encryption-key";

/// A run in its soak.
async fn soaking() -> Result<(Sandbox, String)> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    sandbox.settings("soak = \"1h\"", RESTART)?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 3, &[]);
    sandbox.settings("", RESTART)?;
    let run = sandbox.run_name()?;
    Ok((sandbox, run))
}

/// Neither way goes on; `advising` names the command that does, which is pasted, and a new
/// rotation comes to its end.
fn expect_way_out(sandbox: &Sandbox, run: &str, advising: &str, done: &str) -> Result<()> {
    let named = format!("cargo xtask abandon {run}{done}");
    for command in ["resume", "rollback"] {
        let output = sandbox.run(&[command, run])?;
        assert!(output.code != Some(0), "{output:#?}");
        if command == advising {
            assert_said(
                &output,
                output.code.unwrap_or_default(),
                &["cargo xtask abandon"],
            );
        }
    }
    assert_said(&sandbox.run(&["rotate-dcr"])?, 1, &["is not finished"]);
    let env = sandbox.read(".env")?;
    let words = ["Abandoned", "leaves to you", "Retire the old version"];
    assert_said(&sandbox.pasted(&named)?, 0, &words);
    assert!(sandbox.read(".env")? == env, ".env was changed");
    for command in ["abandon", "resume", "rollback"] {
        assert_said(
            &sandbox.run(&[command, run])?,
            1,
            &["there is nothing to do"],
        );
    }
    assert_said(&sandbox.run(&["status"])?, 0, &["abandoned"]);
    assert_said(&sandbox.run(&["report", run])?, 0, &["abandoned"]);
    assert_said(&sandbox.run(&["rotate-dcr"])?, 0, &["Rotated"]);
    sandbox.expect_clients(CLIENTS)?;
    assert_eq!(sandbox.unfinished()?, Vec::<Value>::new());
    Ok(())
}

/// The table goes over to a key of theirs, and then the service does.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_table_somebody_puts_under_another_key() -> Result<()> {
    let (sandbox, run) = soaking().await?;
    let theirs = FernetKey::generate().to_text();
    sandbox.write("theirs.key", &theirs)?;
    let new = format!("{FOLDER}/2.value");
    let arguments = ["rotate-dcr", "--platform", "none"];
    let keys = ["--old-key-file", &new, "--new-key-file", "theirs.key"];
    let program = sandbox.program(&[&arguments[..], &keys].concat());
    let url = "sqlite+aiosqlite:///clients.sqlite";
    let moved = sandbox.checked(&program.env("DATABASE_URL", url))?;
    assert_said(&moved, 0, &["Re-encrypted"]);
    // The service can't read the table now: nobody leaves it so.
    let before = sandbox.tree()?;
    let refused = sandbox.run(&["abandon", &run])?;
    assert_said(&refused, 1, &["can't be read", "nothing was changed"]);
    let differences = before.differences(&sandbox.tree()?);
    assert!(differences.is_empty(), "{differences:?}");

    let env = sandbox.read(".env")?;
    sandbox.write_env(&env.replace(&sandbox.env_key()?, &theirs))?;
    // Whether it was restarted since, people have to say.
    let done = format!("cargo xtask abandon {run} --done");
    let words = ["restart `marketplace-handler`", &done];
    assert_said(&sandbox.run(&["abandon", &run])?, 1, &words);
    let copy = sandbox.copied()?;
    assert_said(&copy.pasted(&done)?, 0, &["Abandoned"]);
    expect_way_out(&sandbox, &run, "resume", " --done")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_old_value_is_lost() -> Result<()> {
    let (sandbox, run) = soaking().await?;
    fs::remove_file(sandbox.path(&format!("{FOLDER}/1.value")))?;
    let named = "the value of version 1 of `dcr-encryption-key` is gone";
    let resumed = sandbox.program(&["resume", &run]).run();
    assert_said(&resumed, 2, &[named, "cargo xtask abandon"]);
    let refused = sandbox.program(&["rollback", &run]).run();
    assert_said(&refused, 1, &[named, "cargo xtask abandon"]);
    let left = sandbox.program(&["abandon", &run]).run();
    assert_said(&left, 0, &["Abandoned"]);
    let rotated = sandbox.program(&["rotate-dcr"]).run();
    assert_said(&rotated, 0, &["Rotated"]);
    sandbox.expect_clients(CLIENTS)?;
    let disabled = sandbox
        .program(&["disable-version", "dcr-encryption-key", "1"])
        .run();
    assert_said(&disabled, 0, &["Version 1 is disabled."]);
    let surveyed = sandbox.program(&["survey-dcr"]).run();
    assert_said(&surveyed, 0, &["which `marketplace-handler` reads"]);
    Ok(())
}

/// From before the new value was staged, or not at all.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_store_is_not_what_it_was() -> Result<()> {
    for is_restored in [true, false] {
        let (sandbox, run) = soaking().await?;
        if is_restored {
            let index = format!("{FOLDER}/versions.json");
            let mut versions: Value = serde_json::from_str(&sandbox.read(&index)?)?;
            let all = versions["versions"].as_array_mut().context("versions")?;
            all.truncate(1);
            sandbox.write(&index, &versions.to_string())?;
            fs::remove_file(sandbox.path(&format!("{FOLDER}/2.value")))?;
        } else {
            fs::remove_dir_all(sandbox.path(".rotation"))?;
        }
        // Of a value that no record has, it isn't known whether the service runs with it.
        let done = if is_restored { " --done" } else { "" };
        expect_way_out(&sandbox, &run, "rollback", done)?;
    }
    Ok(())
}

/// It may be about another service, which isn't looked at then.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_another_place_is_not_left() -> Result<()> {
    let (sandbox, run) = soaking().await?;
    fs::copy(sandbox.path(".env"), sandbox.path("other.env"))?;
    sandbox.settings("", &format!("[local]\nenv_file = \"other.env\"\n{RESTART}"))?;
    let refused = sandbox.run(&["abandon", &run])?;
    assert_said(
        &refused,
        1,
        &["another file of variables", "nothing was changed"],
    );
    sandbox.settings("", RESTART)?;
    assert_said(&sandbox.run(&["resume", &run])?, 0, &["Rotated"]);
    sandbox.expect_sound(CLIENTS)
}

/// What an earlier run would go back to isn't what the services have.
#[tokio::test(flavor = "multi_thread")]
async fn beneath_a_run_that_was_left_an_earlier_one_is_looked_at_like_any() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 0, &[]);
    let first = sandbox.run_name()?;
    sandbox.settings("soak = \"1h\"", RESTART)?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 3, &[]);
    assert_said(&sandbox.run(&["abandon"])?, 0, &["Abandoned"]);
    let refused = sandbox.run(&["rollback", &first])?;
    assert_said(
        &refused,
        1,
        &["which this run doesn't know", "nothing was changed"],
    );
    sandbox.expect_clients(CLIENTS)
}

/// A copy of the database, or an empty one: what it holds says nothing of the table that has gone
/// over.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_table_has_gone_over_is_not_left_by_another_database() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    fs::copy(
        sandbox.path("clients.sqlite"),
        sandbox.path("yesterday.sqlite"),
    )?;
    // The restart fails, and somebody puts the old key back.
    let old = sandbox.read(".env")?;
    sandbox.write("broken", "")?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 2, &[]);
    let rotated = sandbox.read(".env")?;
    fs::remove_file(sandbox.path("broken"))?;
    sandbox.write_env(&old.replace("clients.sqlite", "yesterday.sqlite"))?;
    let refused = sandbox.run(&["abandon", "--done"])?;
    assert_said(&refused, 1, &["another database", "nothing was changed"]);
    sandbox.write_env(&rotated)?;
    assert_said(&sandbox.run(&["resume"])?, 0, &["Rotated"]);
    sandbox.expect_sound(CLIENTS)
}

/// Whoever did what its later steps do would take the value away that the service has.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_has_not_cut_over_leaves_nothing_to_people() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    sandbox.settings("announce = true", RESTART)?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 3, &[]);
    let left = sandbox.run(&["abandon"])?;
    assert_said(&left, 0, &["Abandoned"]);
    let said = format!("{}{}", left.stdout, left.stderr);
    assert!(
        !said.contains("leaves to you") && !said.contains("left to you"),
        "{said}"
    );
    sandbox.settings("", RESTART)?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 0, &["Rotated"]);
    sandbox.expect_sound(CLIENTS)
}
