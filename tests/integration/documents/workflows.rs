//! The workflows that are there to be copied: what they may do, and that they do it.
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use integration_tests::google::World;
use integration_tests::{Output, Program};
use jiff::{SignedDuration, Timestamp};
use saphyr::{LoadableYamlNode as _, Yaml};

use super::repository::{read, root};
use crate::google::doctor::installation::Installation;
use crate::procedure::sandbox::CONTACTS;
use crate::subject::{Backend, Subject};

const OVERDUE: &str = "docs/github-actions/secrets-overdue.yml";
const TESTS: &str = "docs/github-actions/tests.yml";
pub(super) const WORKFLOWS: [&str; 2] = [OVERDUE, TESTS];

/// What the roles that docs/ci.md names can't do, of all that this tool does.
const NOT_IN_THE_ROLES: [&str; 10] = [
    "secretmanager.versions.access",
    "secretmanager.versions.add",
    "secretmanager.versions.enable",
    "secretmanager.versions.disable",
    "secretmanager.versions.destroy",
    "run.services.update",
    "run.services.setIamPolicy",
    "iam.serviceAccounts.actAs",
    "cloudsql.instances.get",
    "cloudsql.backupRuns.list",
];

/// The steps of a workflow's only job.
fn steps(text: &str) -> Result<Vec<Yaml<'_>>> {
    let workflow = Yaml::load_from_str(text)?.into_iter().next();
    let workflow = workflow.context("an empty file")?;
    let jobs = workflow["jobs"].as_mapping().context("jobs")?;
    let mut jobs = jobs.values();
    let job = jobs.next().context("a job")?;
    assert!(jobs.next().is_none(), "more than a job");
    Ok(job["steps"].as_vec().context("steps")?.clone())
}

/// A text of a step, by its key.
fn text_of<'a>(step: &'a Yaml<'_>, key: &str) -> Option<&'a str> {
    step.as_mapping_get(key)?.as_str()
}

/// What the steps type.
fn scripts(path: &str) -> Result<Vec<String>> {
    let text = read(path)?;
    let steps = steps(&text)?;
    let scripts = steps.iter().filter_map(|step| text_of(step, "run"));
    Ok(scripts.map(str::to_owned).collect())
}

#[test]
fn actions_are_named_with_a_version_and_none_may_write() -> Result<()> {
    for path in WORKFLOWS {
        let text = read(path)?;
        for step in steps(&text)? {
            let Some(action) = text_of(&step, "uses") else {
                continue;
            };
            let version = action.split_once("@v").map(|(_, version)| version);
            let is_number = |text: &str| text.split('.').all(|part| part.parse::<u32>().is_ok());
            assert!(version.is_some_and(is_number), "{path}: {action}");
        }
        let workflow = Yaml::load_from_str(&text)?.into_iter().next();
        let workflow = workflow.context("an empty file")?;
        let permissions = workflow["permissions"]
            .as_mapping()
            .context("permissions")?;
        for (name, value) in permissions {
            let granted = (
                name.as_str().unwrap_or_default(),
                value.as_str().unwrap_or_default(),
            );
            // That token proves who asks, and writes nothing.
            let is_harmless = matches!(granted, ("contents", "read") | ("id-token", "write"));
            assert!(is_harmless, "{path}: {granted:?}");
        }
    }
    Ok(())
}

#[test]
fn the_tests_are_what_a_change_must_pass() -> Result<()> {
    let scripts = scripts(TESTS)?;
    assert_eq!(scripts.last().map(String::as_str), Some(".ci/run"));
    assert!(root()?.join(".ci/run").is_file());
    Ok(())
}

/// What GitHub does with the scripts of the workflow, one after the other, and its summary.
fn watched(installation: &Installation) -> Result<(Output, String)> {
    let folder = installation.folder();
    let summary = folder.join("summary.md");
    fs::write(&summary, "")?;
    let program = format!("'{}'", env!("CARGO_BIN_EXE_xtask-under-test"));
    let script = scripts(OVERDUE)?
        .join("\n")
        .replace("cargo xtask", &program);
    let mut shell = Program::xtask("bash").args(["-eo", "pipefail", "-c", &script]);
    for (name, value) in installation.environment() {
        shell = shell.env(name, value);
    }
    let shell = shell
        .env("GITHUB_STEP_SUMMARY", &summary)
        .env("ROTATION_SETTINGS", settings(folder)?)
        .current_dir(folder);
    Ok((shell.run(), fs::read_to_string(summary)?))
}

fn settings(folder: &Path) -> Result<String> {
    let issuers = fs::read_to_string(folder.join("rotation.toml"))?;
    let issuers = issuers.split("[contacts]").next().unwrap_or_default();
    Ok(format!("{issuers}{CONTACTS}"))
}

fn make_older(world: &mut World, secret: &str, days: i64) -> Result<()> {
    let age = SignedDuration::from_hours(24 * days);
    for version in world.secrets.secrets.get_mut(secret).context("a secret")? {
        version.created_at = Timestamp::now().checked_sub(age)?;
    }
    Ok(())
}

/// With no more than the roles that the document names.
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_overdue_fails_the_workflow_and_stands_in_its_summary() -> Result<()> {
    let database = Subject::with_clients(Backend::Sqlite, 1).await?;
    let url = database.url();
    let Some(installation) = Installation::of(&url, Box::new(database)).await? else {
        return Ok(());
    };
    let denied = NOT_IN_THE_ROLES.map(str::to_owned);
    installation.google.world().denied.extend(denied);
    make_older(&mut installation.google.world(), "database-url", 364)?;
    let (output, summary) = watched(&installation)?;
    assert_eq!(output.code, Some(0), "{output:?}{summary}");
    assert_eq!(summary.matches("| `").count(), 5, "{summary}");
    assert!(!summary.contains("overdue"), "{summary}");

    make_older(&mut installation.google.world(), "database-url", 366)?;
    let (output, summary) = watched(&installation)?;
    assert_eq!(output.code, Some(1), "{output:?}{summary}");
    let overdue: Vec<&str> = summary
        .lines()
        .filter(|line| line.contains("overdue"))
        .collect();
    assert_eq!(overdue.len(), 1, "{summary}");
    assert!(
        overdue[0].starts_with("| `database-url` | 1 | "),
        "{summary}"
    );
    assert!(
        output
            .stdout
            .contains("::error title=Overdue::database-url was due on ")
    );
    assert_eq!(installation.google.changes(), Vec::<String>::new());

    // Nobody knows is no health either, and is said.
    installation
        .google
        .world()
        .denied
        .push("secretmanager.versions.list".to_owned());
    let (output, summary) = watched(&installation)?;
    assert_eq!(output.code, Some(1), "{output:?}{summary}");
    assert!(summary.contains("secretmanager.versions.list"), "{summary}");
    Ok(())
}
