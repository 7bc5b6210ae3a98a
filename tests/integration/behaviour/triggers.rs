//! Triggers that meddle with what is written: found before the commit, undone.
use anyhow::Result;
use reencrypt::{Error, Outcome, TableState};

use super::run::{Rotation, counts};
use crate::subject::{Backend, NEW, Opened, Subject, token};

/// The row that most of these triggers wait for; of the others, some were written
/// before it.
const LAST: &str = "order-0000005";
const LAST_TIME: u64 = 1_715_000_005;

pub(super) async fn a_trigger_that_swallows_an_update_undoes_the_run(
    backend: Backend,
) -> Result<()> {
    let subject = Subject::with_clients(backend, 6).await?;
    on_update(&subject, "BEFORE", "SELECT RAISE(IGNORE);", "RETURN NULL;").await?;
    let swallowed = |error: &Error| {
        matches!(
            error,
            Error::RowChanged {
                expected: 6,
                written: 5,
                ..
            }
        )
    };
    assert_undone(&subject, swallowed).await
}

pub(super) async fn a_trigger_that_alters_a_written_token_undoes_the_run(
    backend: Backend,
) -> Result<()> {
    let subject = Subject::with_clients(backend, 6).await?;
    let value = "upper(NEW.client_secret_encrypted)";
    set(&subject, "client_secret_encrypted", value).await?;
    let found =
        |error: &Error| matches!(error, Error::NotReadBack { order_id, .. } if order_id == LAST);
    assert_undone(&subject, found).await
}

pub(super) async fn a_trigger_that_puts_the_old_token_back_undoes_the_run(
    backend: Backend,
) -> Result<()> {
    let subject = Subject::with_clients(backend, 6).await?;
    set(
        &subject,
        "client_secret_encrypted",
        "OLD.client_secret_encrypted",
    )
    .await?;
    let found = |error: &Error| matches!(error, Error::StillUnderOldKey { order_id, .. } if order_id == LAST);
    assert_undone(&subject, found).await
}

pub(super) async fn a_trigger_that_writes_a_good_token_of_another_text_undoes_the_run(
    backend: Backend,
) -> Result<()> {
    let subject = Subject::with_clients(backend, 6).await?;
    let other = token("another text", LAST_TIME, NEW)?;
    set(&subject, "client_secret_encrypted", &format!("'{other}'")).await?;
    assert_undone(&subject, differ("the plaintexts or their issue times")).await
}

pub(super) async fn a_trigger_that_changes_an_issue_time_undoes_the_run(
    backend: Backend,
) -> Result<()> {
    let subject = Subject::with_clients(backend, 6).await?;
    let plaintext = reencrypt::sample::client_secret(5);
    let [opened, _] = Subject::rows(&subject).await?[5].opened(crate::subject::OLD);
    assert_eq!(opened, Some(Opened::new(plaintext.as_str(), LAST_TIME)));
    let later = token(&plaintext, LAST_TIME + 1, NEW)?;
    set(&subject, "client_secret_encrypted", &format!("'{later}'")).await?;
    assert_undone(&subject, differ("the plaintexts or their issue times")).await
}

pub(super) async fn a_trigger_that_alters_another_column_undoes_the_run(
    backend: Backend,
) -> Result<()> {
    for (column, value) in [
        ("account_id", "upper(NEW.account_id)"),
        ("metadata", "'{}'"),
        ("created_at", "'2020-01-01 00:00:00'"),
        ("keycloak_client_uuid", "''"),
        ("order_id", "'renamed'"),
    ] {
        let subject = Subject::with_clients(backend, 6).await?;
        set(&subject, column, value).await?;
        // A row by another name is another row.
        let what = match column {
            "order_id" => "the plaintexts or their issue times",
            _ => "the columns beside the encrypted ones",
        };
        assert_undone(&subject, differ(what)).await?;
    }
    Ok(())
}

pub(super) async fn a_trigger_that_exchanges_the_tokens_of_two_rows_undoes_the_run(
    backend: Backend,
) -> Result<()> {
    let subject = Subject::with_clients(backend, 6).await?;
    let exchange = "UPDATE dcr_clients SET client_secret_encrypted = other.cell
        FROM (SELECT order_id, client_secret_encrypted AS cell FROM dcr_clients) AS other
        WHERE dcr_clients.order_id IN ('order-0000001', 'order-0000002')
            AND other.order_id IN ('order-0000001', 'order-0000002')
            AND other.order_id <> dcr_clients.order_id;";
    on_update(&subject, "AFTER", exchange, exchange).await?;
    assert_undone(&subject, differ("the plaintexts or their issue times")).await
}

