//! What went wrong once on Postgres: row locks, waiting others, tables that can't be read.
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use integration_tests::{PostgresServer, TestDatabase};
use reencrypt::{Error, Outcome, Phase};
use tokio::runtime::Handle;
use tokio::task::block_in_place;
use tokio_postgres::Client;

use super::super::run::Rotation;
use super::{all_under_the_new_key, assert_refused, plan};
use crate::subject::{Backend, NEW, OLD, Opened, Subject, token};

/// More than a page, so that a second connection is wanted.
const SEVERAL_PAGES: u64 = 5_001;

fn database_of(subject: &Subject) -> Result<&TestDatabase> {
    match subject {
        Subject::Postgres(database) => Ok(database),
        Subject::Sqlite(_) => bail!("not Postgres"),
    }
}

/// Waits until somebody waits for a lock in this database, be it one of a row.
async fn until_somebody_waits(subject: &Subject) -> Result<()> {
    let client = database_of(subject)?.connect().await;
    let waiting = "SELECT count(*) > 0 FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    for _ in 0..2_000 {
        if client.query_one(waiting, &[]).await?.get(0) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    bail!("nobody ever came to wait")
}

/// Somebody who has chosen a row, to write to it later.
async fn choosing(subject: &Subject) -> Result<Client> {
    let client = database_of(subject)?.connect().await;
    let choose = "SET application_name = 'night batch'; BEGIN;
        SELECT FROM dcr_clients WHERE order_id = 'order-0000001' FOR UPDATE";
    client.batch_execute(choose).await?;
    Ok(client)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_holds_a_row_for_update_is_named_when_the_wait_for_him_ends() -> Result<()> {
    let subject = Subject::with_clients(Backend::Postgres, 5).await?;
    let other = choosing(&subject).await?;
    let rotation = Rotation {
        lock_timeout: Duration::from_millis(300),
        ..Rotation::of(&subject)
    };
    let named = |error: &Error| matches!(error, Error::Locked { holders, .. } if holders.len() == 1 && holders[0].contains("night batch"));
    assert_refused(&subject, rotation, named).await?;
    other.batch_execute("ROLLBACK").await?;
    Rotation::of(&subject).run().await?.done()?;
    Ok(())
}

/// Otherwise each would hold what the other one waits for.
#[tokio::test(flavor = "multi_thread")]
async fn who_writes_to_the_row_that_he_holds_while_a_run_waits_is_let_through() -> Result<()> {
    let late = Opened::new("just in time", 1_700_000_000);
    for _ in 0..3 {
        let subject = Subject::with_clients(Backend::Postgres, 5).await?;
        let other = choosing(&subject).await?;
        let cell = token(&late.plaintext, late.issued_at, OLD)?;
        let write = format!(
            "UPDATE dcr_clients SET client_secret_encrypted = '{cell}' WHERE order_id = 'order-0000001';
             COMMIT"
        );
        let writing = async {
            until_somebody_waits(&subject).await?;
            Ok(other.batch_execute(&write).await?)
        };
        let (ran, written): (_, Result<()>) = tokio::join!(Rotation::of(&subject).run(), writing);
        written?;
        assert_eq!(ran?.done()?.outcome, Outcome::Rotated);
        let rows = subject.rows().await?;
        assert!(all_under_the_new_key(&rows));
        assert_eq!(rows[1].opened(NEW)[0].as_ref(), Some(&late));
    }
    Ok(())
}

/// Whoever wants the table next must wait for the one that waits already.
#[tokio::test(flavor = "multi_thread")]
async fn an_alter_table_that_waits_for_a_run_does_not_hold_it_up() -> Result<()> {
    let subject = Subject::with_clients(Backend::Postgres, SEVERAL_PAGES).await?;
    let mut other = Some(database_of(&subject)?.connect().await);
    let mut altering = None;
    let mut waits = Ok(());
    let rotation = Rotation {
        lock_timeout: Duration::from_secs(40),
        ..Rotation::of(&subject)
    };
    let began = Instant::now();
    let watch = |phase| {
        // The run has the table's lock by then, and only one connection yet.
        if phase == Phase::Reencrypting {
            altering = other.take().map(|other| {
                let alter = "ALTER TABLE dcr_clients ADD COLUMN added integer";
                tokio::spawn(async move { other.batch_execute(alter).await })
            });
            waits = block_in_place(|| Handle::current().block_on(until_somebody_waits(&subject)));
        }
    };
    let ran = rotation.watched(watch).await?;
    let took = began.elapsed();
    waits?;
    assert_eq!(ran.done()?.outcome, Outcome::Rotated);
    assert!(took < Duration::from_secs(20), "it took {took:?}");
    altering.context("it never began")?.await??;
    subject.execute("SELECT added FROM dcr_clients").await?;
    assert!(all_under_the_new_key(&subject.rows().await?));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_its_row_security_hides_is_named_as_not_searched() -> Result<()> {
    let role = PostgresServer::shared().create_role("").await;
    let subject = Subject::with_clients(Backend::Postgres, 5).await?;
    let name = role.name();
    let hide = format!(
        "GRANT SELECT, UPDATE ON ALL TABLES IN SCHEMA public TO {name};
         ALTER TABLE usage_records ENABLE ROW LEVEL SECURITY;
         CREATE POLICY nothing ON usage_records USING (false)"
    );
    subject.execute(&hide).await?;
    let url = database_of(&subject)?.url_as(name, role.password());
    let ran = Rotation::at(url).run().await?;
    assert_eq!(ran.done()?.outcome, Outcome::Rotated);
    assert_eq!(ran.unsearched_tables, ["public.usage_records"]);
    assert!(all_under_the_new_key(&subject.rows().await?));
    Ok(())
}

/// Patterns don't work on such text as it is.
#[tokio::test(flavor = "multi_thread")]
async fn text_with_a_nondeterministic_collation_is_searched_too() -> Result<()> {
    let subject = Subject::with_clients(Backend::Postgres, 5).await?;
    // A server that was built without ICU has no such collation, though one may be listed.
    subject
        .execute(
            "DO $$ BEGIN
                CREATE COLLATION odd (provider = icu, locale = 'und', deterministic = false);
             EXCEPTION WHEN feature_not_supported THEN
                CREATE COLLATION odd FROM \"C\";
             END $$;
             CREATE TABLE remarks (remark text COLLATE odd);
             INSERT INTO remarks VALUES ('gAAAA is how a token begins')",
        )
        .await?;
    assert_eq!(
        plan(&subject).await?.unsearched_tables,
        Vec::<String>::new()
    );
    let cell = token("a copy", 1_700_000_000, OLD)?;
    let copy = format!("INSERT INTO remarks VALUES ('{cell}')");
    subject.execute(&copy).await?;
    let found = |error: &Error| error.to_string().ends_with(": `public.remarks.remark`");
    assert_refused(&subject, Rotation::of(&subject), found).await?;
    subject
        .execute("DELETE FROM remarks WHERE remark LIKE '%=' COLLATE \"C\"")
        .await?;
    Rotation::of(&subject).run().await?.done()?;
    assert!(all_under_the_new_key(&subject.rows().await?));
    Ok(())
}
