//! The check before a re-encryption, which holds no lock.

use crate::columns::{Column, ColumnName};
use crate::database::{Backend, Database};
use crate::error::Error;
use crate::table::{Access, Table};

/// A re-encryption that was checked and may be run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Rows in the table when it was checked.
    pub clients: u64,
    /// Encrypted columns that are left alone because the caller said so.
    pub excluded_columns: Vec<ColumnName>,
    /// Tables that the role may not read, which were not searched for encrypted columns.
    pub unsearched_tables: Vec<String>,
    /// What is special about this database, for the person who decides.
    pub remarks: Vec<String>,
}

/// Checks that the table can be re-encrypted, and that nothing encrypted would
/// be forgotten. Changes nothing, takes no lock.
///
/// # Errors
///
/// Any of [`Error`]; among them [`Error::UnknownColumns`] for encrypted columns
/// that `excluded_columns` doesn't name.
pub async fn check(
    database: &mut Database,
    excluded_columns: &[ColumnName],
) -> Result<Plan, Error> {
    let checked = match &mut database.backend {
        Backend::Postgres(table) => table.check(Access::Rewrite).await?,
        Backend::Sqlite(table) => table.check(Access::Rewrite).await?,
    };
    for excluded in excluded_columns {
        let is_among = |columns: &[ColumnName]| columns.iter().any(|found| excluded.means(found));
        let column = || excluded.clone();
        if !is_among(&checked.unknown_columns) && is_known(excluded) {
            return Err(Error::KnownExclusion { column: column() });
        }
        if !is_among(&checked.all_columns) {
            return Err(Error::NoSuchExclusion { column: column() });
        }
    }
    let (excluded_columns, columns): (Vec<_>, Vec<_>) =
        checked.unknown_columns.into_iter().partition(|found| {
            excluded_columns
                .iter()
                .any(|excluded| excluded.means(found))
        });
    if !columns.is_empty() {
        return Err(Error::UnknownColumns { columns });
    }
    Ok(Plan {
        clients: checked.clients,
        excluded_columns,
        unsearched_tables: checked.unsearched_tables,
        remarks: checked.remarks,
    })
}

fn is_known(column: &ColumnName) -> bool {
    column.table == "dcr_clients" && Column::named(&column.column).is_some()
}
