//! What went wrong once and must not again, through the library.
mod postgres;

use anyhow::{Context as _, Result};
use reencrypt::{Database, Error, Outcome, Plan, TableState, Timeouts, Tls};
use secret::DatabaseUrl;

use super::run::{Rotation, survey};
use crate::subject::{Backend, NEW, OLD, Row, SqliteFile, Subject, clients};

const BACKENDS: [Backend; 2] = [Backend::Sqlite, Backend::Postgres];

fn all_under_the_new_key(rows: &[Row]) -> bool {
    rows.iter().all(|row| row.opened(NEW)[0].is_some())
}

/// What a check finds, before anything is done.
async fn plan(subject: &Subject) -> Result<Plan> {
    let url = DatabaseUrl::parse(&subject.url())?;
    let mut database = Database::connect(&url, Tls::AsUrlSays, Timeouts::default()).await?;
    Ok(reencrypt::check(&mut database, &[]).await?)
}

async fn assert_refused(
    subject: &Subject,
    rotation: Rotation,
    is_expected: impl Fn(&Error) -> bool,
) -> Result<()> {
    let before = subject.footprint().await?;
    let ran = rotation.run().await?;
    let (error, table) = ran.failed()?;
    assert!(is_expected(error), "{error:?}");
    assert_eq!(table, TableState::Untouched);
    let after = subject.footprint().await?;
    assert!(after == before, "something was written");
    Ok(())
}

/// A run that left them alone would report a success.
#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_a_run_is_for_can_not_be_excluded() -> Result<()> {
    for backend in BACKENDS {
        let subject = Subject::with_clients(backend, 3).await?;
        for column in [
            "dcr_clients.client_secret_encrypted",
            "dcr_clients.registration_access_token_encrypted",
        ] {
            for rotation in [Rotation::of(&subject), Rotation::of(&subject).dry()] {
                let refused = |error: &Error| matches!(error, Error::KnownExclusion { column: refused } if refused.to_string() == column);
                assert_refused(&subject, rotation.excluding(column)?, refused).await?;
            }
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn triggers_on_the_table_are_named_in_the_plan() -> Result<()> {
    for backend in BACKENDS {
        let subject = Subject::with_clients(backend, 1).await?;
        let quiet = plan(&subject).await?.remarks;
        assert!(!quiet.iter().any(|remark| remark.contains("trigger")));
        let (body, function) = ("BEGIN SELECT 1; END", "EXECUTE FUNCTION pass()");
        let create = |then: &str| {
            format!(
                "CREATE TRIGGER keep_history AFTER UPDATE ON dcr_clients FOR EACH ROW {then};
                 CREATE TRIGGER before_all BEFORE UPDATE ON dcr_clients FOR EACH ROW {then};
                 CREATE TRIGGER elsewhere AFTER UPDATE ON usage_records FOR EACH ROW {then}"
            )
        };
        let pass =
            "CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'";
        let postgres = format!("{pass}; {}", create(function));
        subject.execute_either(&create(body), &postgres).await?;
        let remarks = plan(&subject).await?.remarks;
        let named = remarks.iter().find(|remark| remark.contains("trigger"));
        let named = named.with_context(|| format!("{backend:?}: {remarks:?}"))?;
        assert!(named.contains("`before_all`, `keep_history`"), "{named}");
        assert!(!named.contains("elsewhere"), "{named}");
    }
    Ok(())
}

/// It follows from the token, and is nothing that somebody else changed.
#[tokio::test(flavor = "multi_thread")]
async fn a_generated_column_that_changes_with_a_token_is_no_failed_verification() -> Result<()> {
    let generated = |kind| {
        format!("part text GENERATED ALWAYS AS (substr(client_secret_encrypted, 30, 40)) {kind}")
    };
    let add = |kind| format!("ALTER TABLE dcr_clients ADD COLUMN {}", generated(kind));
    let on_postgres = Subject::with_clients(Backend::Postgres, 5).await?;
    on_postgres.execute(&add("STORED")).await?;
    let on_sqlite = Subject::with_clients(Backend::Sqlite, 5).await?;
    on_sqlite.execute(&add("VIRTUAL")).await?;
    // SQLite adds no stored one to a table that is there.
    let stored = format!(
        "{}, metadata JSON NOT NULL,\n\tPRIMARY KEY (order_id)",
        generated("STORED")
    );
    let schema = reencrypt::sample::SQLITE_SCHEMA
        .replace("metadata JSON NOT NULL,\n\tPRIMARY KEY (order_id)", &stored);
    assert!(schema.contains("GENERATED"));
    let in_file = SqliteFile::missing()?;
    in_file.execute(&schema)?;
    in_file.insert(&clients(5)?)?;
    for subject in [on_postgres, on_sqlite, Subject::Sqlite(in_file)] {
        let ran = Rotation::of(&subject).run().await?;
        assert_eq!(ran.done()?.outcome, Outcome::Rotated);
        assert!(all_under_the_new_key(&subject.rows().await?));
    }
    Ok(())
}

/// There, `rowid` no longer names the place of a row.
#[tokio::test(flavor = "multi_thread")]
async fn an_sqlite_table_with_a_column_named_rowid_is_refused() -> Result<()> {
    for name in ["rowid", "RowID"] {
        let subject = Subject::with_clients(Backend::Sqlite, 3).await?;
        let add = format!("ALTER TABLE dcr_clients ADD COLUMN {name} integer DEFAULT 7");
        subject.execute(&add).await?;
        let refused = |error: &Error| matches!(error, Error::NotAPlainTable { what } if what.contains("`rowid`"));
        assert_refused(&subject, Rotation::of(&subject), refused).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_sqlite_file_in_utf_16_is_refused() -> Result<()> {
    for encoding in ["UTF-16le", "UTF-16be"] {
        let file = SqliteFile::missing()?;
        let schema = reencrypt::sample::SQLITE_SCHEMA;
        file.execute(&format!("PRAGMA encoding = '{encoding}'; {schema}"))?;
        file.insert(&clients(3)?)?;
        let subject = Subject::Sqlite(file);
        let refused =
            |error: &Error| matches!(error, Error::Encoding { found } if found == encoding);
        assert_refused(&subject, Rotation::of(&subject), refused).await?;
        assert!(survey(&subject.url(), &[OLD], None).await.is_err());
    }
    Ok(())
}
