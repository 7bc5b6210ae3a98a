//! The check: `dcr_clients` as it should be, and nothing encrypted beside it.

use super::catalogue::{self, Clients, FoundColumn};
use super::{PostgresTable, search};
use crate::error::Error;
use crate::remarks::remark_on_triggers;
use crate::table::{Access, Checked, Table};

impl PostgresTable {
    /// What `Table::check` asks, in one transaction.
    pub(super) async fn search_catalogue(&mut self, access: Access) -> Result<Checked, Error> {
        let clients = self
            .answer("find `dcr_clients`", catalogue::find_clients)
            .await?;
        let clients = clients.ok_or(Error::NoTable)?;
        let columns = self
            .answer("read the catalogue", catalogue::find_columns)
            .await?;
        self.untouched = clients.check(&columns, access, self.connector.user())?;
        let triggers = self
            .answer("find triggers", catalogue::find_triggers)
            .await?;
        let mut checked = Checked {
            clients: self.count_rows().await?,
            all_columns: columns.iter().map(FoundColumn::name).collect(),
            remarks: remark_on_triggers(&triggers).into_iter().collect(),
            ..Checked::default()
        };
        for table in columns.chunk_by(|a, b| a.table() == b.table()) {
            self.search_table(&clients, table, &mut checked).await?;
        }
        Ok(checked)
    }

    /// Looks through one table for encrypted columns that are not known.
    async fn search_table(
        &self,
        clients: &Clients,
        columns: &[FoundColumn],
        checked: &mut Checked,
    ) -> Result<(), Error> {
        let suspects: Vec<&FoundColumn> = columns
            .iter()
            .filter(|column| !(column.is_in(clients) && column.is_known_name()))
            .collect();
        let (texts, may_select): (Vec<&FoundColumn>, Vec<bool>) = suspects
            .iter()
            .filter(|column| column.is_text)
            .map(|column| (*column, column.may_select))
            .unzip();
        let holding = if may_select.contains(&false) {
            None
        } else {
            self.answer("search the tables for tokens", async |connection| {
                search::holding_tokens(connection, &texts).await
            })
            .await?
        };
        if let (None, Some(column)) = (&holding, columns.iter().next()) {
            let (schema, table) = column.table();
            checked.unsearched_tables.push(format!("{schema}.{table}"));
        }
        let holding = holding.unwrap_or_default();
        let is_encrypted = |column: &&FoundColumn| {
            column.column_name.ends_with("_encrypted") || holding.contains(&column.column_name)
        };
        checked.unknown_columns.extend(
            suspects
                .into_iter()
                .filter(is_encrypted)
                .map(FoundColumn::name),
        );
        Ok(())
    }
}