pub(super) async fn a_trigger_that_empties_a_cell_undoes_the_run(backend: Backend) -> Result<()> {
    let subject = Subject::with_clients(backend, 6).await?;
    let empty = "UPDATE dcr_clients SET registration_access_token_encrypted = NULL
        WHERE order_id = 'order-0000001';";
    on_update(&subject, "AFTER", empty, empty).await?;
    assert_undone(&subject, differ("the plaintexts or their issue times")).await
}

pub(super) async fn a_trigger_that_deletes_a_row_undoes_the_run(backend: Backend) -> Result<()> {
    let subject = Subject::with_clients(backend, 6).await?;
    let delete = "DELETE FROM dcr_clients WHERE order_id = 'order-0000001';";
    on_update(&subject, "AFTER", delete, delete).await?;
    assert_undone(&subject, differ("the numbers of rows")).await
}

pub(super) async fn a_trigger_that_adds_a_row_undoes_the_run(backend: Backend) -> Result<()> {
    let subject = Subject::with_clients(backend, 6).await?;
    let cell = token("added", 1_700_000_000, NEW)?;
    let add = format!(
        "INSERT INTO dcr_clients (order_id, client_id, client_secret_encrypted, account_id, metadata)
         VALUES ('added', 'added', '{cell}', 'account', '{{}}');"
    );
    on_update(&subject, "AFTER", &add, &add).await?;
    assert_undone(&subject, differ("the numbers of rows")).await
}

/// And what it says, which may quote a row, is not passed on in full.
pub(super) async fn a_trigger_that_fails_undoes_the_run(backend: Backend) -> Result<()> {
    let subject = Subject::with_clients(backend, 6).await?;
    let quoted = token("quoted", 1_700_000_000, NEW)?;
    let sqlite = format!("SELECT RAISE(ABORT, 'not today: {quoted}');");
    let postgres = format!("RAISE EXCEPTION 'not today: {quoted}';");
    on_update(&subject, "BEFORE", &sqlite, &postgres).await?;
    let withheld = |error: &Error| match error {
        Error::Statement { source, .. } => source.to_string() == "not today: [withheld]",
        _ => false,
    };
    assert_undone(&subject, withheld).await
}

pub(super) async fn a_trigger_that_only_takes_notes_disturbs_nothing(
    backend: Backend,
) -> Result<()> {
    let subject = Subject::with_clients(backend, 6).await?;
    subject
        .execute("CREATE TABLE notes (order_id text)")
        .await?;
    let note = "INSERT INTO notes VALUES (NEW.order_id);";
    on_update(&subject, "AFTER", note, note).await?;
    let ran = Rotation::of(&subject).run().await?;
    assert_eq!(ran.done()?.outcome, Outcome::Rotated);
    assert_eq!(ran.done()?.columns, counts([6, 0, 0, 0], [3, 0, 3, 0]));
    Ok(())
}

/// A trigger on the last row that sets a column of that row to something else.
async fn set(subject: &Subject, column: &str, value: &str) -> Result<()> {
    match subject.backend() {
        // Its triggers can't change a row that is being written; so, right afterwards.
        Backend::Sqlite => {
            let body =
                format!("UPDATE dcr_clients SET {column} = {value} WHERE rowid = NEW.rowid;");
            on_update(subject, "AFTER", &body, "").await
        }
        Backend::Postgres => {
            on_update(subject, "BEFORE", "", &format!("NEW.{column} := {value};")).await
        }
    }
}

/// A trigger on the update of the last row.
async fn on_update(subject: &Subject, when: &str, sqlite: &str, postgres: &str) -> Result<()> {
    subject
        .execute_either(
            &format!(
                "CREATE TRIGGER meddle {when} UPDATE ON dcr_clients FOR EACH ROW
                 WHEN NEW.order_id = '{LAST}' BEGIN {sqlite} END"
            ),
            &format!(
                "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS
                    $$ BEGIN {postgres} RETURN NEW; END $$;
                 CREATE TRIGGER meddle {when} UPDATE ON dcr_clients FOR EACH ROW
                 WHEN (NEW.order_id = '{LAST}') EXECUTE FUNCTION meddle()"
            ),
        )
        .await
}

/// The failure of a verification that found these to differ.
fn differ(expected: &'static str) -> impl Fn(&Error) -> bool {
    move |error| matches!(error, Error::Verification { what } if *what == expected)
}

/// A run fails as expected, and leaves nothing behind.
async fn assert_undone(subject: &Subject, is_expected: impl Fn(&Error) -> bool) -> Result<()> {
    let before = subject.footprint().await?;
    for rotation in [Rotation::of(subject), Rotation::of(subject).dry()] {
        let ran = rotation.run().await?;
        let (error, table) = ran.failed()?;
        assert!(is_expected(error), "{error:?}");
        assert_eq!(table, TableState::RolledBack);
    }
    assert!(
        subject.footprint().await? == before,
        "something was written"
    );
    Ok(())
}
