//! A deployment of the installation's own YAML after a rotation: `status` says that it
//! unpinned a service, with the commands that mend it.
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::installation::{AGENT, HANDLER, Installation, Subject};

/// What is told of each service of the newest run.
fn services(installation: &Installation) -> Result<Vec<Value>> {
    let status = installation.run(&["status", "--format", "json"])?;
    let report: Value =
        serde_json::from_str(&status.stdout).with_context(|| format!("{status:?}"))?;
    let services = report["runs"][0]["services"].as_array();
    Ok(services.with_context(|| format!("{report:#}"))?.clone())
}

fn gcloud(installation: &Installation, words: &[&str]) -> Result<()> {
    let output = installation.config.command().args(words).output()?;
    ensure!(output.status.success(), "{words:?}: {output:?}");
    Ok(())
}

/// Leaves the services as it finds them: bound to version 2 by its number.
pub(super) fn expect_unpinning_is_told(
    installation: &Installation,
    subject: Subject,
) -> Result<()> {
    let told = services(installation)?;
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().all(|one| one["is_as_left"] == true), "{told:?}");

    let unpinned = format!(
        "--update-secrets={}={}:latest",
        subject.variable, subject.secret
    );
    let place = ["--project=p1", "--region=us-central1"];
    let unpin = ["run", "services", "update", AGENT, &unpinned];
    gcloud(installation, &[&unpin[..], &place].concat())?;
    let asked = installation.google.count("GET", HANDLER);
    let told = services(installation)?;
    // One look at each service, however many secrets it reads. Where an answer is slow to
    // come, `gcloud` asks a second time of its own.
    let looks = installation.google.count("GET", HANDLER) - asked;
    assert!((1..=2).contains(&looks), "{looks} looks");
    let of = |service: &str| told.iter().find(|one| one["service"] == service);
    let (agent, handler) = (of(AGENT).context("agent")?, of(HANDLER).context("handler")?);
    assert_eq!(handler["is_as_left"], true, "{handler:#}");
    assert_eq!(agent["is_as_left"], false, "{agent:#}");
    let change = agent["change"].as_str().context("a change")?;
    assert!(change.contains("reads the latest version"), "{change}");
    assert!(change.contains("not version 2"), "{change}");
    let status = installation.run(&["status"])?;
    assert!(
        status.stdout.contains(&format!("CHANGED: {change}")),
        "{status:?}"
    );

    // Pasted, they mend it.
    for command in agent["mend"].as_array().context("commands")? {
        let words = command.as_str().context("a command")?;
        assert!(status.stdout.contains(words), "{status:?}");
        let words: Vec<&str> = words.split(' ').skip(1).collect();
        gcloud(installation, &words)?;
    }
    let told = services(installation)?;
    assert!(told.iter().all(|one| one["is_as_left"] == true), "{told:?}");
    Ok(())
}

/// Where a service can't be asked for, its run is told all the same.
pub(super) fn expect_not_looked_at(installation: &Installation) -> Result<()> {
    let denied = (HANDLER, "run.services.get");
    installation.google.world().denied_on.push(denied);
    let status = installation.run(&["status"])?;
    installation.google.world().denied_on.clear();
    assert_eq!(status.code, Some(1), "{status:?}");
    let name = installation.run_name()?;
    for words in [
        &name,
        "not looked at: what `marketplace-handler` reads",
        "run.services.get",
    ] {
        assert!(status.stdout.contains(words), "no {words:?}: {status:?}");
    }
    Ok(())
}
