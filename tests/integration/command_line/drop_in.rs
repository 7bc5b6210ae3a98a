//! The three variables that the Python script had, and its exit codes.
use anyhow::Result;

use super::Xtask;
use crate::subject::{Backend, NEW, OLD, Subject};

/// As the script was run: nothing but the environment, and no terminal.
async fn rotate_with_three_variables(backend: Backend) -> Result<()> {
    let subject = Subject::with_clients(backend, 10).await?;
    let dry = Xtask::on("rotate-dcr", &subject).arg("--dry-run").run();
    assert_eq!(dry.code, Some(0), "{dry:?}");
    let rows = subject.rows().await?;
    assert!(rows.iter().all(|row| row.opened(OLD)[0].is_some()));

    let real = Xtask::on("rotate-dcr", &subject).arg("--verbose").run();
    assert_eq!(real.code, Some(0), "{real:?}");
    let rows = subject.rows().await?;
    assert!(rows.iter().all(|row| row.opened(NEW)[0].is_some()));

    let again = Xtask::on("rotate-dcr", &subject).run();
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(
        again.stdout.contains("already under the new key"),
        "{again:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn three_variables_are_enough_on_sqlite() -> Result<()> {
    rotate_with_three_variables(Backend::Sqlite).await
}

#[tokio::test(flavor = "multi_thread")]
async fn three_variables_are_enough_on_postgres() -> Result<()> {
    rotate_with_three_variables(Backend::Postgres).await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_the_three_is_missed_by_name() -> Result<()> {
    let subject = Subject::with_clients(Backend::Sqlite, 1).await?;
    let url = subject.url();
    for (missing, is) in [
        ("DATABASE_URL", "DATABASE_URL is not set"),
        ("DCR_OLD_KEY", "there is no old key"),
        ("DCR_NEW_KEY", "there is no new key"),
    ] {
        let given = [
            ("DATABASE_URL", url.as_str()),
            ("DCR_OLD_KEY", OLD),
            ("DCR_NEW_KEY", NEW),
        ];
        for value in [None, Some("")] {
            let mut run = Xtask::new("rotate-dcr");
            for (name, text) in given {
                run = match (name == missing, value) {
                    (false, _) => run.env(name, text),
                    (true, Some(empty)) => run.env(name, empty),
                    (true, None) => run,
                };
            }
            let ended = run.run();
            assert_eq!(ended.code, Some(1), "{ended:?}");
            let message = format!("error: {is}\nstate: nothing was changed\nhint: ");
            assert!(ended.stderr.starts_with(&message), "{ended:?}");
            assert_eq!(ended.stdout, "");
        }
    }
    Ok(())
}
