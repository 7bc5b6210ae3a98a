//! SQL of the tests' own for the service's tables on Postgres.
use anyhow::Result;
use integration_tests::TestDatabase;

use super::Row;

/// Inserts rows in one statement.
pub(super) async fn insert(database: &TestDatabase, rows: &[Row]) -> Result<()> {
    let insert = "insert into dcr_clients (order_id, client_id, client_secret_encrypted,
            registration_access_token_encrypted, account_id, redirect_uris, grant_types, metadata)
        select order_id, 'client of ' || order_id, client_secret, registration_access_token, 'account-é',
            array['https://example.com/a b', 'x', null], array['authorization_code'], '{\"name\":  \"it''s\"}'
        from unnest($1::text[], $2::text[], $3::text[])
            as row (order_id, client_secret, registration_access_token)";
    let order_ids: Vec<&str> = rows.iter().map(|row| row.order_id.as_str()).collect();
    let secrets: Vec<&str> = rows.iter().map(|row| row.client_secret.as_str()).collect();
    let registrations: Vec<Option<&str>> = rows
        .iter()
        .map(|row| row.registration_access_token.as_deref())
        .collect();
    let client = database.connect().await;
    client
        .execute(insert, &[&order_ids, &secrets, &registrations])
        .await?;
    Ok(())
}

/// Every row, of the table that the search path leads to.
pub(super) async fn rows(database: &TestDatabase) -> Result<Vec<Row>> {
    let query = "select order_id, client_secret_encrypted, registration_access_token_encrypted,
            row(client_id, account_id, redirect_uris, grant_types, keycloak_client_uuid, created_at, metadata)::text
        from dcr_clients";
    let found = database.connect().await.query(query, &[]).await?;
    let row = |found: tokio_postgres::Row| Row {
        order_id: found.get(0),
        client_secret: found.get(1),
        registration_access_token: found.get(2),
        others: found.get(3),
    };
    Ok(found.into_iter().map(row).collect())
}

/// Each row of each table with its version (`xmin`) and its place (`ctid`), both of
/// which a write changes even where it writes the same values.
pub(super) async fn footprint(database: &TestDatabase) -> Result<Vec<u8>> {
    let tables = "select format('%I.%I', schemaname, tablename) from pg_tables
        where schemaname not in ('pg_catalog', 'information_schema') order by 1";
    let client = database.connect().await;
    let mut footprint = String::new();
    for table in client.query(tables, &[]).await? {
        let table: String = table.get(0);
        let rows = format!(
            "select coalesce(string_agg(format('%s %s %s', t.xmin, t.ctid, t::text), '/' order by t.ctid), '')
             from {table} as t"
        );
        let rows: String = client.query_one(&rows, &[]).await?.get(0);
        footprint.push_str(&format!("{table}: {rows}\n"));
    }
    Ok(footprint.into_bytes())
}
