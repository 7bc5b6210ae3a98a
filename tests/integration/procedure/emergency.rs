//! `rotate-secret --emergency`: nothing is waited for, and the old value is gone in the end.
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use anyhow::{Context as _, Result};
use integration_tests::issuer::TestIssuer;
use serde_json::Value;

use super::sandbox::{CONTACTS, Sandbox, assert_said};

/// The states of the versions of a secret, the oldest first.
fn states(sandbox: &Sandbox, secret: &str) -> Result<Vec<String>> {
    let index = sandbox.read(&format!(".rotation/{secret}/versions.json"))?;
    let index: Value = serde_json::from_str(&index)?;
    let versions = index["versions"].as_array().context("versions")?;
    let state = |version: &Value| Some(version["state"].as_str()?.to_owned());
    Ok(versions.iter().filter_map(state).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaked_key_is_destroyed_and_its_clients_are_listed() -> Result<()> {
    let sandbox = Sandbox::with_clients(20).await?;
    let rotated = sandbox.run(&["rotate-secret", "dcr-encryption-key", "--emergency"])?;
    assert_said(&rotated, 0, &["can't be undone", "20 clients are listed"]);
    let states = states(&sandbox, "dcr-encryption-key")?;
    assert_eq!(states, ["destroyed", "enabled"]);

    let run = sandbox.run_name()?;
    let list = sandbox.path("state/runs").join(&run).join("clients.csv");
    assert_eq!(fs::metadata(&list)?.permissions().mode() & 0o777, 0o600);
    let listed = fs::read_to_string(&list)?;
    let mut lines = listed.lines();
    assert_eq!(lines.next(), Some("order_id,client_id"));
    let orders: Vec<&str> = lines.filter_map(|line| line.split(',').next()).collect();
    let rows = sandbox.rows()?;
    let mut expected: Vec<&str> = rows.iter().map(|row| row.order_id.as_str()).collect();
    expected.sort_unstable();
    assert_eq!(orders, expected);

    let back = sandbox.run(&["rollback", &run])?;
    assert_said(&back, 1, &["is destroyed", "nothing was changed"]);
    sandbox.expect_sound(20)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaked_client_secret_has_to_be_revoked_first() -> Result<()> {
    let issuer = TestIssuer::start().await;
    issuer.accept("a-client", "hunter2-old");
    issuer.accept("a-client", "hunter2-new");
    let sandbox = Sandbox::with_clients(1).await?;
    let old_env = sandbox.read(".env")?;
    sandbox.write_env(&format!(
        "{old_env}RED_HAT_SSO_CLIENT_ID=a-client\nRED_HAT_SSO_CLIENT_SECRET=hunter2-old\n"
    ))?;
    sandbox.write(
        "rotation.toml",
        &format!(
            "platform = \"local\"\nstate_dir = \"state\"\n[issuers]\nred_hat_sso = \"{}\"\n\
             [local.agent]\nrestart = [\"true\"]\n[local.handler]\nrestart = [\"true\"]\n{CONTACTS}",
            issuer.url()
        ),
    )?;
    sandbox.write("value", "hunter2-new")?;
    let run = |arguments: &[&str]| {
        sandbox
            .program(arguments)
            .env("SSL_CERT_FILE", issuer.authority_pem())
            .run()
    };
    let waiting = run(&[
        "rotate-secret",
        "red-hat-sso-client-secret",
        "--emergency",
        "--value-file",
        "value",
    ]);
    assert_said(&waiting, 3, &["Have the old value revoked"]);
    let env = sandbox.read(".env")?;
    assert!(
        env.contains("hunter2-new"),
        "the new value doesn't serve yet"
    );

    // Said to be done, and not done: the issuer is asked.
    let too_early = run(&["resume", "--done"]);
    assert_said(&too_early, 2, &["still accepts version 1"]);
    let secret = "redhat-sso-client-secret";
    assert_eq!(states(&sandbox, secret)?, ["enabled", "enabled"]);

    issuer.refuse("a-client");
    issuer.accept("a-client", "hunter2-new");
    assert_said(&run(&["resume"]), 0, &["Rotated"]);
    assert_eq!(states(&sandbox, secret)?, ["destroyed", "enabled"]);
    Ok(())
}
