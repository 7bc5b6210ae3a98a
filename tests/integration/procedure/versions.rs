//! `disable-version` and `enable-version`: the way out where a version is in the way, or missing.
use anyhow::{Context as _, Result};
use secret::FernetKey;
use serde_json::{Value, json};

use super::sandbox::{RESTART, Sandbox, assert_said};

const CLIENTS: u64 = 20;
const FOLDER: &str = ".rotation/dcr-encryption-key";
const DATABASE: (&str, &str) = ("DATABASE_URL", "sqlite+aiosqlite:///clients.sqlite");

/// Version 2 serves, and somebody has added version 3.
async fn with_a_foreign_version() -> Result<Sandbox> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 0, &[]);
    let key = FernetKey::generate().to_text();
    sandbox.write(&format!("{FOLDER}/3.value"), &key)?;
    let index = format!("{FOLDER}/versions.json");
    let mut versions: Value = serde_json::from_str(&sandbox.read(&index)?)?;
    let mut added = versions["versions"][1].clone();
    added["number"] = json!(3);
    let all = versions["versions"].as_array_mut().context("versions")?;
    all.push(added);
    sandbox.write(&index, &versions.to_string())?;
    Ok(sandbox)
}

fn states(sandbox: &Sandbox) -> Result<Vec<String>> {
    let versions = sandbox.stored()?.into_iter();
    Ok(versions.map(|version| version.state).collect())
}

/// Its tokens move from the key of one version to that of another.
fn move_tokens(sandbox: &Sandbox, from: u64, to: u64) -> Result<()> {
    let [old, new] = [from, to].map(|number| format!("{FOLDER}/{number}.value"));
    let arguments = ["rotate-dcr", "--platform", "none"];
    let keys = ["--old-key-file", &old, "--new-key-file", &new];
    let program = sandbox.program(&[&arguments[..], &keys].concat());
    let moved = sandbox.checked(&program.env(DATABASE.0, DATABASE.1))?;
    assert_said(&moved, 0, &["Re-encrypted"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_rotation_is_refused_for_is_disabled_by_the_command_of_its_hint() -> Result<()> {
    let sandbox = with_a_foreign_version().await?;
    let command = "cargo xtask disable-version dcr-encryption-key 3";
    assert_said(&sandbox.run(&["rotate-dcr"])?, 1, &[command]);
    assert_said(&sandbox.pasted(command)?, 0, &["Version 3 is disabled."]);
    let again = sandbox.pasted(command)?;
    assert_said(&again, 0, &["Version 3 is disabled already."]);
    assert_said(&sandbox.run(&["rotate-dcr"])?, 0, &["Rotated"]);
    assert_eq!(
        states(&sandbox)?,
        ["disabled", "disabled", "disabled", "enabled"]
    );
    sandbox.expect_clients(CLIENTS)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_needed_is_not_disabled() -> Result<()> {
    let sandbox = with_a_foreign_version().await?;
    let disable = |number: &str| sandbox.run(&["disable-version", "dcr-encryption-key", number]);
    let read = disable("2")?;
    assert_said(&read, 1, &["still read by", "nothing was changed"]);
    move_tokens(&sandbox, 2, 3)?;
    let tokens = disable("3")?;
    let words = ["26 tokens are still under the key", "nothing was changed"];
    assert_said(&tokens, 1, &words);
    move_tokens(&sandbox, 3, 2)?;
    assert_said(&disable("4")?, 1, &["no version 4"]);
    assert_eq!(states(&sandbox)?, ["disabled", "enabled", "enabled"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_unfinished_run_goes_by_is_not_disabled() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    sandbox.settings("soak = \"1h\"", RESTART)?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 3, &["Soak"]);
    for number in ["1", "2"] {
        let refused = sandbox.run(&["disable-version", "dcr-encryption-key", number])?;
        let words = [
            &*sandbox.run_name()?,
            "is not finished",
            "nothing was changed",
        ];
        assert_said(&refused, 1, &words);
    }
    Ok(())
}

/// What a hint calls a secret is its name in the store, which the settings may have given it.
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_goes_by_the_name_that_the_settings_give_it() -> Result<()> {
    let sandbox = with_a_foreign_version().await?;
    let renamed = "[secrets]\ndcr-encryption-key = \"our-key\"\n";
    sandbox.settings("", &format!("{renamed}{RESTART}"))?;
    assert_said(
        &sandbox.pasted(&format!("mv {FOLDER} .rotation/our-key"))?,
        0,
        &[],
    );
    let command = "cargo xtask disable-version our-key 3";
    assert_said(&sandbox.run(&["rotate-dcr"])?, 1, &[command]);
    assert_said(&sandbox.pasted(command)?, 0, &["Version 3 is disabled."]);
    let output = sandbox.run(&["enable-version", "hunter2-pasted", "3"])?;
    assert_said(&output, 64, &["no such secret", "`our-key`"]);
    assert!(!output.stderr.contains("hunter2"), "{output:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_enabled_again() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    let env = sandbox.read(".env")?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 0, &[]);
    move_tokens(&sandbox, 2, 1)?;
    sandbox.write_env(&env)?;
    // What the service has works, and its version is disabled.
    let command = "cargo xtask enable-version dcr-encryption-key 1";
    assert_said(&sandbox.run(&["rotate-dcr"])?, 1, &[command]);
    assert_said(&sandbox.pasted(command)?, 0, &["Version 1 is enabled."]);
    let refused = sandbox.run(&["rotate-dcr"])?;
    let command = "cargo xtask disable-version dcr-encryption-key 2";
    assert_said(&refused, 1, &[command]);
    assert_said(&sandbox.pasted(command)?, 0, &["Version 2 is disabled."]);
    assert_said(&sandbox.run(&["rotate-dcr"])?, 0, &["Rotated"]);
    sandbox.expect_sound(CLIENTS)
}
