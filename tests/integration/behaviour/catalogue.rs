//! The search for encrypted columns that nobody told the tool about.
use anyhow::Result;
use reencrypt::{Error, Outcome, TableState};

use super::run::{Ran, Rotation, survey};
use crate::subject::{Backend, FOREIGN, NEW, OLD, Row, Subject, token};

pub(super) async fn a_column_named_encrypted_in_another_table_stops_the_run(
    backend: Backend,
) -> Result<()> {
    let subject = Subject::with_clients(backend, 3).await?;
    let empty = "CREATE TABLE webhooks (id integer, signing_key_encrypted text)";
    subject.execute(empty).await?;
    assert_stopped(&subject, &["webhooks.signing_key_encrypted"]).await
}

pub(super) async fn a_token_in_a_text_column_of_another_table_stops_the_run(
    backend: Backend,
) -> Result<()> {
    let subject = Subject::with_clients(backend, 3).await?;
    let copies = copies(&token("a copy", 1_700_000_000, FOREIGN)?);
    subject.execute(&copies).await?;
    assert_stopped(&subject, &["copies.kept"]).await
}

/// Each table's first column follows the last one of the table before it.
pub(super) async fn a_token_in_the_first_column_of_a_table_stops_the_run(
    backend: Backend,
) -> Result<()> {
    let subject = Subject::with_clients(backend, 3).await?;
    let cell = token("a copy", 1_700_000_000, OLD)?;
    for table in ["one", "two"] {
        let filled = format!(
            "CREATE TABLE {table} (kept text, remark text);
             INSERT INTO {table} VALUES ('{cell}', 'no token')"
        );
        subject.execute(&filled).await?;
    }
    assert_stopped(&subject, &["one.kept", "two.kept"]).await
}

pub(super) async fn a_token_in_a_column_of_dcr_clients_itself_stops_the_run(
    backend: Backend,
) -> Result<()> {
    let subject = Subject::with_clients(backend, 3).await?;
    let cell = token("in the wrong place", 1_700_000_000, OLD)?;
    let misplaced = format!(
        "UPDATE dcr_clients SET keycloak_client_uuid = '{cell}' WHERE order_id = 'order-0000001'"
    );
    subject.execute(&misplaced).await?;
    assert_stopped(&subject, &["dcr_clients.keycloak_client_uuid"]).await
}

/// The name is known in `dcr_clients` only.
pub(super) async fn a_known_name_in_another_table_stops_the_run(backend: Backend) -> Result<()> {
    let subject = Subject::with_clients(backend, 3).await?;
    let table = "CREATE TABLE dcr_clients_backup AS SELECT * FROM dcr_clients";
    subject.execute(table).await?;
    let columns = [
        "dcr_clients_backup.client_secret_encrypted",
        "dcr_clients_backup.registration_access_token_encrypted",
    ];
    assert_stopped(&subject, &columns).await
}

pub(super) async fn a_token_behind_a_thousand_other_texts_is_found(backend: Backend) -> Result<()> {
    let subject = Subject::with_clients(backend, 3).await?;
    let cell = token("the last", 1_700_000_000, OLD)?;
    let fill = format!(
        "CREATE TABLE notes (id integer, one text, two varchar(900), three integer);
         WITH RECURSIVE numbers (number) AS
            (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < 1000)
         INSERT INTO notes SELECT number, 'text', NULL, 5 FROM numbers;
         INSERT INTO notes VALUES (1001, NULL, '{cell}', NULL);"
    );
    subject.execute(&fill).await?;
    assert_stopped(&subject, &["notes.two"]).await
}

pub(super) async fn odd_names_of_tables_and_columns_are_searched(backend: Backend) -> Result<()> {
    let subject = Subject::with_clients(backend, 3).await?;
    let cell = token("somewhere", 1_700_000_000, OLD)?;
    let table = format!(
        r#"CREATE TABLE "Odd ""table"" of 'x'" ("select" text, "Käse; -- " text);
           INSERT INTO "Odd ""table"" of 'x'" VALUES ('{cell}', '{cell}')"#
    );
    subject.execute(&table).await?;
    let columns = [
        r#"Odd "table" of 'x'.select"#,
        r#"Odd "table" of 'x'.Käse; -- "#,
    ];
    assert_stopped(&subject, &columns).await
}

pub(super) async fn text_that_only_resembles_a_token_stops_nothing(backend: Backend) -> Result<()> {
    let subject = Subject::with_clients(backend, 3).await?;
    let cell = token("in a sentence", 1_700_000_000, OLD)?;
    let lower = cell.to_lowercase();
    let table = format!(
        "CREATE TABLE remarks (remark text, encrypted_at text, is_encrypted_too text);
         INSERT INTO remarks VALUES ('gAAAAAB is how it begins', 'now', NULL), ('{lower}', '', ''),
            ('the token {cell}', 'x', 'y'), ('{cell} was replaced', 'x', 'y'), ('gAAAA', 'x', 'y')"
    );
    subject.execute(&table).await?;
    let ran = Rotation::of(&subject).run().await?;
    assert_eq!(ran.done()?.outcome, Outcome::Rotated);
    Ok(())
}

