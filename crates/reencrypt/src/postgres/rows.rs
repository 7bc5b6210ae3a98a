//! The SQL that reads and writes rows.

use diesel::deserialize::{self, FromSql};
use diesel::pg::{Pg, PgValue};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{Array, BigInt, Nullable, SqlType, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::columns::{Column, PerColumn};
use crate::pass::PAGE_ROWS;
use crate::sql::quoted;
use crate::table::{Rewrite, Row};
use crate::token::Cell;

/// Where Postgres keeps one version of a row: block and number, its `ctid`.
///
/// Within the transaction that holds the table's lock it is a compare-and-set: a
/// version never changes in place, an update of the row makes a new version
/// elsewhere, and the place of a version that was read isn't given to another row
/// as long as the transaction that saw it runs. So an update by `ctid` finds
/// either what was read or nothing. It is also a third quicker than one by
/// `order_id`.
#[derive(Clone, Copy, Debug, diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
#[diesel(sql_type = Tid)]
pub(crate) struct RowAddress([u8; 6]);

/// Postgres's type `tid`.
#[derive(SqlType, QueryId, Clone, Copy)]
#[diesel(postgres_type(oid = 27, array_oid = 1010))]
pub(super) struct Tid;

impl FromSql<Tid, Pg> for RowAddress {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(RowAddress(value.as_bytes().try_into()?))
    }
}

impl ToSql<Tid, Pg> for RowAddress {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        std::io::Write::write_all(out, &self.0)?;
        Ok(IsNull::No)
    }
}

/// What is in a text column need not be UTF-8, in a database without an encoding.
impl FromSql<Text, Pg> for Cell {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Cell(value.as_bytes().to_vec()))
    }
}

impl ToSql<Text, Pg> for Cell {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        std::io::Write::write_all(out, &self.0)?;
        Ok(IsNull::No)
    }
}

/// Opens the cursor of a pass. It sees the table as it is at this moment, so a
/// pass that writes doesn't meet what it wrote.
///
/// The digest is made by the server, of the row's text, so that the columns
/// themselves needn't travel; `seed` is random.
pub(super) fn open_cursor(untouched: &[String], seed: i64) -> String {
    let untouched: Vec<String> = untouched.iter().map(|column| quoted(column)).collect();
    format!(
        "DECLARE dcr_clients_pass NO SCROLL CURSOR FOR \
         SELECT ctid, order_id::text, {}::text, {}::text, \
         hashtextextended(ROW({})::text COLLATE \"C\", {seed}) FROM dcr_clients",
        Column::ClientSecret,
        Column::RegistrationAccessToken,
        untouched.join(", "),
    )
}

/// Reads the next page of the cursor.
pub(super) async fn read(mut connection: &AsyncPgConnection) -> QueryResult<Vec<Row<RowAddress>>> {
    type Found = (RowAddress, Cell, Option<Cell>, Option<Cell>, i64);
    let page: Vec<Found> = FetchPage.load(&mut connection).await?;
    let row =
        |(address, order_id, client_secret, registration_access_token, untouched): Found| Row {
            address,
            order_id: String::from_utf8_lossy(&order_id.0).into_owned(),
            cells: PerColumn([client_secret, registration_access_token]),
            untouched: untouched.cast_unsigned(),
        };
    Ok(page.into_iter().map(row).collect())
}

/// Writes a page and returns how many rows were still what was read.
pub(super) async fn write(
    mut connection: &AsyncPgConnection,
    rewrites: &[Rewrite<RowAddress>],
) -> QueryResult<usize> {
    WritePage::new(rewrites).execute(&mut connection).await
}

/// Both queries are types of their own, for diesel prepares a query with a
/// static name once, and `sql_query` each time.
#[derive(QueryId)]
struct FetchPage;

impl Query for FetchPage {
    type SqlType = (Tid, Text, Nullable<Text>, Nullable<Text>, BigInt);
}

impl QueryFragment<Pg> for FetchPage {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(&format!("FETCH {PAGE_ROWS} FROM dcr_clients_pass"));
        Ok(())
    }
}

/// One statement for a page: a statement for each row takes nine times as long.
struct WritePage<'a> {
    addresses: Vec<RowAddress>,
    cells: PerColumn<Vec<Option<&'a Cell>>>,
}

impl<'a> WritePage<'a> {
    fn new(rewrites: &'a [Rewrite<RowAddress>]) -> WritePage<'a> {
        let cells = |column| {
            rewrites
                .iter()
                .map(|rewrite| rewrite.cells[column].as_ref())
                .collect()
        };
        WritePage {
            addresses: rewrites.iter().map(|rewrite| rewrite.row.address).collect(),
            cells: PerColumn(Column::ALL.map(cells)),
        }
    }
}

impl QueryId for WritePage<'_> {
    type QueryId = WritePage<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for WritePage<'_> {
    type SqlType = ();
}

impl QueryFragment<Pg> for WritePage<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("UPDATE dcr_clients AS row SET ");
        out.push_identifier(Column::ClientSecret.name())?;
        out.push_sql(" = page.client_secret, ");
        out.push_identifier(Column::RegistrationAccessToken.name())?;
        out.push_sql(" = page.registration_access_token FROM unnest(");
        out.push_bind_param::<Array<Tid>, _>(&self.addresses)?;
        for (_, cells) in self.cells.iter() {
            out.push_sql(", ");
            out.push_bind_param::<Array<Nullable<Text>>, _>(cells)?;
        }
        out.push_sql(
            ") AS page (address, client_secret, registration_access_token) \
             WHERE row.ctid = page.address",
        );
        Ok(())
    }
}
