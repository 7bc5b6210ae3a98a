//! The search of a table for tokens in columns that are not known.

use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};

use super::catalogue::FoundColumn;
use crate::sql::quoted;

/// Those of some columns of one table that hold a token; none if the table can't
/// be searched, for its row security, its columns' types, or whatever else the
/// server objects to. The transaction goes on either way.
pub(super) async fn holding_tokens(
    mut connection: &AsyncPgConnection,
    columns: &[&FoundColumn],
) -> QueryResult<Option<Vec<String>>> {
    connection.batch_execute("SAVEPOINT search").await?;
    let holding = search(connection, columns).await;
    if holding.is_err() {
        connection
            .batch_execute("ROLLBACK TO SAVEPOINT search")
            .await?;
    }
    connection.batch_execute("RELEASE SAVEPOINT search").await?;
    Ok(holding.ok())
}

async fn search(
    connection: &AsyncPgConnection,
    columns: &[&FoundColumn],
) -> QueryResult<Vec<String>> {
    let mut holding = Vec::new();
    // One read of the table shows for nearly all tables that no column does.
    if any_holds_token(connection, columns).await? {
        for column in columns {
            if any_holds_token(connection, &[column]).await? {
                holding.push(column.column_name.clone());
            }
        }
    }
    Ok(holding)
}

async fn any_holds_token(
    mut connection: &AsyncPgConnection,
    columns: &[&FoundColumn],
) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct Holding {
        #[diesel(sql_type = Bool)]
        holds_token: bool,
    }
    // `[&T]::first` would be diesel's.
    let Some(first) = columns.iter().next() else {
        return Ok(false);
    };
    // The prefix is the version byte and the upper bytes of any time from 1970
    // to 2242; 100 characters are the shortest token.
    let test = |column: &&FoundColumn| {
        let column = format!("{}::text COLLATE \"C\"", quoted(&column.column_name));
        format!(
            "({column} LIKE 'gAAAA%' AND length({column}) >= 100 \
             AND {column} ~ '^[A-Za-z0-9_=-]+$')"
        )
    };
    let tests: Vec<String> = columns.iter().map(test).collect();
    let query = format!(
        "SELECT EXISTS (SELECT FROM {}.{} WHERE {}) AS holds_token",
        quoted(&first.schema_name),
        quoted(&first.table_name),
        tests.join(" OR "),
    );
    let found: Holding = diesel::sql_query(query).get_result(&mut connection).await?;
    Ok(found.holds_token)
}