pub(super) async fn an_excluded_column_lets_the_run_go_on_and_stays_as_it_is(
    backend: Backend,
) -> Result<()> {
    let subject = Subject::with_clients(backend, 3).await?;
    let cell = token("a copy", 1_700_000_000, OLD)?;
    subject.execute(&copies(&cell)).await?;
    let ran = Rotation::of(&subject)
        .excluding("copies.kept")?
        .run()
        .await?;
    assert_eq!(ran.done()?.outcome, Outcome::Rotated);
    let rows = subject.rows().await?;
    assert!(rows.iter().all(|row| row.opened(NEW)[0].is_some()));
    // Fails where the copy is no longer there.
    subject
        .execute_either(
            &format!(
                "CREATE TABLE proof (x CHECK (x = 1));
                 INSERT INTO proof SELECT count(*) FROM copies WHERE kept = '{cell}'"
            ),
            &format!(
                "DO $$ BEGIN ASSERT 1 = (SELECT count(*) FROM copies WHERE kept = '{cell}'); END $$"
            ),
        )
        .await
}

pub(super) async fn excluding_one_of_two_columns_is_not_enough(backend: Backend) -> Result<()> {
    let subject = Subject::with_clients(backend, 3).await?;
    let two = "CREATE TABLE two (one_encrypted text, other_encrypted text)";
    subject.execute(two).await?;
    let ran = Rotation::of(&subject)
        .excluding("two.one_encrypted")?
        .run()
        .await?;
    assert_eq!(unknown_columns(&ran)?, ["two.other_encrypted"]);
    Ok(())
}

pub(super) async fn an_exclusion_that_does_not_exist_is_refused(backend: Backend) -> Result<()> {
    let subject = Subject::with_clients(backend, 3).await?;
    let before = subject.footprint().await?;
    for column in [
        "copies.kept",
        "dcr_clients.client_secret",
        "elsewhere.dcr_clients.order_id",
    ] {
        let ran = Rotation::of(&subject).excluding(column)?.run().await?;
        let (error, table) = ran.failed()?;
        assert!(matches!(error, Error::NoSuchExclusion { .. }), "{error:?}");
        assert!(error.to_string().contains(column), "{error}");
        assert_eq!(table, TableState::Untouched);
    }
    assert!(
        subject.footprint().await? == before,
        "something was written"
    );
    Ok(())
}

pub(super) async fn a_survey_names_unknown_columns_and_goes_on(backend: Backend) -> Result<()> {
    let subject = Subject::with_clients(backend, 3).await?;
    let copies = copies(&token("a copy", 1_700_000_000, OLD)?);
    subject.execute(&copies).await?;
    let (survey, _) = survey(&subject.url(), &[OLD], None).await?;
    let unknown: Vec<String> = survey.unknown_columns.iter().map(without_schema).collect();
    assert_eq!(unknown, ["copies.kept"]);
    assert_eq!(survey.columns.0.map(|counts| counts.under), [[3], [3]]);
    Ok(())
}

fn copies(cell: &str) -> String {
    format!(
        "CREATE TABLE copies (id integer, kept text);
         INSERT INTO copies VALUES (1, 'no token'), (2, '{cell}')"
    )
}

/// A run says which columns are in its way, and changes nothing.
async fn assert_stopped(subject: &Subject, columns: &[&str]) -> Result<()> {
    // A row that a run would write, were it not stopped.
    let row = Row::new("to be written", token("x", 1_700_000_000, OLD)?);
    subject.insert(&[row]).await?;
    let before = subject.footprint().await?;
    for rotation in [Rotation::of(subject), Rotation::of(subject).dry()] {
        let ran = rotation.run().await?;
        assert_eq!(unknown_columns(&ran)?, columns);
        let (error, table) = ran.failed()?;
        let hint = error.hint().unwrap_or_default();
        assert!(hint.contains("--exclude-column "), "{hint}");
        assert_eq!(table, TableState::Untouched);
    }
    assert!(
        subject.footprint().await? == before,
        "something was written"
    );
    Ok(())
}

/// The columns that stopped a run, without the schema that only Postgres has.
fn unknown_columns(ran: &Ran) -> Result<Vec<String>> {
    match ran.failed()? {
        (Error::UnknownColumns { columns }, _) => Ok(columns.iter().map(without_schema).collect()),
        (error, _) => anyhow::bail!("it failed otherwise: {error:?}"),
    }
}

fn without_schema(column: &reencrypt::ColumnName) -> String {
    format!("{}.{}", column.table, column.column)
}
