//! What went wrong once and must not again, as the program's user would notice it.
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use diesel::connection::SimpleConnection as _;
use integration_tests::{PostgresServer, Proxy, Signal, TestDatabase};
use serde_json::json;

use super::xtask::Started;
use super::{Ended, Xtask};
use crate::subject::{Backend, NEW, OLD, Row, SqliteFile, Subject, Writer, clients, key};

const BACKENDS: [Backend; 2] = [Backend::Sqlite, Backend::Postgres];
const ROLLED_BACK: &str = "\nstate: rolled back: the table is as it was before\n";

fn all_under(key: &str, rows: &[Row]) -> bool {
    rows.iter().all(|row| row.opened(key)[0].is_some())
}

fn database_of(subject: &Subject) -> Result<&TestDatabase> {
    match subject {
        Subject::Postgres(database) => Ok(database),
        Subject::Sqlite(_) => bail!("not Postgres"),
    }
}

/// With that the write is over, but a page that waits would be written all the same.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_after_sqlite_has_ended_the_transaction_by_itself() -> Result<()> {
    let subject = Subject::with_clients(Backend::Sqlite, 20_000).await?;
    for order_id in [7_000, 8_500, 9_999, 10_000, 11_700] {
        let end = format!(
            "CREATE TRIGGER end_it BEFORE UPDATE ON dcr_clients
             WHEN NEW.order_id = 'order-{order_id:07}' BEGIN SELECT RAISE(ROLLBACK, 'over'); END"
        );
        subject.execute(&end).await?;
        let before = subject.footprint().await?;
        let ended = Xtask::on("rotate-dcr", &subject).run();
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains(ROLLED_BACK), "{ended:?}");
        let after = subject.footprint().await?;
        assert!(after == before, "a page was written at {order_id}");
        subject.execute("DROP TRIGGER end_it").await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_a_commit_that_waits_for_a_reader_of_an_sqlite_file() -> Result<()> {
    let file = SqliteFile::with_tables()?;
    file.insert(&clients(10)?)?;
    let before = file.footprint()?;
    let mut reader = file.connect()?;
    reader.batch_execute("BEGIN; SELECT count(*) FROM dcr_clients")?;
    let run = Xtask::at("rotate-dcr", &file.url()).args(&["--lock-timeout", "60s"]);
    let mut started = run.spawn();
    started.running.wait_for("committing");
    sleep(Duration::from_millis(300));
    assert!(started.running.is_running(), "it waited for nobody");
    let asked = Instant::now();
    started.running.signal(Signal::INT);
    let ended = started.wait();
    let took = asked.elapsed();
    drop(reader);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stderr.contains(ROLLED_BACK), "{ended:?}");
    assert!(took < Duration::from_secs(3), "it took {took:?}");
    assert!(file.footprint()? == before, "something was written");
    Ok(())
}

/// A table of several pages would be read over a second one.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_with_a_single_connection_can_rotate_a_large_table() -> Result<()> {
    let role = PostgresServer::shared()
        .create_role("CONNECTION LIMIT 1")
        .await;
    let subject = Subject::with_clients(Backend::Postgres, 5_000).await?;
    let database = database_of(&subject)?;
    database.give_to(role.name()).await;
    let url = database.url_as(role.name(), role.password());
    let ended = Xtask::at("rotate-dcr", &url).run();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(all_under(NEW, &subject.rows().await?));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_may_not_be_exported_is_the_error_that_is_told() -> Result<()> {
    let role = PostgresServer::shared().create_role("").await;
    let subject = Subject::with_clients(Backend::Postgres, 5_000).await?;
    subject
        .execute("REVOKE EXECUTE ON FUNCTION pg_export_snapshot() FROM public")
        .await?;
    let database = database_of(&subject)?;
    database.give_to(role.name()).await;
    let before = subject.footprint().await?;
    let url = database.url_as(role.name(), role.password());
    let ended = Xtask::at("rotate-dcr", &url).run();
    assert_eq!(ended.code, Some(2), "{ended:?}");
    let error = "\nerror: the database failed to export a snapshot: permission denied ";
    assert!(ended.stderr.contains(error), "{ended:?}");
    assert!(ended.stderr.contains(ROLLED_BACK), "{ended:?}");
    let after = subject.footprint().await?;
    assert!(after == before, "something was written");
    Ok(())
}

