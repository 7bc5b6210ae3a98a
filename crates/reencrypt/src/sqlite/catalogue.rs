//! What tables and columns there are, and which of them hold tokens.

use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Text};

use crate::columns::{Column, ColumnName};
use crate::error::Error;
use crate::remarks::remark_on_triggers;
use crate::sql::quoted;
use crate::table::Checked;

/// What lies in the file.
pub(super) struct Found {
    columns: Vec<FoundColumn>,
    /// Encrypted columns, by name or by content, other than the known ones.
    unknown: Vec<ColumnName>,
    kind: Option<&'static str>,
    encoding: String,
    triggers: Vec<String>,
    has_write_ahead_log: bool,
}

#[derive(QueryableByName)]
struct FoundColumn {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
    #[diesel(sql_type = Bool)]
    is_generated: bool,
}

/// Columns of ordinary tables. `sqlite_%` are SQLite's own.
const COLUMNS: &str = "\
    SELECT t.name AS table_name, c.name AS column_name, c.hidden IN (2, 3) AS is_generated \
    FROM sqlite_schema AS t, pragma_table_xinfo(t.name) AS c \
    WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
    AND t.sql NOT LIKE 'CREATE VIRTUAL %' \
    ORDER BY t.name, c.cid";

/// Reads the schema and searches every table for tokens.
pub(super) fn search(connection: &mut SqliteConnection) -> QueryResult<Found> {
    let columns: Vec<FoundColumn> = diesel::sql_query(COLUMNS).load(connection)?;
    let mut unknown = Vec::new();
    for table in columns.chunk_by(|a, b| a.table_name == b.table_name) {
        let suspects: Vec<&FoundColumn> =
            table.iter().filter(|column| !column.is_known()).collect();
        let holds_tokens = holding_tokens(connection, &suspects)?;
        for (column, holds_token) in suspects.into_iter().zip(holds_tokens) {
            if holds_token || column.column_name.ends_with("_encrypted") {
                unknown.push(column.name());
            }
        }
    }
    Ok(Found {
        columns,
        unknown,
        kind: unusual_kind(connection)?,
        encoding: text(connection, "SELECT encoding AS value FROM pragma_encoding")?
            .unwrap_or_default(),
        triggers: triggers(connection)?,
        has_write_ahead_log: has_write_ahead_log(connection)?,
    })
}

/// Whether each column, all of one table, holds a token.
fn holding_tokens(
    connection: &mut SqliteConnection,
    columns: &[&FoundColumn],
) -> QueryResult<Vec<bool>> {
    // One read of the table shows for nearly all tables that no column does.
    if !any_holds_token(connection, columns)? {
        return Ok(vec![false; columns.len()]);
    }
    columns
        .iter()
        .map(|column| any_holds_token(connection, &[column]))
        .collect()
}

fn any_holds_token(
    connection: &mut SqliteConnection,
    columns: &[&FoundColumn],
) -> QueryResult<bool> {
    // `[&T]::first` would be diesel's.
    let Some(first) = columns.iter().next() else {
        return Ok(false);
    };
    // The prefix is the version byte and the upper bytes of any time from 1970
    // to 2242; 100 characters are the shortest token.
    let test = |column: &&FoundColumn| {
        let column = quoted(&column.column_name);
        format!(
            "({column} >= 'gAAAA' COLLATE BINARY AND {column} < 'gAAAB' COLLATE BINARY \
             AND length({column}) >= 100 AND {column} NOT GLOB '*[^A-Za-z0-9_=-]*')"
        )
    };
    let tests: Vec<String> = columns.iter().map(test).collect();
    let found = format!(
        "SELECT 'found' AS value FROM {} WHERE {} LIMIT 1",
        quoted(&first.table_name),
        tests.join(" OR ")
    );
    Ok(text(connection, &found)?.is_some())
}

