//! `survey-dcr` on a platform: the tokens by the versions of the key in the store.
use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::sandbox::{Sandbox, assert_said};

const CLIENTS: u64 = 20;
const TOKENS: &str = "26 tokens";

#[tokio::test(flavor = "multi_thread")]
async fn every_token_is_under_the_version_that_the_service_reads() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    // Before the first rotation the key is in no store.
    let before = sandbox.run(&["survey-dcr"])?;
    assert_said(
        &before,
        0,
        &[", in no version", TOKENS, "`marketplace-handler` reads"],
    );
    assert_said(&sandbox.run(&["rotate-dcr"])?, 0, &[]);
    let after = sandbox.run(&["survey-dcr"])?;
    assert_said(
        &after,
        0,
        &[", version 2", TOKENS, "`marketplace-handler` reads"],
    );

    let after = sandbox.run(&["survey-dcr", "--format", "json"])?;
    let after: Value = serde_json::from_str(&after.stdout)?;
    let keys = after["stored_keys"].as_array().context("keys")?;
    assert_eq!(keys.len(), 1, "{after:#}");
    assert_eq!(keys[0]["versions"], json!([2]));
    assert_eq!(keys[0]["read_by"], json!(["marketplace-handler"]));
    assert_eq!(
        after["old_key_fingerprints"],
        json!([keys[0]["fingerprint"]])
    );
    Ok(())
}

/// A run that was cut off, or a hand at the configuration: what the service can't read is said.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_the_service_can_not_read_are_told_with_what_mends_it() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    sandbox.settings("soak = \"1h\"", "")?;
    let env = sandbox.read(".env")?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 3, &["is restarted"]);
    assert_said(&sandbox.run(&["resume", "--done"])?, 3, &["Soak"]);
    sandbox.write_env(&env)?;
    let survey = sandbox.run(&["survey-dcr"])?;
    let words = [
        ", version 1",
        ", version 2",
        TOKENS,
        "which no service reads",
    ];
    assert_said(&survey, 0, &words);
    assert_said(&survey, 0, &["rotate-dcr --platform none"]);
    // Of a disabled version the key can't be read.
    let name = ".rotation/dcr-encryption-key/versions.json";
    let mut index: Value = serde_json::from_str(&sandbox.read(name)?)?;
    index["versions"][1]["state"] = json!("disabled");
    sandbox.write(name, &index.to_string())?;
    let survey = sandbox.run(&["survey-dcr"])?;
    assert_said(
        &survey,
        1,
        &["26 cells can't be read", "Version 2 is disabled"],
    );
    Ok(())
}

/// Which key a service reads may not be known: nobody is told to move tokens then.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_can_not_be_asked_reads_nobody_knows_what() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 0, &[]);
    sandbox.write(".rotation/services.json", "{")?;
    let survey = sandbox.run(&["survey-dcr"])?;
    let words = [
        "services.json",
        TOKENS,
        "whether a service reads it, isn't known",
    ];
    assert_said(&survey, 0, &words);
    assert!(!survey.stdout.contains("rotate-dcr"), "{survey:?}");
    let survey = sandbox.run(&["survey-dcr", "--format", "json"])?;
    let survey: Value = serde_json::from_str(&survey.stdout)?;
    assert_eq!(survey["stored_keys"][0]["read_by"], Value::Null);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_key_the_ways_to_give_one_are_told() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    let env = sandbox.read(".env")?.replace("DCR_ENCRYPTION_KEY", "OTHER");
    sandbox.write_env(&env)?;
    let survey = sandbox.run(&["survey-dcr"])?;
    assert_said(
        &survey,
        1,
        &["no version of `dcr-encryption-key`", "--old-key-file"],
    );
    Ok(())
}

/// Keys that are given go before those of the store.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_given_is_the_one_that_counts() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    sandbox.write("given.key", &sandbox.env_key()?)?;
    let given = sandbox.run(&["survey-dcr", "--old-key-file", "given.key"])?;
    assert_said(&given, 0, &["under old key", "Every token opens"]);
    let none = sandbox.program(&["survey-dcr", "--platform", "none"]).run();
    assert_said(&none, 1, &["DATABASE_URL is not set"]);
    Ok(())
}
