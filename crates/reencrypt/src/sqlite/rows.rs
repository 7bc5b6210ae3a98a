//! The SQL that reads and writes rows.

use std::hash::{BuildHasher, RandomState};

use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Binary, Nullable};
use diesel::sqlite::{Sqlite, SqliteConnection};

use crate::clients::{CLIENTS, Client};
use crate::columns::{Column, PerColumn};
use crate::error::Error;
use crate::pass::PAGE_ROWS;
use crate::sql::quoted;
use crate::table::{Rewrite, Row};
use crate::token::Cell;

/// The number of clients.
pub(super) fn count(connection: &mut SqliteConnection) -> QueryResult<u64> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        clients: i64,
    }
    let count: Count =
        diesel::sql_query("SELECT count(*) AS clients FROM dcr_clients").get_result(connection)?;
    Ok(count.clients.unsigned_abs())
}

/// Who the clients are.
pub(super) fn clients(connection: &mut SqliteConnection) -> QueryResult<Vec<Client>> {
    diesel::sql_query(CLIENTS).load(connection)
}

/// Reads a page from a rowid on; `untouched` are the columns to digest.
///
/// Everything is read as bytes: SQLite lets a text column hold any type and any
/// encoding. What is digested is the values' text with marks for null and for
/// the end of a value; a digest of types as well takes twice as long.
pub(super) fn page_query(untouched: &[String]) -> String {
    let untouched: Vec<String> = untouched
        .iter()
        .map(|column| quoted(column))
        .map(|column| format!("coalesce({column}, x'00')"))
        .collect();
    format!(
        "SELECT rowid AS address, CAST(order_id AS BLOB) AS order_id, \
         CAST({} AS BLOB) AS client_secret, CAST({} AS BLOB) AS registration_access_token, \
         CAST({} AS BLOB) AS untouched \
         FROM dcr_clients WHERE rowid >= ? ORDER BY rowid LIMIT {PAGE_ROWS}",
        Column::ClientSecret,
        Column::RegistrationAccessToken,
        untouched.join(" || x'1f' || "),
    )
}

/// Reads a page with a query of [`page_query`].
pub(super) fn read(
    connection: &mut SqliteConnection,
    page_query: &str,
    from: i64,
    digest_key: &RandomState,
) -> QueryResult<Vec<Row<i64>>> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = BigInt)]
        address: i64,
        #[diesel(sql_type = Binary)]
        order_id: Vec<u8>,
        #[diesel(sql_type = Nullable<Binary>)]
        client_secret: Option<Vec<u8>>,
        #[diesel(sql_type = Nullable<Binary>)]
        registration_access_token: Option<Vec<u8>>,
        #[diesel(sql_type = Binary)]
        untouched: Vec<u8>,
    }
    let page: Vec<Found> = diesel::sql_query(page_query)
        .bind::<BigInt, _>(from)
        .load(connection)?;
    let row = |found: Found| Row {
        address: found.address,
        order_id: String::from_utf8_lossy(&found.order_id).into_owned(),
        cells: PerColumn([
            found.client_secret.map(Cell),
            found.registration_access_token.map(Cell),
        ]),
        untouched: digest_key.hash_one(&found.untouched),
    };
    Ok(page.into_iter().map(row).collect())
}

/// Writes a page. The inner error is a row that was not as it was read.
pub(super) fn write(
    connection: &mut SqliteConnection,
    rewrites: &[Rewrite<i64>],
) -> QueryResult<Result<(), Error>> {
    let mut written = 0;
    for rewrite in rewrites {
        written += connection.execute_returning_count(&WriteRow::new(rewrite))?;
    }
    Ok(match rewrites.first() {
        Some(first) if written != rewrites.len() => Err(Error::RowChanged {
            order_id: first.row.order_id.clone(),
            expected: rewrites.len(),
            written,
        }),
        _ => Ok(()),
    })
}

/// Writes one row if it still holds what was read.
struct WriteRow<'a> {
    address: i64,
    old: PerColumn<Option<&'a [u8]>>,
    /// None where the column keeps its value.
    new: PerColumn<Option<&'a [u8]>>,
}

