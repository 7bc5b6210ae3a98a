//! What must be true whenever a run is at its end: every token opens with the key in `.env`,
//! which is an enabled version in the store.
use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use fernet::Fernet;
use integration_tests::Output;
use reencrypt::sample;
use serde_json::Value;

use super::sandbox::Sandbox;

/// A row of `dcr_clients`.
#[derive(Debug, QueryableByName)]
pub(super) struct Row {
    #[diesel(sql_type = Text)]
    pub(super) order_id: String,
    #[diesel(sql_type = Text)]
    pub(super) client_secret: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) registration: Option<String>,
}

impl Sandbox {
    pub(super) fn connect(&self) -> Result<SqliteConnection> {
        let path = self.path("clients.sqlite").display().to_string();
        let mut connection = SqliteConnection::establish(&path)?;
        connection.batch_execute("PRAGMA busy_timeout = 10000")?;
        Ok(connection)
    }

    pub(super) fn execute(&self, statements: &str) -> Result<()> {
        Ok(self.connect()?.batch_execute(statements)?)
    }

    pub(super) fn rows(&self) -> Result<Vec<Row>> {
        let query = "SELECT order_id, client_secret_encrypted AS client_secret, \
             registration_access_token_encrypted AS registration \
             FROM dcr_clients ORDER BY order_id";
        Ok(diesel::sql_query(query).load(&mut self.connect()?)?)
    }

    /// How many tokens a key opens, and how many it doesn't.
    pub(super) fn opened_by(&self, key: &str) -> Result<(usize, usize)> {
        let cipher = Fernet::new(key).context("a key")?;
        let rows = self.rows()?;
        let tokens = rows
            .iter()
            .flat_map(|row| std::iter::once(&row.client_secret).chain(row.registration.as_ref()));
        let (opened, closed): (Vec<_>, Vec<_>) =
            tokens.partition(|token| cipher.decrypt(token).is_ok());
        Ok((opened.len(), closed.len()))
    }

    /// Every made-up client is there with its own secrets, and every other row can be read, with
    /// the key in `.env`.
    pub(super) fn expect_clients(&self, count: u64) -> Result<()> {
        let cipher = Fernet::new(&self.env_key()?).context("no key in .env")?;
        let mut rows: BTreeMap<String, Row> = self
            .rows()?
            .into_iter()
            .map(|row| (row.order_id.clone(), row))
            .collect();
        for number in 0..count {
            let order_id = format!("order-{number:07}");
            let row = rows.remove(&order_id).with_context(|| order_id.clone())?;
            let secret = cipher.decrypt(&row.client_secret).ok();
            let expected = sample::client_secret(number);
            ensure!(
                secret.as_deref() == Some(expected.as_bytes()),
                "{order_id}: its secret can't be read"
            );
            let expected = sample::registration_access_token(number);
            let registration = row.registration.as_ref();
            ensure!(registration.is_some() == (number % 10 < 3), "{order_id}");
            let is_readable = registration.is_none_or(|token| {
                cipher.decrypt(token).ok().as_deref() == Some(expected.as_bytes())
            });
            ensure!(is_readable, "{order_id}: its registration can't be read");
        }
        for row in rows.into_values() {
            let is_readable = cipher.decrypt(&row.client_secret).is_ok();
            ensure!(is_readable, "{}: its secret can't be read", row.order_id);
        }
        Ok(())
    }

    /// The key in `.env` is an enabled version of the store, and the only one that is.
    pub(super) fn expect_only_enabled_version(&self) -> Result<()> {
        let key = self.env_key()?;
        for version in self.stored()? {
            let (number, state) = (version.number, version.state.as_str());
            if version.value == key {
                continue;
            }
            ensure!(state != "enabled", "version {number} is {state}");
        }
        let stored = self.stored()?;
        let is_enabled = stored
            .iter()
            .any(|version| version.value == key && version.state == "enabled");
        // A run that was undone before it stored anything leaves no store.
        ensure!(is_enabled || stored.is_empty(), "the key is not enabled");
        Ok(())
    }

    /// The runs that aren't at their end, as `status` tells scripts.
    pub(super) fn unfinished(&self) -> Result<Vec<Value>> {
        let status = self.run(&["status", "--format", "json"])?;
        let status = json(&status)?;
        let runs = status["runs"].as_array().context("runs")?;
        let is_unfinished = |run: &&Value| run["is_unfinished"] != false;
        Ok(runs.iter().filter(is_unfinished).cloned().collect())
    }

    /// The commands that `status` names for what isn't at its end.
    pub(super) fn next_commands(&self) -> Result<Vec<String>> {
        Ok(next_commands(&self.run(&["status"])?))
    }

    /// Everything that has to be true after a run.
    pub(crate) fn expect_sound(&self, clients: u64) -> Result<()> {
        self.expect_clients(clients)?;
        self.expect_only_enabled_version()?;
        let unfinished = self.unfinished()?;
        ensure!(unfinished.is_empty(), "unfinished: {unfinished:?}");
        Ok(())
    }
}

/// The one object on standard output, where nothing else may be.
pub(crate) fn json(output: &Output) -> Result<Value> {
    let line = output.stdout.strip_suffix('\n').context("no line")?;
    ensure!(!line.contains('\n'), "more than a line: {output:?}");
    Ok(serde_json::from_str(line)?)
}

/// What `status` says to type.
pub(crate) fn next_commands(status: &Output) -> Vec<String> {
    let lines = status.stdout.lines().map(str::trim_start);
    lines
        .filter_map(|line| line.strip_prefix("next: "))
        .map(str::to_owned)
        .collect()
}
