//! What real runs leave.
use anyhow::{Context as _, Result};
use jiff::Timestamp;
use serde_json::Value;

use super::{assert_counts_add_up, evidence, printed};
use crate::procedure::lab::json;
use crate::procedure::sandbox::{Sandbox, assert_said};

const CLIENTS: u64 = 100;

fn left(sandbox: &Sandbox, name: &str) -> Result<String> {
    sandbox.read(&format!("state/runs/{}/{name}", sandbox.run_name()?))
}

fn time(value: &Value) -> Result<Timestamp> {
    Ok(value.as_str().context("a time")?.parse()?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_leaves_what_report_prints() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    let output = sandbox.run(&["rotate-dcr"])?;
    let run = sandbox.run_name()?;
    let named =
        format!("report: state/runs/{run}/report.md, and beside it report.json and report.html");
    assert_said(&output, 0, &[&named]);
    assert_eq!(output.stderr.lines().last(), Some(named.as_str()));
    assert_eq!(left(&sandbox, "report.md")?, printed(&sandbox, &[])?);
    assert_eq!(
        left(&sandbox, "report.html")?,
        printed(&sandbox, &["--format", "html"])?
    );
    let in_file: Value = serde_json::from_str(&left(&sandbox, "report.json")?)?;
    assert_eq!(in_file, evidence(&sandbox, &run)?);
    let tree = sandbox.tree()?;
    for name in ["report.md", "report.json", "report.html"] {
        let mode = tree.mode(&format!("state/runs/{run}/{name}"));
        assert_eq!(mode, Some(0o600), "{name}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn its_counts_and_its_outage_are_those_of_the_run() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 0, &[]);
    let evidence = evidence(&sandbox, &sandbox.run_name()?)?;
    assert_eq!(assert_counts_add_up(&evidence)?, 4);
    let [reencrypted, verified] = [0, 1].map(|pass| &evidence["counts"][pass]["columns"]);
    // 100 clients have 100 secrets and 30 registrations.
    for (column, tokens) in [(0, 100), (1, 30)] {
        assert_eq!(reencrypted[column]["scanned"], CLIENTS);
        assert_eq!(reencrypted[column]["reencrypted"], tokens);
        assert_eq!(verified[column]["scanned"], CLIENTS);
        assert_eq!(verified[column]["already_current"], tokens);
    }
    let outages = evidence["outages"].as_array().context("outages")?;
    assert_eq!(outages.len(), 1, "{outages:?}");
    let outage = &outages[0];
    assert_eq!(outage["is_at_most"], false, "{outage}");
    let step = |name: &str| {
        let mut steps = evidence["steps"].as_array().into_iter().flatten();
        steps.find(|step| step["name"] == name).context("a step")
    };
    let began_at = time(&outage["began_at"])?;
    let reencrypt = step("re-encrypt")?;
    assert!(began_at > time(&reencrypt["began_at"])?, "{evidence:#}");
    assert!(began_at < time(&reencrypt["ended_at"])?, "{evidence:#}");
    let ended_at = time(&outage["ended_at"])?;
    let cut_over = step("cut-over")?;
    assert!(ended_at > time(&cut_over["began_at"])?, "{evidence:#}");
    assert!(ended_at < time(&cut_over["ended_at"])?, "{evidence:#}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_undone_reports_that() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 0, &[]);
    let run = sandbox.run_name()?;
    let output = sandbox.run(&["rollback", &run, "--format", "json"])?;
    assert_said(&output, 0, &[]);
    let reports = json(&output)?["reports"].clone();
    for form in ["markdown", "json", "html"] {
        let path = reports[form].as_str().context("a path")?;
        assert!(sandbox.read(path)?.contains("rolled"), "{path}");
    }
    let evidence = evidence(&sandbox, &run)?;
    assert_eq!(evidence["state"], "rolled_back");
    // Forward between the commit and the restart, back between the restart and the commit.
    assert_eq!(evidence["outages"].as_array().context("outages")?.len(), 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_written_for_its_owner_alone() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 0, &[]);
    let output = sandbox.run(&["report", "--format", "html", "--output", "page.html"])?;
    assert_said(&output, 0, &["report: page.html"]);
    assert_eq!(output.stdout, "");
    assert_eq!(sandbox.read("page.html")?, left(&sandbox, "report.html")?);
    assert_eq!(sandbox.tree()?.mode("page.html"), Some(0o600));
    Ok(())
}
