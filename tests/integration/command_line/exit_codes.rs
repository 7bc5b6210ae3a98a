//! What scripts go by: 0, 1, 2, 3 and 64.
use anyhow::Result;
use integration_tests::{Program, Signal};

use super::Xtask;
use crate::subject::{Backend, NEW, Subject, Writer, token};

const BACKENDS: [Backend; 2] = [Backend::Sqlite, Backend::Postgres];

#[tokio::test(flavor = "multi_thread")]
async fn zero_is_done_or_nothing_to_do() -> Result<()> {
    for backend in BACKENDS {
        let subject = Subject::with_clients(backend, 3).await?;
        for arguments in [
            &["rotate-dcr", "--dry-run"][..],
            &["rotate-dcr", "--yes"],
            &["rotate-dcr"],
            &["survey-dcr"],
        ] {
            let ended = Xtask::on(arguments[0], &subject)
                .args(&arguments[1..])
                .run();
            assert_eq!(ended.code, Some(0), "{arguments:?} {ended:?}");
        }
        let empty = Subject::create(backend).await?;
        let ended = Xtask::on("rotate-dcr", &empty).run();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.stdout.contains("dcr_clients is empty"), "{ended:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_is_a_check_before_anything_was_changed() -> Result<()> {
    for backend in BACKENDS {
        let without_table = Subject::create_empty(backend).await?;
        let unreadable = Subject::fixture(backend, "unreadable").await?;
        let unknown = Subject::with_clients(backend, 1).await?;
        unknown
            .execute("CREATE TABLE other (code_encrypted text)")
            .await?;
        for (command, dry, subject) in [
            ("rotate-dcr", false, &without_table),
            ("survey-dcr", false, &without_table),
            ("rotate-dcr", false, &unknown),
            ("rotate-dcr", true, &unreadable),
            ("survey-dcr", false, &unreadable),
        ] {
            let before = subject.footprint().await?;
            let mut run = Xtask::on(command, subject);
            if dry {
                run = run.arg("--dry-run");
            }
            let ended = run.run();
            assert_eq!(ended.code, Some(1), "{command} {ended:?}");
            assert!(
                subject.footprint().await? == before,
                "something was written"
            );
        }
        let excluded = Xtask::on("rotate-dcr", &unknown);
        let ended = excluded
            .args(&["--exclude-column", "other.code_encrypted"])
            .run();
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_is_a_failure_while_changing() -> Result<()> {
    for backend in BACKENDS {
        let unreadable = Subject::fixture(backend, "unreadable").await?;
        let meddled = Subject::with_clients(backend, 3).await?;
        let other = token("another text", 1_715_000_000, NEW)?;
        let set = format!("client_secret_encrypted = '{other}'");
        meddled
            .execute_either(
                &format!(
                    "CREATE TRIGGER meddle AFTER UPDATE ON dcr_clients
                     BEGIN UPDATE dcr_clients SET {set} WHERE rowid = NEW.rowid; END"
                ),
                &format!(
                    "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS
                        $$ BEGIN NEW.{} RETURN NEW; END $$;
                     CREATE TRIGGER meddle BEFORE UPDATE ON dcr_clients
                     FOR EACH ROW EXECUTE FUNCTION meddle()",
                    set.replace(" = ", " := ") + ";"
                ),
            )
            .await?;
        for subject in [unreadable, meddled] {
            let before = subject.footprint().await?;
            let ended = Xtask::on("rotate-dcr", &subject).run();
            assert_eq!(ended.code, Some(2), "{ended:?}");
            let state = "\nstate: rolled back: the table is as it was before\n";
            assert!(ended.stderr.contains(state), "{ended:?}");
            assert!(
                subject.footprint().await? == before,
                "something was written"
            );
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn three_is_a_signal() -> Result<()> {
    for backend in BACKENDS {
        for signal in [Signal::INT, Signal::TERM] {
            let subject = Subject::with_clients(backend, 3).await?;
            let before = subject.footprint().await?;
            let writer = Writer::inserting(&subject, "never committed").await?;
            let mut started = Xtask::on("rotate-dcr", &subject).spawn();
            started.running.wait_for("waiting for the lock");
            subject.until_a_run_waits().await?;
            started.running.signal(signal);
            let ended = started.wait();
            writer.finish("ROLLBACK").await?;
            assert_eq!(ended.code, Some(3), "{ended:?}");
            assert!(ended.stderr.contains("error: interrupted\n"), "{ended:?}");
            assert!(
                ended.stderr.contains("the table is as it was before\n"),
                "{ended:?}"
            );
            assert!(
                subject.footprint().await? == before,
                "something was written"
            );
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_is_wrong_usage_and_not_a_failed_migration() -> Result<()> {
    let subject = Subject::with_clients(Backend::Sqlite, 1).await?;
    let before = subject.footprint().await?;
    for arguments in [
        &[][..],
        &["rotate"],
        &["rotate-dcr", "--dryrun"],
        &["rotate-dcr", "--lock-timeout", "soon"],
        &["rotate-dcr", "--lock-timeout", "0s"],
        &["rotate-dcr", "--exclude-column", "nodot"],
        &["rotate-dcr", "--format", "xml"],
        &["rotate-dcr", "--old-key-file", "-", "--new-key-file", "-"],
        &["survey-dcr", "--dry-run"],
    ] {
        let program = Program::xtask(env!("CARGO_BIN_EXE_xtask-under-test"));
        let run = Xtask::by(program)
            .with_keys()
            .env("DATABASE_URL", &subject.url());
        let ended = run.args(arguments).run();
        assert_eq!(ended.code, Some(64), "{arguments:?} {ended:?}");
        assert_eq!(ended.stdout, "", "{arguments:?}");
    }
    assert!(
        subject.footprint().await? == before,
        "something was written"
    );
    Ok(())
}
