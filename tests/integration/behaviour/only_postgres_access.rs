//! What a role on Postgres may and may not do, and see.
use std::time::Duration;

use anyhow::{Result, bail};
use integration_tests::{TestDatabase, TestRole};
use reencrypt::{Error, Outcome, TableState};

use super::run::{Rotation, counts, survey};
use crate::subject::{Backend, NEW, OLD, Subject};

/// A database with five clients, and a role that may do nothing there yet.
struct Guarded {
    // Dropped before the role, which has privileges in it.
    subject: Subject,
    role: TestRole,
}

impl Guarded {
    async fn create() -> Result<Guarded> {
        let subject = Subject::with_clients(Backend::Postgres, 5).await?;
        let role = Guarded::database_of(&subject)?
            .server()
            .create_role("")
            .await;
        Ok(Guarded { subject, role })
    }

    fn database_of(subject: &Subject) -> Result<&TestDatabase> {
        match subject {
            Subject::Postgres(database) => Ok(database),
            Subject::Sqlite(_) => bail!("not Postgres"),
        }
    }

    /// Runs statements as the owner; `ROLE` stands for the role.
    async fn execute(&self, statements: &str) -> Result<()> {
        let statements = statements.replace("ROLE", self.role.name());
        self.subject.execute(&statements).await
    }

    fn url(&self) -> Result<String> {
        let database = Guarded::database_of(&self.subject)?;
        Ok(database.url_as(self.role.name(), self.role.password()))
    }

    /// A run of the role is refused, and nothing is changed.
    async fn assert_refused(&self, is_expected: impl Fn(&Error) -> bool) -> Result<()> {
        let before = self.subject.footprint().await?;
        let ran = Rotation::at(self.url()?).run().await?;
        let (error, table) = ran.failed()?;
        assert!(is_expected(error), "{error:?}");
        assert_eq!(table, TableState::Untouched);
        assert!(
            self.subject.footprint().await? == before,
            "something was written"
        );
        Ok(())
    }

