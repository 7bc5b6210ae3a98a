//! Tables that are not as the service makes them.
use anyhow::Result;
use reencrypt::{Error, Outcome, TableState};

use super::run::{Rotation, survey};
use crate::subject::{Backend, NEW, OLD, Subject};

pub(super) async fn a_database_without_the_table_is_refused(backend: Backend) -> Result<()> {
    let subject = Subject::create_empty(backend).await?;
    // A name that only resembles it.
    subject
        .execute(r#"CREATE TABLE "DCR_clients_" (order_id text)"#)
        .await?;
    let before = subject.footprint().await?;
    let ran = Rotation::of(&subject).run().await?;
    let (error, table) = ran.failed()?;
    assert!(matches!(error, Error::NoTable), "{error:?}");
    assert_eq!(table, TableState::Untouched);
    let surveyed = survey(&subject.url(), &[OLD], None).await;
    let error = surveyed.err().map(|error| error.to_string());
    assert_eq!(
        error.as_deref(),
        Some("the database has no table `dcr_clients`")
    );
    assert!(
        subject.footprint().await? == before,
        "something was written"
    );
    Ok(())
}

pub(super) async fn a_table_without_one_of_its_columns_is_refused(backend: Backend) -> Result<()> {
    for missing in [
        "client_secret_encrypted",
        "registration_access_token_encrypted",
        "order_id",
    ] {
        let subject = Subject::with_clients(backend, 2).await?;
        let rename = format!("ALTER TABLE dcr_clients RENAME COLUMN {missing} TO renamed");
        subject.execute(&rename).await?;
        let ran = Rotation::of(&subject).run().await?;
        let (error, table) = ran.failed()?;
        let message = format!("`dcr_clients` has no column `{missing}`");
        assert_eq!(error.to_string(), message);
        assert_eq!(table, TableState::Untouched);
    }
    Ok(())
}

pub(super) async fn a_view_of_that_name_is_refused(backend: Backend) -> Result<()> {
    let subject = Subject::with_clients(backend, 2).await?;
    subject
        .execute(
            "ALTER TABLE dcr_clients RENAME TO clients_of_old;
             CREATE VIEW dcr_clients AS SELECT * FROM clients_of_old",
        )
        .await?;
    let before = subject.footprint().await?;
    let ran = Rotation::of(&subject).run().await?;
    let (error, table) = ran.failed()?;
    let is_view = matches!(error, Error::NotAPlainTable { what: "a view" });
    assert!(is_view, "{error:?}");
    assert_eq!(table, TableState::Untouched);
    assert!(
        subject.footprint().await? == before,
        "something was written"
    );
    Ok(())
}

/// As a later version of the service may add one.
pub(super) async fn a_column_more_is_kept_as_it_is(backend: Backend) -> Result<()> {
    let subject = Subject::with_clients(backend, 3).await?;
    subject
        .execute(
            r#"ALTER TABLE dcr_clients ADD COLUMN "Added ""later""" text;
               UPDATE dcr_clients SET "Added ""later""" = 'of ' || order_id"#,
        )
        .await?;
    let ran = Rotation::of(&subject).run().await?;
    assert_eq!(ran.done()?.outcome, Outcome::Rotated);
    let rows = subject.rows().await?;
    assert!(rows.iter().all(|row| row.opened(NEW)[0].is_some()));
    // Fails where a row lost its value.
    subject
        .execute_either(
            r#"CREATE TABLE proof (x CHECK (x = 3));
               INSERT INTO proof SELECT count(*) FROM dcr_clients WHERE "Added ""later""" = 'of ' || order_id"#,
            r#"DO $$ BEGIN ASSERT 3 = (SELECT count(*) FROM dcr_clients
               WHERE "Added ""later""" = 'of ' || order_id); END $$"#,
        )
        .await
}
