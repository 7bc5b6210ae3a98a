//! What only a table on Postgres can be like.
use anyhow::Result;
use reencrypt::{Error, Outcome, TableState};

use super::run::{Rotation, counts};
use crate::subject::{Backend, NEW, OLD, Row, Subject, clients, token};

async fn with_clients(count: u64) -> Result<Subject> {
    Subject::with_clients(Backend::Postgres, count).await
}

async fn assert_refused(subject: &Subject, message: &str) -> Result<()> {
    let before = subject.footprint().await?;
    let ran = Rotation::of(subject).run().await?;
    let (error, table) = ran.failed()?;
    assert_eq!(error.to_string(), message);
    assert_eq!(table, TableState::Untouched);
    assert!(
        subject.footprint().await? == before,
        "something was written"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partitioned_table_is_refused() -> Result<()> {
    let subject = with_clients(2).await?;
    subject
        .execute(
            "ALTER TABLE dcr_clients RENAME TO plain;
             CREATE TABLE dcr_clients (LIKE plain) PARTITION BY HASH (order_id);
             CREATE TABLE part PARTITION OF dcr_clients FOR VALUES WITH (MODULUS 1, REMAINDER 0);
             INSERT INTO dcr_clients SELECT * FROM plain;
             DROP TABLE plain",
        )
        .await?;
    let message = "`dcr_clients` is a partitioned table, which this tool does not rewrite";
    assert_refused(&subject, message).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_with_children_is_refused() -> Result<()> {
    let subject = with_clients(2).await?;
    let child = "CREATE TABLE child () INHERITS (dcr_clients)";
    subject.execute(child).await?;
    let message = "`dcr_clients` is a table with children, which this tool does not rewrite";
    assert_refused(&subject, message).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_materialised_view_is_refused() -> Result<()> {
    let subject = with_clients(2).await?;
    subject
        .execute(
            "ALTER TABLE dcr_clients RENAME TO clients;
             CREATE MATERIALIZED VIEW dcr_clients AS SELECT * FROM clients",
        )
        .await?;
    let message = "`dcr_clients` is a view, which this tool does not rewrite";
    assert_refused(&subject, message).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_of_another_type_is_refused() -> Result<()> {
    for column in [
        "client_secret_encrypted",
        "registration_access_token_encrypted",
    ] {
        let subject = with_clients(0).await?;
        let alter = format!("ALTER TABLE dcr_clients ALTER {column} TYPE bytea USING NULL::bytea");
        subject.execute(&alter).await?;
        let message = format!("`dcr_clients.{column}` is of type `bytea`, not text");
        assert_refused(&subject, &message).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn varchar_and_domains_are_text() -> Result<()> {
    let subject = with_clients(5).await?;
    subject
        .execute(
            "CREATE DOMAIN cell AS text CHECK (length(VALUE) > 90);
             ALTER TABLE dcr_clients ALTER client_secret_encrypted TYPE cell;
             ALTER TABLE dcr_clients ALTER registration_access_token_encrypted TYPE varchar(2000)",
        )
        .await?;
    let ran = Rotation::of(&subject).run().await?;
    assert_eq!(ran.done()?.columns, counts([5, 0, 0, 0], [3, 0, 2, 0]));
    let rows = subject.rows().await?;
    assert!(rows.iter().all(|row| row.opened(NEW)[0].is_some()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_search_path_leads_to_another_schema() -> Result<()> {
    let subject = with_clients(4).await?;
    let Subject::Postgres(database) = &subject else {
        anyhow::bail!("not Postgres");
    };
    let name = database.name();
    subject
        .execute(&format!(
            "CREATE SCHEMA agent;
             ALTER TABLE dcr_clients SET SCHEMA agent;
             ALTER DATABASE {name} SET search_path = nowhere, agent, public"
        ))
        .await?;
    let ran = Rotation::of(&subject).run().await?;
    assert_eq!(ran.done()?.columns, counts([4, 0, 0, 0], [3, 0, 1, 0]));
    let rows = subject.rows().await?;
    assert!(rows.iter().all(|row| row.opened(NEW)[0].is_some()));
    subject
        .execute(&format!("ALTER DATABASE {name} RESET search_path"))
        .await?;
    assert_refused(&subject, "the database has no table `dcr_clients`").await
}

/// Which of the two did the service mean? Only one is rotated.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_table_of_that_name_in_another_schema_stops_the_run() -> Result<()> {
    let subject = with_clients(2).await?;
    subject
        .execute("CREATE SCHEMA backup; CREATE TABLE backup.dcr_clients AS TABLE dcr_clients")
        .await?;
    let message = "encrypted columns that this tool does not re-encrypt: \
        `backup.dcr_clients.client_secret_encrypted`, \
        `backup.dcr_clients.registration_access_token_encrypted`";
    assert_refused(&subject, message).await?;
    // Without a schema, a name means the column in any.
    let without_schema = Rotation::of(&subject)
        .excluding("dcr_clients.client_secret_encrypted")?
        .excluding("backup.dcr_clients.registration_access_token_encrypted")?;
    assert_eq!(
        without_schema.run().await?.done()?.outcome,
        Outcome::Rotated
    );
    let rows = subject.rows().await?;
    assert!(rows.iter().all(|row| row.opened(NEW)[0].is_some()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_in_a_materialised_view_or_a_partition_stop_the_run() -> Result<()> {
    let subject = with_clients(2).await?;
    let cell = token("a copy", 1_700_000_000, OLD)?;
    subject
        .execute(&format!(
            "CREATE MATERIALIZED VIEW seen AS SELECT client_secret_encrypted AS kept FROM dcr_clients;
             CREATE SCHEMA audit;
             CREATE TABLE audit.parts (id integer, kept text) PARTITION BY LIST (id);
             CREATE TABLE audit.part PARTITION OF audit.parts FOR VALUES IN (1);
             INSERT INTO audit.parts VALUES (1, '{cell}')"
        ))
        .await?;
    let message = "encrypted columns that this tool does not re-encrypt: \
        `audit.parts.kept`, `public.seen.kept`";
    assert_refused(&subject, message).await
}

/// What a constraint says at the commit comes after everything was verified.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_the_database_refuses_is_undone() -> Result<()> {
    let subject = with_clients(3).await?;
    subject
        .execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'not at the end either'; END $$;
             CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE ON dcr_clients
                DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()",
        )
        .await?;
    let before = subject.footprint().await?;
    let ran = Rotation::of(&subject).run().await?;
    let (error, table) = ran.failed()?;
    let Error::Statement {
        operation: "commit",
        source,
    } = error
    else {
        anyhow::bail!("it failed otherwise: {error:?}");
    };
    assert_eq!(source.to_string(), "not at the end either");
    assert_eq!(table, TableState::RolledBack);
    assert!(
        subject.footprint().await? == before,
        "something was written"
    );
    Ok(())
}

/// Of all that a server can say, this is what the operator can do something about.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_disk_is_full_says_so() -> Result<()> {
    let subject = with_clients(3).await?;
    subject
        .execute(
            "CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                RAISE EXCEPTION 'could not extend file \"base/5/16384\": No space left on device'
                USING ERRCODE = 'disk_full'; END $$;
             CREATE TRIGGER fill BEFORE UPDATE ON dcr_clients
                FOR EACH ROW EXECUTE FUNCTION fill()",
        )
        .await?;
    let before = subject.footprint().await?;
    let ran = Rotation::of(&subject).run().await?;
    let (error, table) = ran.failed()?;
    assert!(matches!(error, Error::DiskFull { .. }), "{error:?}");
    assert_eq!(table, TableState::RolledBack);
    assert!(
        subject.footprint().await? == before,
        "something was written"
    );
    Ok(())
}

/// What was checked may not hold any more when the second page is written.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_turns_read_only_is_told_as_such_and_undone() -> Result<()> {
    let subject = with_clients(2_001).await?;
    subject
        .execute(
            "CREATE FUNCTION close() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN PERFORM set_config('transaction_read_only', 'on', true); RETURN NULL; END $$;
             CREATE TRIGGER close AFTER UPDATE ON dcr_clients
                FOR EACH STATEMENT EXECUTE FUNCTION close()",
        )
        .await?;
    let before = subject.footprint().await?;
    let ran = Rotation::of(&subject).run().await?;
    let (error, table) = ran.failed()?;
    assert!(matches!(error, Error::ReadOnly), "{error:?}");
    assert_eq!(table, TableState::RolledBack);
    assert!(
        subject.footprint().await? == before,
        "something was written"
    );
    Ok(())
}

/// A column that the server computes follows from the others: nobody writes it.
#[tokio::test(flavor = "multi_thread")]
async fn a_column_computed_from_a_token_follows_it() -> Result<()> {
    let subject = with_clients(3).await?;
    let computed = "ALTER TABLE dcr_clients ADD digest text
        GENERATED ALWAYS AS (md5(client_secret_encrypted)) STORED";
    subject.execute(computed).await?;
    let ran = Rotation::of(&subject).run().await?;
    assert_eq!(ran.done()?.outcome, Outcome::Rotated);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_whose_cells_are_stored_out_of_line_are_rewritten() -> Result<()> {
    let subject = with_clients(0).await?;
    let mut rows = clients(3)?;
    let large = token(vec![b'x'; 3_000_000], 1_700_000_000, OLD)?;
    rows.push(Row::new("large", large.clone()).with_registration(large));
    subject.insert(&rows).await?;
    let ran = Rotation::of(&subject).run().await?;
    assert_eq!(ran.done()?.columns, counts([4, 0, 0, 0], [4, 0, 0, 0]));
    let found = subject.rows().await?;
    assert!(
        found
            .iter()
            .all(|row| row.opened(NEW).iter().all(Option::is_some))
    );
    Ok(())
}