    async fn rotate(&self) -> Result<Outcome> {
        let ran = Rotation::at(self.url()?).run().await?;
        assert_eq!(ran.done()?.columns, counts([5, 0, 0, 0], [3, 0, 2, 0]));
        let rows = self.subject.rows().await?;
        assert!(rows.iter().all(|row| row.opened(NEW)[0].is_some()));
        Ok(ran.done()?.outcome)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_update_needs_not_own_the_table() -> Result<()> {
    let guarded = Guarded::create().await?;
    guarded
        .execute("GRANT SELECT, UPDATE ON ALL TABLES IN SCHEMA public TO ROLE")
        .await?;
    assert_eq!(guarded.rotate().await?, Outcome::Rotated);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_needs_no_other_privilege() -> Result<()> {
    let guarded = Guarded::create().await?;
    let database = Guarded::database_of(&guarded.subject)?;
    database.give_to(guarded.role.name()).await;
    assert_eq!(guarded.rotate().await?, Outcome::Rotated);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_without_update_may_survey_only() -> Result<()> {
    let guarded = Guarded::create().await?;
    guarded
        .execute("GRANT SELECT ON dcr_clients TO ROLE")
        .await?;
    let update = |error: &Error| {
        matches!(
            error,
            Error::NoPrivilege {
                privilege: "UPDATE",
                ..
            }
        )
    };
    guarded.assert_refused(update).await?;
    let (survey, _) = survey(&guarded.url()?, &[OLD], None).await?;
    assert_eq!(survey.columns.0.map(|counts| counts.under), [[5], [3]]);
    Ok(())
}

/// Not enough to lock the table, nor to know that it may be rewritten as a whole.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_update_one_column_is_refused() -> Result<()> {
    let guarded = Guarded::create().await?;
    let grant = "GRANT SELECT, UPDATE (client_secret_encrypted) ON dcr_clients TO ROLE";
    guarded.execute(grant).await?;
    let update = |error: &Error| {
        matches!(
            error,
            Error::NoPrivilege {
                privilege: "UPDATE",
                ..
            }
        )
    };
    guarded.assert_refused(update).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_without_select_is_refused() -> Result<()> {
    let guarded = Guarded::create().await?;
    guarded
        .execute("GRANT UPDATE ON dcr_clients TO ROLE")
        .await?;
    let select = |error: &Error| {
        matches!(
            error,
            Error::NoPrivilege {
                privilege: "SELECT from",
                ..
            }
        )
    };
    guarded.assert_refused(select).await?;
    assert!(survey(&guarded.url()?, &[OLD], None).await.is_err());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_may_not_be_used_hides_the_table() -> Result<()> {
    let guarded = Guarded::create().await?;
    let revoke =
        "GRANT SELECT, UPDATE ON dcr_clients TO ROLE; REVOKE USAGE ON SCHEMA public FROM public";
    guarded.execute(revoke).await?;
    guarded
        .assert_refused(|error| matches!(error, Error::NoTable))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_the_role_may_not_read_are_named_as_not_searched() -> Result<()> {
    let guarded = Guarded::create().await?;
    guarded
        .execute(
            "GRANT SELECT, UPDATE ON dcr_clients TO ROLE;
             GRANT SELECT ON marketplace_entitlements TO ROLE;
             CREATE TABLE numbers (number integer);
             CREATE SCHEMA closed; CREATE TABLE closed.ledger (entry text);
             GRANT SELECT ON closed.ledger TO ROLE",
        )
        .await?;
    // `numbers` has no text, so nothing in it went unsearched.
    let not_searched = ["closed.ledger", "public.usage_records"];
    let (survey, _) = survey(&guarded.url()?, &[OLD], None).await?;
    assert_eq!(survey.unsearched_tables, not_searched);
    let ran = Rotation::at(guarded.url()?).run().await?;
    assert_eq!(ran.done()?.outcome, Outcome::Rotated);
    assert_eq!(ran.unsearched_tables, not_searched);
    Ok(())
}

/// A name is enough where the values can't be read.
#[tokio::test(flavor = "multi_thread")]
async fn an_encrypted_column_that_the_role_may_not_read_stops_the_run() -> Result<()> {
    let guarded = Guarded::create().await?;
    guarded
        .execute(
            "GRANT SELECT, UPDATE ON dcr_clients TO ROLE;
             CREATE TABLE hidden (code_encrypted text)",
        )
        .await?;
    guarded
        .assert_refused(|error| matches!(error, Error::UnknownColumns { .. }))
        .await
}

/// A rotation of the rows that a role can see would leave the others behind.
#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_hides_rows_stops_run_and_survey() -> Result<()> {
    let guarded = Guarded::create().await?;
    guarded
        .execute(
            "GRANT SELECT, UPDATE ON ALL TABLES IN SCHEMA public TO ROLE;
             ALTER TABLE dcr_clients ENABLE ROW LEVEL SECURITY;
             CREATE POLICY first_three ON dcr_clients USING (order_id < 'order-0000003')",
        )
        .await?;
    let affected = |error: &Error| match error {
        Error::Statement { source, .. } => {
            source.to_string().contains("row-level security")
                && error.hint().is_some_and(|hint| hint.contains("BYPASSRLS"))
        }
        _ => false,
    };
    guarded.assert_refused(affected).await?;
    assert!(survey(&guarded.url()?, &[OLD], None).await.is_err());
    Ok(())
}

/// Where nobody holds the lock, what the server said stands, however short the patience was.
#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_is_in_the_way_of_is_not_told_as_a_lock() -> Result<()> {
    let guarded = Guarded::create().await?;
    guarded
        .execute(
            "GRANT SELECT, UPDATE ON ALL TABLES IN SCHEMA public TO ROLE;
             ALTER TABLE dcr_clients ENABLE ROW LEVEL SECURITY;
             CREATE POLICY nothing ON dcr_clients USING (false)",
        )
        .await?;
    let impatient = Rotation {
        lock_timeout: Duration::ZERO,
        ..Rotation::at(guarded.url()?)
    };
    let ran = impatient.run().await?;
    let (error, table) = ran.failed()?;
    assert!(matches!(error, Error::Statement { .. }), "{error:?}");
    assert_eq!(table, TableState::Untouched);
    Ok(())
}

/// What can't be searched is said; it is no reason to stop.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_whose_policy_hides_rows_is_said_to_be_unsearched() -> Result<()> {
    let guarded = Guarded::create().await?;
    guarded
        .execute(
            "GRANT SELECT, UPDATE ON ALL TABLES IN SCHEMA public TO ROLE;
             ALTER TABLE usage_records ENABLE ROW LEVEL SECURITY;
             CREATE POLICY nothing ON usage_records USING (false)",
        )
        .await?;
    let ran = Rotation::at(guarded.url()?).run().await?;
    assert_eq!(ran.done()?.outcome, Outcome::Rotated);
    assert_eq!(ran.unsearched_tables, ["public.usage_records"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_database_is_refused_and_can_be_surveyed() -> Result<()> {
    let guarded = Guarded::create().await?;
    let name = Guarded::database_of(&guarded.subject)?.name();
    guarded
        .execute("GRANT SELECT, UPDATE ON ALL TABLES IN SCHEMA public TO ROLE")
        .await?;
    let read_only = format!("ALTER DATABASE {name} SET default_transaction_read_only = on");
    guarded.execute(&read_only).await?;
    guarded
        .assert_refused(|error| matches!(error, Error::ReadOnly))
        .await?;
    let (survey, _) = survey(&guarded.url()?, &[OLD], None).await?;
    assert_eq!(survey.clients, 5);
    Ok(())
}
