//! Nothing is wrong: it says so, and has asked and changed nothing.
use anyhow::Result;
use integration_tests::google::{Effect, Fault};

use super::Findings;
use super::installation::Installation;

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_without_a_fault() -> Result<()> {
    let Some(installation) = Installation::new().await? else {
        return Ok(());
    };
    // A server that is away for a moment is asked again.
    let away = Fault::once("POST", "/serviceAccounts/", Effect::Unavailable);
    installation.google.fault(away);
    let examined = installation.doctor(&[])?;
    assert_eq!(examined.code, Some(0), "{}", examined.stdout);
    let last = examined.stdout.lines().last();
    assert_eq!(last, Some("0 faults, 0 warnings: no rotation would fail"));
    for line in [
        "  ok       all 7 permissions on the secret `dcr-encryption-key`",
        "  ok       all 3 permissions on the service `marketplace-handler`",
        "  ok       `iam.serviceAccounts.actAs` on the service account `runtime@p1.iam.gserviceaccount.com`",
        "  ok       all 4 permissions on the project `p1`",
        "  ok       8 of the 8 versions that the services read are enabled",
        "  ok       `marketplace-handler` is ready, and serves with `marketplace-handler-00001-abc`",
        "  ok       the newest backup is `1700000000000`, less than an hour old",
        "  ok       the key in use opens all 13 tokens",
        "  ok       the issuer accepts the `red-hat-sso-client-secret` that the services have",
        "  ok       the issuer accepts the `gma-client-secret` that the services have",
        "  ok       `session-database-url`, as it is in use, logs in",
    ] {
        assert!(
            examined.stdout.lines().any(|printed| printed == line),
            "no line {line:?} in\n{}",
            examined.stdout
        );
    }
    // Each secret, what else four of them read, each service, their one account twice,
    // and the project for backups and for the proxy.
    let tests = installation.google.count("POST", ":testIamPermissions");
    assert_eq!(tests, 5 + 4 + 2 + 2 + 2);
    Ok(())
}

/// What others say to the values in use: one issuer refuses them, and a server a login.
#[tokio::test(flavor = "multi_thread")]
async fn values_that_others_refuse() -> Result<()> {
    let Some(installation) = Installation::new().await? else {
        return Ok(());
    };
    installation.issuer.refuse("hunter2-gma-client-id");
    let nobody = b"postgresql+asyncpg://sessions:hunter2-password@127.0.0.1:1/agent_sessions";
    let mut world = installation.google.world();
    world.secrets.add("session-database-url", nobody);
    drop(world);
    let examined = installation.doctor(&["--format", "json"])?;
    assert_eq!(examined.code, Some(1), "{examined:?}");
    let findings = Findings::of(&examined)?;
    findings.find("fine", "accepts the `red-hat-sso-client-secret`")?;
    findings.assert(
        "warning",
        "the issuer refuses the `gma-client-secret` that the services have",
        &[],
        &["cargo xtask rotate-secret gma-client-secret --platform google-cloud"],
    )?;
    let of_sessions = findings.find("fault", "`session-database-url`: ")?;
    let stops = serde_json::json!(["session-database-url"]);
    assert_eq!(of_sessions["stops"], stops, "{of_sessions:#}");
    Ok(())
}