/// The wait for a lock is no slow statement.
#[tokio::test(flavor = "multi_thread")]
async fn a_lock_is_waited_for_longer_than_a_statement_may_take() -> Result<()> {
    let subject = Subject::with_clients(Backend::Postgres, 3).await?;
    let writer = Writer::inserting(&subject, "late").await?;
    let timeouts = ["--lock-timeout", "10s", "--statement-timeout", "1s"];
    let mut started = Xtask::on("rotate-dcr", &subject).args(&timeouts).spawn();
    started.running.wait_for("waiting for the lock");
    sleep(Duration::from_secs(2));
    writer.finish("COMMIT").await?;
    let ended = started.wait();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let rows = subject.rows().await?;
    assert_eq!(rows.len(), 4);
    assert!(all_under(NEW, &rows));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_with_dots_in_their_names_are_excluded_by_the_names_that_are_printed() -> Result<()>
{
    let columns = r#""c.d_encrypted" text, "of ""x.y""_encrypted" text, plain_encrypted text"#;
    for backend in BACKENDS {
        let subject = Subject::with_clients(backend, 3).await?;
        let in_schema = r#"CREATE SCHEMA "s.t"; CREATE TABLE "s.t"."a.b""#;
        subject
            .execute_either(
                &format!(r#"CREATE TABLE "a.b" ({columns})"#),
                &format!("{in_schema} ({columns})"),
            )
            .await?;
        let refused = Xtask::on("rotate-dcr", &subject).run();
        assert_eq!(refused.code, Some(1), "{refused:?}");
        let mut excluding = Xtask::on("rotate-dcr", &subject);
        let names = named_columns(&refused)?;
        assert_eq!(names.len(), 3, "{names:?}");
        for name in names {
            excluding = excluding.args(&["--exclude-column", name]);
        }
        let ended = excluding.run();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(all_under(NEW, &subject.rows().await?));
    }
    Ok(())
}

/// What stands in backticks in the error about unknown columns.
fn named_columns(ended: &Ended) -> Result<Vec<&str>> {
    let error = "error: encrypted columns that this tool does not re-encrypt: ";
    let mut lines = ended.stderr.lines();
    let names = lines.find_map(|line| line.strip_prefix(error));
    let names = names.with_context(|| format!("{ended:?}"))?;
    Ok(names.split('`').skip(1).step_by(2).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_never_says_a_word_is_given_up_by_name() -> Result<()> {
    let database = TestDatabase::create().await;
    let proxy = Proxy::start(database.server());
    proxy.stall();
    let url = database.url_through(proxy.port());
    let began = Instant::now();
    let runs = ["rotate-dcr", "survey-dcr"].map(|command| Xtask::at(command, &url).spawn());
    for ended in runs.map(Started::wait) {
        let took = began.elapsed();
        assert!(took < Duration::from_secs(14), "it took {took:?}");
        assert_eq!(ended.code, Some(1), "{ended:?}");
        let error = format!("error: cannot connect to `127.0.0.1:{}`", proxy.port());
        assert!(ended.stderr.contains(&error), "{ended:?}");
        assert!(ended.stderr.contains("nothing was changed"), "{ended:?}");
    }
    Ok(())
}

/// Pages overtake one another seldom, and only on a machine that has enough to do.
#[tokio::test(flavor = "multi_thread")]
async fn eight_surveys_of_several_pages_at_once_all_count_every_row() -> Result<()> {
    let fingerprint = key(OLD)?.fingerprint().to_string();
    for backend in BACKENDS {
        let subject = Subject::with_clients(backend, 2_001).await?;
        let column = |under: u64| {
            let empty = 2_001 - under;
            json!({"scanned": 2_001, "under": {&fingerprint: under}, "empty": empty, "unreadable": 0})
        };
        let expected = json!({
            "client_secret_encrypted": column(2_001),
            "registration_access_token_encrypted": column(601),
        });
        let survey = Xtask::new("survey-dcr")
            .env("DCR_OLD_KEY", OLD)
            .env("DATABASE_URL", &subject.url())
            .args(&["--format", "json"]);
        for _ in 0..12 {
            let surveys = [(); 8].map(|()| survey.spawn());
            for ended in surveys.map(Started::wait) {
                assert_eq!(ended.code, Some(0), "{ended:?}");
                assert_eq!(ended.json()?["columns"], expected);
            }
        }
    }
    Ok(())
}