impl<'a> WriteRow<'a> {
    fn new(rewrite: &'a Rewrite<i64>) -> WriteRow<'a> {
        let old = PerColumn(Column::ALL.map(|column| bytes(&rewrite.row.cells[column])));
        let new = Column::ALL
            .map(|column| bytes(&rewrite.cells[column]).filter(|new| old[column] != Some(new)));
        WriteRow {
            address: rewrite.row.address,
            old,
            new: PerColumn(new),
        }
    }
}

fn bytes(cell: &Option<Cell>) -> Option<&[u8]> {
    cell.as_ref().map(|cell| cell.0.as_slice())
}

impl QueryId for WriteRow<'_> {
    /// A query with a static name is prepared once; `sql_query` would be
    /// prepared for each row.
    type QueryId = WriteRow<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for WriteRow<'_> {
    type SqlType = ();
}

impl QueryFragment<Sqlite> for WriteRow<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let mut separator = "UPDATE dcr_clients SET ";
        for column in Column::ALL {
            out.push_sql(separator);
            out.push_identifier(column.name())?;
            out.push_sql(" = coalesce(CAST(");
            out.push_bind_param::<Nullable<Binary>, _>(&self.new[column])?;
            out.push_sql(" AS TEXT), ");
            out.push_identifier(column.name())?;
            out.push_sql(")");
            separator = ", ";
        }
        out.push_sql(" WHERE rowid = ");
        out.push_bind_param::<BigInt, _>(&self.address)?;
        for column in Column::ALL {
            out.push_sql(" AND CAST(");
            out.push_identifier(column.name())?;
            out.push_sql(" AS BLOB) IS ");
            out.push_bind_param::<Nullable<Binary>, _>(&self.old[column])?;
        }
        Ok(())
    }
}

/// One row as this transaction writes it. A token's random vector makes it
/// unlike any other: it is there if and only if the transaction was committed.
#[derive(Clone)]
pub(super) struct Witness {
    address: i64,
    cells: PerColumn<Option<Cell>>,
}

impl Witness {
    pub(super) fn of(rewrite: &Rewrite<i64>) -> Witness {
        Witness {
            address: rewrite.row.address,
            cells: rewrite.cells.clone(),
        }
    }

    /// Looks for it.
    pub(super) fn is_there(&self, connection: &mut SqliteConnection) -> QueryResult<bool> {
        let query = page_query(&[Column::ClientSecret.name().to_owned()]);
        let rows = read(connection, &query, self.address, &RandomState::new())?;
        let row = rows.first().filter(|row| row.address == self.address);
        Ok(row.is_some_and(|row| row.cells == self.cells))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn first_row(connection: &mut SqliteConnection) -> Rewrite<i64> {
        let query = page_query(&["account_id".to_owned()]);
        let rows = read(connection, &query, i64::MIN, &RandomState::new()).unwrap();
        let row = rows.into_iter().next().unwrap();
        let cells = row.cells.clone();
        Rewrite { row, cells }
    }

    #[tokio::test]
    async fn a_witness_is_the_row_as_it_was_written_and_no_other() {
        let folder = std::env::temp_dir().join(format!("witness-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("clients.sqlite");
        let key = secret::FernetKey::generate();
        sample::create_sqlite(&path, 2, &key).await.unwrap();
        let mut connection = SqliteConnection::establish(&path.display().to_string()).unwrap();

        let mut written = first_row(&mut connection);
        let there = |rewrite: &Rewrite<i64>, connection: &mut SqliteConnection| {
            Witness::of(rewrite).is_there(connection).unwrap()
        };
        assert!(there(&written, &mut connection));
        // The row is gone, and the one after it is found instead.
        written.row.address -= 1;
        assert!(!there(&written, &mut connection), "another row");
        written.row.address += 1;
        written.cells.0[0] = Some(Cell(b"another token".to_vec()));
        assert!(!there(&written, &mut connection), "another token");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
