//! Permissions, versions, traffic, a sidecar, backups and a wrong key, all at once.
use anyhow::Result;
use serde_json::json;

use super::Findings;
use super::installation::{AGENT, HANDLER, Installation};
use crate::subject::{NEW, key};

const ALL: [&str; 5] = [
    "red-hat-sso-client-secret",
    "gma-client-secret",
    "database-url",
    "session-database-url",
    "dcr-encryption-key",
];

fn break_it(installation: &Installation) -> Result<()> {
    installation.change_template(AGENT, |spec| {
        let containers = spec["containers"].as_array_mut();
        for container in containers.into_iter() {
            container[0]["ports"] = json!([{"containerPort": 8000}]);
            let image = "quay.io/team/mcp:latest";
            container.push(json!({"name": "mcp", "image": image}));
        }
    });
    installation.route(
        HANDLER,
        &json!([{"percent": 100, "revisionName": format!("{HANDLER}-00001-abc")}]),
    );
    installation.route(
        AGENT,
        &json!([
            {"percent": 100, "latestRevision": true, "revisionName": format!("{AGENT}-00001-abc")},
            {"revisionName": format!("{AGENT}-00001-abc"), "tag": "green"},
        ]),
    );
    let mut world = installation.google.world();
    world.denied_on = vec![
        ("gma-client-secret", "secretmanager.versions.add"),
        ("gma-client-secret", "secretmanager.versions.destroy"),
        (AGENT, "run.services.update"),
        ("serviceAccounts", "iam.serviceAccounts.actAs"),
        ("projects/p1", "cloudsql.backupRuns.create"),
        ("projects/p1", "cloudsql.instances.connect"),
    ];
    let state = |state| move |one: &mut integration_tests::google::SecretVersion| one.state = state;
    if let Some(versions) = world.secrets.secrets.get_mut("redis-url") {
        versions.iter_mut().for_each(state("DISABLED"));
    }
    if let Some(versions) = world.secrets.secrets.get_mut("gma-client-id") {
        versions.clear();
    }
    world.sql.backups.clear();
    // A key that opens nothing.
    world
        .secrets
        .add("dcr-encryption-key", key(NEW)?.to_text().as_bytes());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_is_told_with_what_mends_it() -> Result<()> {
    let Some(installation) = Installation::new().await? else {
        return Ok(());
    };
    break_it(&installation)?;
    let examined = installation.doctor(&["--format", "json"])?;
    assert_eq!(examined.code, Some(1), "{examined:?}");
    let findings = Findings::of(&examined)?;
    of_permissions(&findings)?;
    of_versions(&findings)?;
    of_services(&findings)?;
    findings.assert("warning", "there is no complete backup", &[], &[])?;
    let of_key = ["dcr-encryption-key"];
    let survey = ["cargo xtask survey-dcr --platform google-cloud"];
    let text = "the key in use does not open 13 of 13 tokens";
    findings.assert("fault", text, &of_key, &survey)?;
    assert_eq!(findings.0["faults"], 7, "{:#}", findings.0);
    assert_eq!(findings.0["warnings"], 5, "{:#}", findings.0);
    assert_eq!(
        findings.0["stopped_rotations"].as_array().map(Vec::len),
        Some(5)
    );
    Ok(())
}

fn of_permissions(findings: &Findings) -> Result<()> {
    let user = "--member=user:ACCOUNT";
    findings.assert(
        "fault",
        "missing on the secret `gma-client-secret`: `secretmanager.versions.add`, `secretmanager.versions.destroy`",
        &["gma-client-secret"],
        &[&format!(
            "gcloud secrets add-iam-policy-binding gma-client-secret --project=p1 {user} \
             --role=roles/secretmanager.secretVersionManager"
        )],
    )?;
    findings.assert(
        "fault",
        "missing on the service `lightspeed-agent`: `run.services.update`",
        &[
            "red-hat-sso-client-secret",
            "database-url",
            "session-database-url",
        ],
        &[&format!(
            "gcloud run services add-iam-policy-binding lightspeed-agent --project=p1 \
             --region=us-central1 {user} --role=roles/run.developer"
        )],
    )?;
    findings.assert(
        "fault",
        "`iam.serviceAccounts.actAs`",
        &[
            ALL[0],
            "database-url",
            "session-database-url",
            "gma-client-secret",
            ALL[4],
        ],
        &[&format!(
            "gcloud iam service-accounts add-iam-policy-binding runtime@p1.iam.gserviceaccount.com \
             --project=p1 {user} --role=roles/iam.serviceAccountUser"
        )],
    )?;
    findings.assert(
        "fault",
        "missing on the project `p1`: `cloudsql.backupRuns.create`",
        &["dcr-encryption-key"],
        &[&format!(
            "gcloud projects add-iam-policy-binding p1 {user} --role=roles/cloudsql.editor"
        )],
    )?;
    findings.assert(
        "warning",
        "`cloudsql.instances.connect`; the Cloud SQL proxy needs it",
        &[],
        &[&format!(
            "gcloud projects add-iam-policy-binding p1 {user} --role=roles/cloudsql.client"
        )],
    )
}

fn of_versions(findings: &Findings) -> Result<()> {
    // A secret that is never rotated stops the rotation of all others.
    findings.assert(
        "fault",
        "version 1, the latest one, of `redis-url` is disabled: no instance of `lightspeed-agent` or `marketplace-handler` can start",
        &ALL,
        &["gcloud secrets versions enable 1 --secret=redis-url --project=p1"],
    )?;
    findings.assert(
        "fault",
        "`gma-client-id` has no version `latest`: no instance of `marketplace-handler` can start",
        &[ALL[0], ALL[1], ALL[2], ALL[4]],
        &["gcloud secrets versions add gma-client-id --project=p1 --data-file=-"],
    )?;
    findings.find("fine", "6 of the 8 versions")?;
    Ok(())
}

fn of_services(findings: &Findings) -> Result<()> {
    let place = "--project=p1 --region=us-central1";
    findings.assert(
        "warning",
        "the traffic of `marketplace-handler` is pinned to `marketplace-handler-00001-abc`",
        &[],
        &[&format!(
            "gcloud run services update-traffic marketplace-handler {place} --to-latest"
        )],
    )?;
    findings.assert(
        "warning",
        "`lightspeed-agent` has the tags `green`",
        &[],
        &[&format!(
            "gcloud run services update-traffic lightspeed-agent {place} --remove-tags=green"
        )],
    )?;
    findings.assert(
        "warning",
        "the sidecar `mcp` of `lightspeed-agent` is deployed by the moving tag `quay.io/team/mcp:latest`",
        &[],
        &[
            "gcloud artifacts docker images describe quay.io/team/mcp:latest --format='value(image_summary.digest)'",
            &format!(
                "gcloud run services update lightspeed-agent {place} --container=mcp --image=quay.io/team/mcp@DIGEST"
            ),
        ],
    )
}
