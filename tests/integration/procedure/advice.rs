//! The commands that are printed are good for pasting into a shell, wherever it stands and
//! whatever flags were typed before.
use std::fs;

use anyhow::{Context as _, Result};
use integration_tests::Output;

use super::lab::next_commands;
use super::sandbox::{CONTACTS, RESTART, Sandbox, assert_said};

const CLIENTS: u64 = 20;

/// Everything in back-ticks that is a command of the program.
fn commands_in(text: &str) -> Vec<String> {
    let parts = text.split('`').skip(1).step_by(2);
    parts
        .filter(|part| part.starts_with("cargo xtask "))
        .map(str::to_owned)
        .collect()
}

/// Flags as they may be typed, with the settings in a place whose name needs quoting.
struct Typed {
    sandbox: Sandbox,
    flags: Vec<&'static str>,
}

impl Typed {
    async fn new(flags: &[&'static str]) -> Result<Typed> {
        let sandbox = Sandbox::with_clients(CLIENTS).await?;
        fs::create_dir(sandbox.path("it's here"))?;
        let text = format!(
            "announce = true\nstate_dir = \"state\"\n[local]\nenv_file = \"../.env\"\n{RESTART}\n{CONTACTS}"
        );
        sandbox.write("it's here/rotation.toml", &text)?;
        fs::remove_file(sandbox.path("rotation.toml"))?;
        Ok(Typed {
            sandbox,
            flags: flags.to_vec(),
        })
    }

    fn run(&self, arguments: &[&str]) -> Result<Output> {
        self.sandbox.run(&[arguments, &self.flags].concat())
    }
}

const ALL_FLAGS: [&str; 6] = [
    "--platform",
    "local",
    "--settings",
    "it's here/rotation.toml",
    "--state-dir",
    "a state's folder",
];

/// To somebody whose own runs are in another folder.
#[tokio::test(flavor = "multi_thread")]
async fn how_a_run_of_another_folder_goes_on_can_be_pasted() -> Result<()> {
    let typed = Typed::new(&ALL_FLAGS).await?;
    assert_said(&typed.run(&["rotate-dcr"])?, 3, &["waits"]);
    let elsewhere = ["--state-dir", "of-somebody-else"];
    let arguments = [&["rotate-dcr"], &ALL_FLAGS[..4], &elsewhere].concat();
    let output = typed.sandbox.run(&arguments)?;
    assert_said(&output, 1, &["whoever began it goes on"]);
    let pasted = typed.sandbox.pasted(&commands_in(&output.stderr)[0])?;
    assert_said(&pasted, 3, &["it goes on at the step", "waits"]);
    Ok(())
}

/// What the message of a run that waits says, and what `status` says, for each of two ways.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_can_be_pasted_with_the_flags_that_were_typed() -> Result<()> {
    for flags in [&ALL_FLAGS[..], &ALL_FLAGS[..4]] {
        let typed = Typed::new(flags).await?;
        let output = typed.run(&["rotate-dcr"])?;
        assert_said(&output, 3, &["waits"]);
        let said = commands_in(&output.stderr);
        let listed = next_commands(&typed.run(&["status"])?);
        assert_eq!(said, listed, "not the same: {output:#?}");
        let ended = typed.sandbox.pasted(&said[1])?;
        assert_said(&ended, 0, &["Rolled back"]);

        assert_said(&typed.run(&["rotate-dcr"])?, 3, &["waits"]);
        let listed = next_commands(&typed.run(&["status"])?);
        let ended = typed.sandbox.pasted(&listed[0])?;
        assert_said(&ended, 0, &["Rotated"]);
        typed.sandbox.expect_clients(CLIENTS)?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_unfinished_run_says_can_be_pasted() -> Result<()> {
    let typed = Typed::new(&ALL_FLAGS).await?;
    assert_said(&typed.run(&["rotate-dcr"])?, 3, &["waits"]);
    let output = typed.run(&["rotate-dcr"])?;
    assert_said(&output, 1, &["is not finished"]);
    let said = commands_in(&output.stderr);
    assert_eq!(said.len(), 2, "{output:#?}");
    assert_said(&typed.sandbox.pasted(&said[1])?, 0, &["Rolled back"]);

    // Nothing is left to roll back: the list, which is named, shows the run.
    let output = typed.run(&["rollback"])?;
    let said = commands_in(&output.stderr);
    assert_said(&output, 1, &[]);
    assert_said(&typed.sandbox.pasted(&said[0])?, 0, &["rolled back 2"]);
    Ok(())
}

/// Settings that name no platform: a run knows where it was begun.
#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_was_a_flag_is_a_flag_again() -> Result<()> {
    let typed = Typed::new(&ALL_FLAGS).await?;
    assert_said(&typed.run(&["rotate-dcr"])?, 3, &["waits"]);
    let status = typed
        .sandbox
        .run(&[&["status"], &ALL_FLAGS[2..]].concat())?;
    let next = next_commands(&status);
    let next = next.first().context("no command")?;
    assert_said(&typed.sandbox.pasted(next)?, 0, &["Rotated"]);
    Ok(())
}

/// Scripts paste too.
#[tokio::test(flavor = "multi_thread")]
async fn scripts_get_commands_with_the_flags() -> Result<()> {
    let typed = Typed::new(&ALL_FLAGS).await?;
    assert_said(&typed.run(&["rotate-dcr"])?, 3, &["waits"]);
    let status = super::lab::json(&typed.run(&["status", "--format", "json"])?)?;
    let next = status["runs"][0]["next"][0].as_str().context("next")?;
    assert_said(&typed.sandbox.pasted(next)?, 0, &["Rotated"]);
    Ok(())
}
