//! A table that somebody else has locked, be it another run.
use anyhow::Result;

use super::Xtask;
use crate::subject::{Backend, OLD, Subject, Writer};

const BACKENDS: [Backend; 2] = [Backend::Sqlite, Backend::Postgres];

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_is_refused_before_it_changes_anything() -> Result<()> {
    for backend in BACKENDS {
        let subject = Subject::with_clients(backend, 3).await?;
        let writer = Writer::inserting(&subject, "late").await?;
        let mut first = Xtask::on("rotate-dcr", &subject).spawn();
        first.running.wait_for("waiting for the lock");
        subject.until_a_run_waits().await?;
        let second = Xtask::on("rotate-dcr", &subject).run();
        assert_eq!(second.code, Some(1), "{second:?}");
        let message = "error: another re-encryption of this database is running\n";
        assert!(second.stderr.contains(message), "{second:?}");
        writer.finish("COMMIT").await?;
        let first = first.wait();
        assert_eq!(first.code, Some(0), "{first:?}");
        let rows = subject.rows().await?;
        assert_eq!(rows.len(), 4);
        assert!(rows.iter().all(|row| row.opened(OLD)[0].is_none()));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_is_waited_for_as_long_as_told_and_named_where_the_server_can() -> Result<()> {
    for backend in BACKENDS {
        let subject = Subject::with_clients(backend, 3).await?;
        let before = subject.footprint().await?;
        let writer = Writer::inserting(&subject, "never committed").await?;
        let run = Xtask::on("rotate-dcr", &subject).args(&["--lock-timeout", "1100ms"]);
        let ended = run.run();
        writer.finish("ROLLBACK").await?;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        let error = "\nerror: `dcr_clients` is locked by somebody else: waited 1 s";
        assert!(ended.stderr.contains(error), "{ended:?}");
        assert!(ended.stderr.contains("`--lock-timeout`"), "{ended:?}");
        let named = ended.stderr.contains("; held by process ");
        assert_eq!(named, backend == Backend::Postgres, "{ended:?}");
        assert!(
            subject.footprint().await? == before,
            "something was written"
        );
    }
    Ok(())
}

/// Nobody waits for a survey, and a survey for no writer.
#[tokio::test(flavor = "multi_thread")]
async fn a_survey_does_not_wait_for_a_writer() -> Result<()> {
    for backend in BACKENDS {
        let subject = Subject::with_clients(backend, 3).await?;
        let writer = Writer::inserting(&subject, "never committed").await?;
        let run = Xtask::on("survey-dcr", &subject).args(&["--lock-timeout", "100ms"]);
        let ended = run.run();
        writer.finish("ROLLBACK").await?;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.stdout.starts_with("Surveyed 3 clients "), "{ended:?}");
    }
    Ok(())
}
