//! A session of one role: statements with a limit, and what their failure means.

use std::time::Duration;

use connection::{Connector, DatabaseMessage};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Row};

use super::error::RolesError;

/// How long a statement may take. All of them are about a few rows of a catalogue.
const STATEMENT_LIMIT: Duration = Duration::from_secs(30);

/// What a server may take longer than its own limit before it is taken for dead.
const GRACE: Duration = Duration::from_secs(10);

/// Settings of every session. Locks are waited for shortly, since the service's own
/// statements queue behind; names are those of the catalogue, and dates are read as they are
/// written, whatever the role's own settings are.
const SETTINGS: &str = "SET lock_timeout = '5s'; \
     SET statement_timeout = '30s'; \
     SET idle_in_transaction_session_timeout = '60s'; \
     SET client_min_messages = warning; \
     SET DateStyle = 'ISO, YMD'; \
     SET TimeZone = 'UTC'; \
     SET search_path = pg_catalog";

/// A session. Dropped in the middle of a transaction, it leaves nothing behind: the
/// server rolls back.
pub(super) struct Session {
    client: Client,
    server: String,
    user: String,
}

impl Session {
    /// Logs in.
    pub(super) async fn open(connector: &Connector) -> Result<Session, connection::Error> {
        let client = connector
            .connect(async |client, connection| {
                // It ends with the client.
                tokio::spawn(connection);
                client.batch_execute(SETTINGS).await?;
                Ok::<_, Error>(client)
            })
            .await?;
        Ok(Session {
            client,
            server: connector.server().to_owned(),
            user: connector.user().to_owned(),
        })
    }

    /// The role that logged in.
    pub(super) fn user(&self) -> &str {
        &self.user
    }

    /// Runs statements that take no parameters and give no rows.
    pub(super) async fn execute(
        &self,
        operation: &'static str,
        statements: &str,
    ) -> Result<(), RolesError> {
        self.answer(operation, self.client.batch_execute(statements))
            .await
    }

    /// Runs statements that take no parameters and give no rows, all of them or none.
    pub(super) async fn execute_together(
        &self,
        operation: &'static str,
        statements: &str,
    ) -> Result<(), RolesError> {
        self.execute(operation, "BEGIN").await?;
        self.execute(operation, statements).await?;
        self.execute(operation, "COMMIT").await
    }

    /// Runs a query.
    pub(super) async fn query(
        &self,
        operation: &'static str,
        query: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, RolesError> {
        self.answer(operation, self.client.query(query, parameters))
            .await
    }

    /// What is in a column of a row of an answer.
    pub(super) fn column<'row, T: tokio_postgres::types::FromSql<'row>>(
        &self,
        operation: &'static str,
        row: &'row Row,
        column: usize,
    ) -> Result<T, RolesError> {
        row.try_get(column)
            .map_err(|error| self.explain(operation, &error))
    }

    async fn answer<T>(
        &self,
        operation: &'static str,
        asked: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, RolesError> {
        match tokio::time::timeout(STATEMENT_LIMIT + GRACE, asked).await {
            Ok(answer) => answer.map_err(|error| self.explain(operation, &error)),
            Err(_) => Err(self.too_long(operation)),
        }
    }

    fn too_long(&self, operation: &'static str) -> RolesError {
        RolesError::Timeout {
            server: self.server.clone(),
            operation,
            limit: STATEMENT_LIMIT,
        }
    }

    fn explain(&self, operation: &'static str, error: &Error) -> RolesError {
        let code = error.code();
        if code == Some(&SqlState::QUERY_CANCELED) || code == Some(&SqlState::LOCK_NOT_AVAILABLE) {
            return self.too_long(operation);
        }
        let source = match error.as_db_error() {
            // Where they are stands in the detail: it names no values.
            Some(refusal) if code == Some(&SqlState::DEPENDENT_OBJECTS_STILL_EXIST) => {
                let detail = refusal.detail().unwrap_or_default().replace('\n', "; ");
                DatabaseMessage::new(&format!("{}: {detail}", refusal.message()))
            }
            Some(refusal) => DatabaseMessage::new(refusal.message()),
            None => DatabaseMessage::new(&error.to_string()),
        };
        RolesError::Statement {
            server: self.server.clone(),
            user: self.user.clone(),
            operation,
            source,
            denied: code == Some(&SqlState::INSUFFICIENT_PRIVILEGE),
        }
    }
}
