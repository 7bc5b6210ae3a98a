//! A service that isn't up, a database that isn't there, bindings that can't be rotated.
use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::Findings;
use super::installation::{AGENT, HANDLER, Installation};

/// A port that nobody listens on, and a password that must not be printed.
const NO_DATABASE: &str =
    "postgresql+asyncpg://insights:hunter2-password@127.0.0.1:1/lightspeed_agent";

const OF_AGENT: [&str; 3] = [
    "red-hat-sso-client-secret",
    "database-url",
    "session-database-url",
];

fn break_it(installation: &Installation) {
    installation.bind(AGENT, "SESSION_DATABASE_URL", &json!("hunter2-inline"));
    let other = json!({"name": "gma-client-secret", "key": "latest"});
    installation.bind(AGENT, "RED_HAT_SSO_CLIENT_SECRET", &other);
    let pinned = json!({"name": "gma-client-secret", "key": "1"});
    installation.bind(HANDLER, "GMA_CLIENT_SECRET", &pinned);
    let (serving, other) = (format!("{AGENT}-00001-abc"), format!("{AGENT}-00000-old"));
    let split = json!([
        {"percent": 60, "revisionName": serving},
        {"percent": 40, "revisionName": other},
    ]);
    installation.route(AGENT, &split);
    let mut world = installation.google.world();
    // A deployment that got no traffic.
    if let Some(service) = world.run.services.get_mut(AGENT) {
        service.spec["template"]["spec"]["containers"][0]["env"][0]["value"] = json!("DEBUG");
    }
    world.secrets.add("gma-client-secret", b"hunter2-by-hand");
    world.secrets.add("database-url", NO_DATABASE.as_bytes());
    world.unknown.push("run.revisions.get");
    world.sql.backups.clear();
    let long_ago = Timestamp::now() - SignedDuration::from_hours(72);
    world.sql.add("SUCCESSFUL", long_ago);
    world.sql.add("FAILED", Timestamp::now());
    if let Some(service) = world.run.services.get_mut(HANDLER) {
        service.fail("the startup probe failed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_is_told_with_what_mends_it() -> Result<()> {
    let Some(installation) = Installation::new().await? else {
        return Ok(());
    };
    break_it(&installation);
    let examined = installation.doctor(&["--format", "json"])?;
    assert_eq!(examined.code, Some(1), "{examined:?}");
    let findings = Findings::of(&examined)?;
    of_services(&findings)?;
    findings.assert(
        "fault",
        "version 2 of `gma-client-secret` is newer than version 1, which `marketplace-handler` reads",
        &["gma-client-secret"],
        &["gcloud secrets versions disable 2 --secret=gma-client-secret --project=p1"],
    )?;
    for service in [AGENT, HANDLER] {
        let name = format!("`run.revisions.get` can't be tested on the service `{service}`");
        findings.find("warning", &name)?;
        findings.find(
            "fine",
            &format!("all 2 permissions on the service `{service}`"),
        )?;
    }
    // The newest one failed, and doesn't count.
    findings.find(
        "warning",
        "the newest backup is `1700000000000`, 3 days old",
    )?;
    let database = findings.find("fault", "can't connect to the database")?;
    let stops = json!(["database-url", "dcr-encryption-key"]);
    assert_eq!(database["stops"], stops, "{database:#}");
    assert!(
        database["text"].to_string().contains("127.0.0.1:1"),
        "{database:#}"
    );
    Ok(())
}

fn of_services(findings: &Findings) -> Result<()> {
    let place = "--project=p1 --region=us-central1";
    findings.assert(
        "fault",
        "`marketplace-handler` is not ready: the startup probe failed",
        &[
            "red-hat-sso-client-secret",
            "gma-client-secret",
            "database-url",
            "dcr-encryption-key",
        ],
        &[&format!(
            "gcloud run services describe marketplace-handler {place}"
        )],
    )?;
    findings.assert(
        "fault",
        "the traffic of `lightspeed-agent` is split: `lightspeed-agent-00001-abc` has 60 %",
        &OF_AGENT,
        &[&format!(
            "gcloud run services update-traffic lightspeed-agent {place} \
             --to-revisions=lightspeed-agent-00001-abc=100"
        )],
    )?;
    findings.assert(
        "fault",
        "`lightspeed-agent` would differ from `lightspeed-agent-00001-abc` in `LOG_LEVEL`",
        &OF_AGENT,
        &[&format!(
            "gcloud run services update-traffic lightspeed-agent {place} --to-latest"
        )],
    )?;
    findings.assert(
        "fault",
        "`RED_HAT_SSO_CLIENT_SECRET` of `lightspeed-agent` refers to another secret",
        &["red-hat-sso-client-secret"],
        &[&format!(
            "gcloud run services update lightspeed-agent {place} \
             --update-secrets=RED_HAT_SSO_CLIENT_SECRET=redhat-sso-client-secret:latest"
        )],
    )?;
    findings.assert(
        "warning",
        "`SESSION_DATABASE_URL` of `lightspeed-agent` stands in the service's own configuration",
        &[],
        &[],
    )
}
