//! `rotate-secret --emergency`: nothing is waited for, and the old value is gone in the end.
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use anyhow::{Context as _, Result};
use integration_tests::Output;
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

/// All of them, by their orders, in a file that nobody else may read.
pub(super) fn expect_listed(sandbox: &Sandbox, mut orders: Vec<String>) -> Result<()> {
    let run = sandbox.run_name()?;
    let list = sandbox.path("state/runs").join(&run).join("clients.csv");
    assert_eq!(fs::metadata(&list)?.permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&list)?;
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("order_id,client_id"));
    let listed: Vec<&str> = lines.filter_map(|line| line.split(',').next()).collect();
    orders.sort_unstable();
    assert_eq!(listed, orders);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaked_key_is_destroyed_and_its_clients_are_listed() -> Result<()> {
    let sandbox = Sandbox::with_clients(20).await?;
    let rotated = sandbox.run(&["rotate-secret", "dcr-encryption-key", "--emergency"])?;
    let said = [
        "can't be undone",
        "20 clients are listed",
        "Your client secret has to be replaced",
    ];
    assert_said(&rotated, 0, &said);
    let states = states(&sandbox, "dcr-encryption-key")?;
    assert_eq!(states, ["destroyed", "enabled"]);

    let rows = sandbox.rows()?;
    expect_listed(&sandbox, rows.into_iter().map(|row| row.order_id).collect())?;
    let run = sandbox.run_name()?;
    let report = sandbox.run(&["report", &run])?;
    assert!(
        report.stdout.contains("20 clients are to register anew"),
        "{report:?}"
    );
    let back = sandbox.run(&["rollback", &run])?;
    assert_said(&back, 1, &["is destroyed", "nothing was changed"]);
    sandbox.expect_sound(20)
}

/// An installation with a client's secret, and the issuer that knows it and the next one.
struct Leaked {
    issuer: TestIssuer,
    sandbox: Sandbox,
}

impl Leaked {
    async fn new() -> Result<Leaked> {
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
        Ok(Leaked { issuer, sandbox })
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.sandbox
            .program(arguments)
            .env("SSL_CERT_FILE", self.issuer.authority_pem())
            .run()
    }

    fn revoke(&self) {
        self.issuer.refuse("a-client");
        self.issuer.accept("a-client", "hunter2-new");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaked_client_secret_has_to_be_revoked_first() -> Result<()> {
    let leaked = Leaked::new().await?;
    let sandbox = &leaked.sandbox;
    let waiting = leaked.run(&[
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
    let too_early = leaked.run(&["resume", "--done"]);
    assert_said(&too_early, 2, &["still accepts version 1"]);
    let secret = "redhat-sso-client-secret";
    assert_eq!(states(sandbox, secret)?, ["enabled", "enabled"]);

    leaked.revoke();
    assert_said(&leaked.run(&["resume"]), 0, &["Rotated"]);
    assert_eq!(states(sandbox, secret)?, ["destroyed", "enabled"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaked_client_secret_can_be_revoked_first() -> Result<()> {
    let leaked = Leaked::new().await?;
    let secret = "red-hat-sso-client-secret";
    let emergency = ["rotate-secret", secret, "--emergency", "--contain"];
    // What contains nothing here isn't begun.
    for means in ["close", "lock-out"] {
        let unfit = leaked.run(&[&emergency[..], &[means]].concat());
        assert_said(&unfit, 64, &["contains no leak of", "nothing was changed"]);
    }
    let given = ["revoke", "--value-file", "value"];
    let waiting = leaked.run(&[&emergency[..], &given].concat());
    let shown = [
        "--contain revoke (used)",
        "it can't be undone",
        "Have the value in use revoked",
        "Urgent: the secret of the client `a-client` may be known to others",
    ];
    assert_said(&waiting, 3, &shown);
    // Said to be done, and not done.
    let too_early = leaked.run(&["resume", "--done"]);
    assert_said(&too_early, 3, &["the issuer still accepts it"]);
    leaked.revoke();
    let rotated = leaked.run(&["resume", "--value-file", "value"]);
    assert_said(&rotated, 0, &["Rotated"]);
    let states = states(&leaked.sandbox, "redhat-sso-client-secret")?;
    assert_eq!(states, ["destroyed", "enabled"]);
    Ok(())
}

/// While nothing is revoked there is a way back, and none afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn a_way_back_ends_where_the_value_is_revoked() -> Result<()> {
    let leaked = Leaked::new().await?;
    let secret = "red-hat-sso-client-secret";
    let emergency = [
        "rotate-secret",
        secret,
        "--emergency",
        "--contain",
        "revoke",
    ];
    assert_said(&leaked.run(&emergency), 3, &[]);
    assert_said(&leaked.run(&["rollback"]), 0, &["Rolled back"]);
    assert_said(&leaked.run(&emergency), 3, &[]);
    leaked.revoke();
    let refused = leaked.run(&["rollback"]);
    assert_said(&refused, 1, &["refuses what", "nothing was changed"]);
    Ok(())
}
