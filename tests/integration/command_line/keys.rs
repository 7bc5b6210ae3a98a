//! Where keys come from.
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use anyhow::Result;

use super::xtask::key_file;
use super::{Ended, Xtask};
use crate::subject::{Backend, FOREIGN, NEW, OLD, OLDER, Row, Subject, token};

#[tokio::test(flavor = "multi_thread")]
async fn keys_come_from_files_and_go_before_the_variables() -> Result<()> {
    let subject = Subject::with_clients(Backend::Sqlite, 2).await?;
    let folder = tempfile::tempdir()?;
    let old = key_file(folder.path(), "old.key", OLD)?;
    let new = key_file(folder.path(), "new.key", &format!("{NEW}\n"))?;
    // The variables hold keys that have nothing to do with it.
    let run = Xtask::on("rotate-dcr", &subject)
        .env("DCR_OLD_KEY", FOREIGN)
        .env("DCR_NEW_KEY", OLDER);
    let ended = run
        .arg("--old-key-file")
        .arg(old)
        .arg("--new-key-file")
        .arg(new)
        .run();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let rows = subject.rows().await?;
    assert!(rows.iter().all(|row| row.opened(NEW)[0].is_some()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_comes_through_standard_input() -> Result<()> {
    for (flag, text, variable, other) in [
        ("--old-key-file", OLD, "DCR_NEW_KEY", NEW),
        ("--new-key-file", NEW, "DCR_OLD_KEY", OLD),
    ] {
        let subject = Subject::with_clients(Backend::Sqlite, 2).await?;
        let run = Xtask::new("rotate-dcr").env("DATABASE_URL", &subject.url());
        let ended = run
            .env(variable, other)
            .args(&[flag, "-"])
            .stdin(text)
            .run();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let rows = subject.rows().await?;
        assert!(rows.iter().all(|row| row.opened(NEW)[0].is_some()));
    }
    let subject = Subject::with_clients(Backend::Sqlite, 2).await?;
    for (input, is) in [
        (String::new(), "the key is empty"),
        ("A".repeat(5_000), "it is longer than any key"),
    ] {
        let run = Xtask::on("rotate-dcr", &subject).args(&["--old-key-file", "-"]);
        let ended = run.stdin(&input).run();
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stderr.contains(is), "{ended:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn several_old_keys_come_from_several_files() -> Result<()> {
    let subject = Subject::with_clients(Backend::Postgres, 2).await?;
    let row = Row::new("older", token("of an older key", 1_600_000_000, OLDER)?);
    subject.insert(&[row]).await?;
    let folder = tempfile::tempdir()?;
    let older = key_file(folder.path(), "older.key", OLDER)?;
    let new = key_file(folder.path(), "new.key", NEW)?;
    let rotate = |run: Xtask| -> Ended {
        let run = run
            .arg("--new-key-file")
            .arg(&new)
            .args(&["--old-key-file", "-"]);
        run.stdin(OLD).run()
    };
    let one = Xtask::new("rotate-dcr").env("DATABASE_URL", &subject.url());
    let ended = rotate(one.clone());
    assert_eq!(ended.code, Some(2), "{ended:?}");
    let ended = rotate(one.arg("--old-key-file").arg(&older));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let rows = subject.rows().await?;
    assert!(rows.iter().all(|row| row.opened(NEW)[0].is_some()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_file_that_others_may_read_is_warned_of() -> Result<()> {
    let subject = Subject::with_clients(Backend::Sqlite, 2).await?;
    let folder = tempfile::tempdir()?;
    let old = key_file(folder.path(), "old.key", OLD)?;
    let survey = Xtask::new("survey-dcr").env("DATABASE_URL", &subject.url());
    let survey = survey.arg("--old-key-file").arg(&old);
    let ended = survey.run();
    assert!(!ended.stderr.contains("warning"), "{ended:?}");
    fs::set_permissions(&old, fs::Permissions::from_mode(0o644))?;
    let ended = survey.run();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended
            .stderr
            .contains("which holds the old key (mode 0644); `chmod 600`"),
        "{ended:?}"
    );
    Ok(())
}
