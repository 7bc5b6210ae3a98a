//! Somebody puts back what the store's folder had before: what is on the disk since stays there,
//! and is told of, for it may be all that opens a token.
use std::fs;

use anyhow::Result;

use super::sandbox::{Sandbox, assert_said};

const CLIENTS: u64 = 20;
const FOLDER: &str = ".rotation/dcr-encryption-key";

/// Two rotations: the table is under the third version.
async fn rotated_twice() -> Result<(Sandbox, String)> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 0, &[]);
    let older = sandbox.read(&format!("{FOLDER}/versions.json"))?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 0, &[]);
    Ok((sandbox, older))
}

/// With the `.env` of that time: its key opens nothing.
#[tokio::test(flavor = "multi_thread")]
async fn the_record_of_versions_and_the_file_of_variables() -> Result<()> {
    let (sandbox, older) = rotated_twice().await?;
    let newest = sandbox.env_key()?;
    let second = sandbox.read(&format!("{FOLDER}/2.value"))?;
    sandbox.write(&format!("{FOLDER}/versions.json"), &older)?;
    sandbox.write_env(&sandbox.read(".env")?.replace(&newest, &second))?;
    // The tokens' key is found, where the record doesn't have it.
    let surveyed = sandbox.run(&["survey-dcr"])?;
    assert_said(&surveyed, 0, &["version 3", "which no service reads"]);
    // Whatever is changed in the store, it stays.
    let enabled = sandbox.run(&["enable-version", "dcr-encryption-key", "1"])?;
    assert_said(&enabled, 0, &["Version 1 is enabled."]);
    assert!(
        sandbox.read(&format!("{FOLDER}/3.value"))? == newest,
        "gone"
    );
    assert_said(&sandbox.run(&["rotate-dcr"])?, 1, &["can't be read"]);
    // Given back to the service, it is rotated like any.
    sandbox.write_env(&sandbox.read(".env")?.replace(&second, &newest))?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 0, &["Rotated"]);
    sandbox.expect_clients(CLIENTS)
}

/// Old keys open what backups hold.
#[tokio::test(flavor = "multi_thread")]
async fn no_record_of_versions() -> Result<()> {
    let (sandbox, _) = rotated_twice().await?;
    let before = sandbox.stored()?;
    fs::remove_file(sandbox.path(&format!("{FOLDER}/versions.json")))?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 0, &["Rotated"]);
    let after = sandbox.stored()?;
    for version in &before {
        let found = after.iter().find(|one| one.number == version.number);
        assert!(
            found.is_some_and(|found| found.value == version.value),
            "gone"
        );
    }
    assert_said(&sandbox.run(&["status"])?, 0, &["; also enabled: 2, 1"]);
    sandbox.expect_clients(CLIENTS)
}
