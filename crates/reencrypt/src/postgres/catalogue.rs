//! What tables and columns there are, which of them hold tokens, and what the role may do.

use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::columns::{Column, ColumnName};
use crate::error::Error;
use crate::table::Access;

/// `dcr_clients`, and what the role may do with it.
#[derive(QueryableByName)]
pub(super) struct Clients {
    #[diesel(sql_type = Text)]
    schema_name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Bool)]
    has_children: bool,
    #[diesel(sql_type = Bool)]
    may_select: bool,
    #[diesel(sql_type = Bool)]
    may_update: bool,
    #[diesel(sql_type = Bool)]
    is_read_only: bool,
}

const CLIENTS: &str = "\
    SELECT n.nspname::text AS schema_name, c.relkind::text AS kind, \
        EXISTS (SELECT FROM pg_inherits WHERE inhparent = c.oid) AS has_children, \
        has_table_privilege(c.oid, 'SELECT') AS may_select, \
        has_table_privilege(c.oid, 'UPDATE') AS may_update, \
        current_setting('transaction_read_only')::boolean AS is_read_only \
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
    WHERE c.oid = to_regclass('dcr_clients')";

#[derive(QueryableByName)]
pub(super) struct FoundColumn {
    #[diesel(sql_type = Text)]
    pub(super) schema_name: String,
    #[diesel(sql_type = Text)]
    pub(super) table_name: String,
    #[diesel(sql_type = Text)]
    pub(super) column_name: String,
    #[diesel(sql_type = Text)]
    type_name: String,
    #[diesel(sql_type = Bool)]
    pub(super) is_text: bool,
    #[diesel(sql_type = Bool)]
    is_generated: bool,
    #[diesel(sql_type = Bool)]
    pub(super) may_select: bool,
}

/// Columns of all tables that aren't the server's own. Partitions are read
/// through their parent. A domain counts as the type that it is made from.
const COLUMNS: &str = "\
    SELECT n.nspname::text AS schema_name, c.relname::text AS table_name, a.attname::text AS column_name, \
        format_type(a.atttypid, a.atttypmod) AS type_name, \
        t.typcategory = 'S' AS is_text, a.attgenerated <> '' AS is_generated, \
        has_table_privilege(c.oid, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE') AS may_select \
    FROM pg_class AS c \
        JOIN pg_namespace AS n ON n.oid = c.relnamespace \
        JOIN pg_attribute AS a ON a.attrelid = c.oid \
        JOIN pg_type AS t ON t.oid = a.atttypid \
    WHERE c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition AND c.relpersistence <> 't' \
        AND a.attnum > 0 AND NOT a.attisdropped \
        AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%' \
    ORDER BY 1, 2, a.attnum";

/// Finds `dcr_clients` where the role's search path leads to it.
pub(super) async fn find_clients(
    mut connection: &AsyncPgConnection,
) -> QueryResult<Option<Clients>> {
    diesel::sql_query(CLIENTS)
        .get_result(&mut connection)
        .await
        .optional()
}

/// Triggers that somebody made on `dcr_clients`, those that are off left out.
pub(super) async fn find_triggers(mut connection: &AsyncPgConnection) -> QueryResult<Vec<String>> {
    #[derive(QueryableByName)]
    struct Trigger {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let triggers: Vec<Trigger> = diesel::sql_query(
        "SELECT tgname::text AS name FROM pg_trigger \
         WHERE tgrelid = to_regclass('dcr_clients') AND NOT tgisinternal AND tgenabled <> 'D' \
         ORDER BY 1",
    )
    .load(&mut connection)
    .await?;
    Ok(triggers.into_iter().map(|trigger| trigger.name).collect())
}

/// Every column of every table.
pub(super) async fn find_columns(
    mut connection: &AsyncPgConnection,
) -> QueryResult<Vec<FoundColumn>> {
    diesel::sql_query(COLUMNS).load(&mut connection).await
}

impl Clients {
    /// That the table is as it should be. Returns its other columns.
    pub(super) fn check(
        &self,
        columns: &[FoundColumn],
        access: Access,
        user: &str,
    ) -> Result<Vec<String>, Error> {
        match self.kind.as_str() {
            // A `ctid` names a row of one table only.
            "r" if self.has_children => {
                return Err(Error::NotAPlainTable {
                    what: "a table with children",
                });
            }
            "r" => {}
            "p" => {
                return Err(Error::NotAPlainTable {
                    what: "a partitioned table",
                });
            }
            "v" | "m" => return Err(Error::NotAPlainTable { what: "a view" }),
            _ => {
                return Err(Error::NotAPlainTable {
                    what: "no ordinary table",
                });
            }
        }
        let own: Vec<&FoundColumn> = columns.iter().filter(|column| column.is_in(self)).collect();
        for needed in Column::NEEDED {
            let Some(column) = own.iter().find(|column| column.column_name == needed) else {
                return Err(Error::NoColumn { column: needed });
            };
            if !column.is_text {
                return Err(Error::ColumnType {
                    column: needed,
                    found: column.type_name.clone(),
                });
            }
        }
        let lacks = |privilege| Error::NoPrivilege {
            user: user.to_owned(),
            privilege,
        };
        if !self.may_select {
            return Err(lacks("SELECT from"));
        }
        if access == Access::Rewrite && self.is_read_only {
            return Err(Error::ReadOnly);
        }
        if access == Access::Rewrite && !self.may_update {
            return Err(lacks("UPDATE"));
        }
        // A generated column follows from the others.
        let untouched = own
            .into_iter()
            .filter(|column| !column.is_known_name() && !column.is_generated);
        Ok(untouched.map(|column| column.column_name.clone()).collect())
    }
}

impl FoundColumn {
    pub(super) fn table(&self) -> (&str, &str) {
        (&self.schema_name, &self.table_name)
    }

    pub(super) fn is_in(&self, clients: &Clients) -> bool {
        self.table() == (clients.schema_name.as_str(), "dcr_clients")
    }

    pub(super) fn is_known_name(&self) -> bool {
        Column::named(&self.column_name).is_some()
    }

    pub(super) fn name(&self) -> ColumnName {
        ColumnName {
            schema: Some(self.schema_name.clone()),
            table: self.table_name.clone(),
            column: self.column_name.clone(),
        }
    }
}
