//! `--format json`: one object on standard output, its fields a contract.
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::snapshot::redacted;
use super::{Ended, Xtask, assert_file_snapshot};
use crate::subject::{Backend, FOREIGN, NEW, OLD, OLDER, Subject};

const BACKENDS: [Backend; 2] = [Backend::Sqlite, Backend::Postgres];

fn json_of(run: Xtask) -> Ended {
    run.args(&["--format", "json"]).run()
}

/// The same object on both databases.
async fn assert_same_on_both(
    name: &str,
    fixture: &str,
    code: i32,
    run: impl Fn(&Subject) -> Xtask,
) -> Result<()> {
    for backend in BACKENDS {
        let subject = Subject::fixture(backend, fixture).await?;
        let ended = json_of(run(&subject));
        assert_eq!(ended.code, Some(code), "{backend:?}: {ended:?}");
        assert_file_snapshot(name, redacted(ended.json()?, &subject)?);
    }
    Ok(())
}

fn several_keys(command: &str, subject: &Subject, folder: &Path) -> Result<Xtask> {
    let mut run = Xtask::at(command, &subject.url());
    for (name, key) in [("old", OLD), ("older", OLDER)] {
        let file = super::xtask::key_file(folder, name, key)?;
        run = run.arg("--old-key-file").arg(file);
    }
    Ok(run)
}