/// What `dcr_clients` is, if it is no plain table.
fn unusual_kind(connection: &mut SqliteConnection) -> QueryResult<Option<&'static str>> {
    #[derive(QueryableByName)]
    struct Kind {
        #[diesel(sql_type = Text)]
        kind: String,
        #[diesel(sql_type = Integer)]
        without_rowid: i32,
    }
    let kind: Option<Kind> = diesel::sql_query(
        "SELECT type AS kind, wr AS without_rowid FROM pragma_table_list('dcr_clients') WHERE schema = 'main'",
    )
    .get_result(connection)
    .optional()?;
    Ok(kind.and_then(|kind| match kind.kind.as_str() {
        "view" => Some("a view"),
        "virtual" => Some("a virtual table"),
        _ if kind.without_rowid != 0 => Some("a table without rowid"),
        _ => None,
    }))
}

fn triggers(connection: &mut SqliteConnection) -> QueryResult<Vec<String>> {
    #[derive(QueryableByName)]
    struct Trigger {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let triggers: Vec<Trigger> = diesel::sql_query(
        "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'dcr_clients' COLLATE NOCASE ORDER BY name",
    )
    .load(connection)?;
    Ok(triggers.into_iter().map(|trigger| trigger.name).collect())
}

fn has_write_ahead_log(connection: &mut SqliteConnection) -> QueryResult<bool> {
    let mode = text(
        connection,
        "SELECT journal_mode AS value FROM pragma_journal_mode",
    )?;
    Ok(mode.as_deref() == Some("wal"))
}

/// The one text that a query yields.
fn text(connection: &mut SqliteConnection, query: &str) -> QueryResult<Option<String>> {
    #[derive(QueryableByName)]
    struct Value {
        #[diesel(sql_type = Text)]
        value: String,
    }
    let value: Option<Value> = diesel::sql_query(query).get_result(connection).optional()?;
    Ok(value.map(|value| value.value))
}

/// That `dcr_clients` is as it should be. Returns its other columns.
pub(super) fn check_clients(found: &Found) -> Result<Vec<String>, Error> {
    if let Some(what) = found.kind {
        return Err(Error::NotAPlainTable { what });
    }
    // `CAST(… AS BLOB)` yields the encoding's bytes: in another one, tokens would
    // be read and written as something else.
    if found.encoding != "UTF-8" {
        return Err(Error::Encoding {
            found: found.encoding.clone(),
        });
    }
    let own: Vec<&FoundColumn> = found
        .columns
        .iter()
        .filter(|column| column.table_name == "dcr_clients")
        .collect();
    let columns: Vec<&str> = own
        .iter()
        .map(|column| column.column_name.as_str())
        .collect();
    if columns.is_empty() {
        return Err(Error::NoTable);
    }
    if columns
        .iter()
        .any(|column| column.eq_ignore_ascii_case("rowid"))
    {
        return Err(Error::NotAPlainTable {
            what: "a table with a column named `rowid`",
        });
    }
    for needed in Column::NEEDED {
        if !columns.contains(&needed) {
            return Err(Error::NoColumn { column: needed });
        }
    }
    let untouched = own
        .into_iter()
        .filter(|column| !column.is_known() && !column.is_generated)
        .map(|column| column.column_name.clone());
    Ok(untouched.collect())
}

impl Found {
    pub(super) fn into_checked(self) -> Checked {
        Checked {
            remarks: self.remarks(),
            all_columns: self.columns.iter().map(FoundColumn::name).collect(),
            unknown_columns: self.unknown,
            ..Checked::default()
        }
    }

    fn remarks(&self) -> Vec<String> {
        let readers = (!self.has_write_ahead_log).then(|| {
            "this SQLite file has no write-ahead log: readers may wait too, from the moment when \
             the rewritten pages outgrow 8 MB to the commit"
                .to_owned()
        });
        readers
            .into_iter()
            .chain(remark_on_triggers(&self.triggers))
            .collect()
    }
}

impl FoundColumn {
    fn is_known(&self) -> bool {
        self.table_name == "dcr_clients" && Column::named(&self.column_name).is_some()
    }

    fn name(&self) -> ColumnName {
        ColumnName {
            schema: None,
            table: self.table_name.clone(),
            column: self.column_name.clone(),
        }
    }
}