#[tokio::test(flavor = "multi_thread")]
async fn rotated() -> Result<()> {
    assert_same_on_both("rotate_rotated", "healthy", 0, |subject| {
        Xtask::on("rotate-dcr", subject)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn rotated_from_several_keys() -> Result<()> {
    for backend in BACKENDS {
        let subject = Subject::fixture(backend, "mixed_keys").await?;
        let folder = tempfile::tempdir()?;
        let ended = json_of(several_keys("rotate-dcr", &subject, folder.path())?);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_file_snapshot("rotate_several_keys", redacted(ended.json()?, &subject)?);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_to_do() -> Result<()> {
    assert_same_on_both("rotate_nothing_to_do", "healthy", 0, |subject| {
        // The keys the other way round: everything is under the new one.
        Xtask::on("rotate-dcr", subject)
            .env("DCR_OLD_KEY", NEW)
            .env("DCR_NEW_KEY", OLD)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_to_do_in_an_empty_table() -> Result<()> {
    assert_same_on_both("rotate_empty", "empty", 0, |subject| {
        Xtask::on("rotate-dcr", subject)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn dry_run() -> Result<()> {
    assert_same_on_both("rotate_dry_run", "healthy", 0, |subject| {
        Xtask::on("rotate-dcr", subject).arg("--dry-run")
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_on_unreadable_cells() -> Result<()> {
    assert_same_on_both("rotate_failed_unreadable", "unreadable", 2, |subject| {
        Xtask::on("rotate-dcr", subject)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_on_a_dry_run() -> Result<()> {
    assert_same_on_both("rotate_failed_dry_run", "unreadable", 1, |subject| {
        Xtask::on("rotate-dcr", subject).arg("--dry-run")
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_with_the_keys_of_another_database() -> Result<()> {
    assert_same_on_both("rotate_failed_other_keys", "noncanonical", 2, |subject| {
        Xtask::on("rotate-dcr", subject).env("DCR_OLD_KEY", FOREIGN)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_on_a_missing_table() -> Result<()> {
    for backend in BACKENDS {
        let subject = Subject::create_empty(backend).await?;
        let ended = json_of(Xtask::on("rotate-dcr", &subject));
        assert_file_snapshot("rotate_failed_no_table", redacted(ended.json()?, &subject)?);
        let ended = json_of(Xtask::on("survey-dcr", &subject));
        assert_file_snapshot("survey_failed_no_table", redacted(ended.json()?, &subject)?);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_before_the_database_was_known() -> Result<()> {
    let subject = Subject::with_clients(Backend::Sqlite, 1).await?;
    let ended = json_of(Xtask::new("rotate-dcr").with_keys());
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_file_snapshot("rotate_failed_no_url", redacted(ended.json()?, &subject)?);
    let ended = json_of(Xtask::on("survey-dcr", &subject).env("DCR_OLD_KEY", "short"));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_file_snapshot("survey_failed_bad_key", redacted(ended.json()?, &subject)?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn surveyed() -> Result<()> {
    for backend in BACKENDS {
        let subject = Subject::fixture(backend, "mixed_keys").await?;
        let folder = tempfile::tempdir()?;
        let run = several_keys("survey-dcr", &subject, folder.path())?;
        let ended = json_of(run.env("DCR_NEW_KEY", NEW));
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_file_snapshot("survey_mixed_keys", redacted(ended.json()?, &subject)?);
    }
    assert_same_on_both("survey_unreadable", "unreadable", 1, |subject| {
        Xtask::at("survey-dcr", &subject.url()).env("DCR_NEW_KEY", "")
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn surveyed_with_one_key_and_an_unknown_column() -> Result<()> {
    let subject = Subject::fixture(Backend::Sqlite, "healthy").await?;
    subject
        .execute("CREATE TABLE other (code_encrypted text)")
        .await?;
    let run = Xtask::new("survey-dcr").env("DATABASE_URL", &subject.url());
    let ended = json_of(run.env("DCR_OLD_KEY", OLD));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_file_snapshot("survey_one_key", redacted(ended.json()?, &subject)?);
    Ok(())
}

/// Nobody who pipes it anywhere finds anything else there.
#[tokio::test(flavor = "multi_thread")]
async fn standard_error_is_silent_unless_something_is_wrong() -> Result<()> {
    for backend in BACKENDS {
        let subject = Subject::fixture(backend, "healthy").await?;
        for command in ["survey-dcr", "rotate-dcr"] {
            let ended = json_of(Xtask::on(command, &subject));
            assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        }
        let ended = json_of(Xtask::on("rotate-dcr", &subject).env("DCR_OLD_KEY", FOREIGN));
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        let verbose = json_of(Xtask::on("rotate-dcr", &subject).arg("--verbose"));
        assert!(
            verbose.json().is_ok() && !verbose.stderr.is_empty(),
            "{verbose:?}"
        );
    }
    Ok(())
}

/// The first column of the tables in `xtask/README.md`, in their order.
#[tokio::test(flavor = "multi_thread")]
async fn the_fields_are_those_that_are_documented() -> Result<()> {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../xtask/README.md");
    let readme = fs::read_to_string(readme)?;
    for backend in BACKENDS {
        for fixture in ["healthy", "unreadable"] {
            let subject = Subject::fixture(backend, fixture).await?;
            for command in ["survey-dcr", "rotate-dcr"] {
                let report = json_of(Xtask::on(command, &subject)).json()?;
                assert_eq!(
                    names_of(&report)?,
                    documented(&readme, command)?,
                    "{command}"
                );
            }
        }
    }
    let failed = json_of(Xtask::new("rotate-dcr")).json()?;
    assert_eq!(names_of(&failed)?, documented(&readme, "rotate-dcr")?);
    Ok(())
}

fn names_of(object: &Value) -> Result<Vec<String>> {
    Ok(object
        .as_object()
        .context("an object")?
        .keys()
        .cloned()
        .collect())
}

fn documented(readme: &str, command: &str) -> Result<Vec<String>> {
    let (_, rest) = readme
        .split_once(&format!("\n`{command}`:\n"))
        .context("a table")?;
    let rows = rest.lines().skip_while(|line| !line.starts_with("| `"));
    let mut names = Vec::new();
    for row in rows.take_while(|line| line.starts_with('|')) {
        let field = row.split('|').nth(1).context("a first column")?;
        names.extend(field.split('`').skip(1).step_by(2).map(str::to_owned));
    }
    Ok(names)
}
