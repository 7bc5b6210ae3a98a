//! The databases that the service itself wrote, and what is known of them.
use std::fs;
use std::path::Path;

use anyhow::Result;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use integration_tests::TestDatabase;
use serde_json::Value;
use tokio_postgres::types::ToSql;

use super::sqlite::SqliteFile;

/// What `fixtures/expected.json` says.
pub(crate) fn expected() -> Result<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/expected.json");
    Ok(serde_json::from_str(&fs::read_to_string(path)?)?)
}

#[derive(QueryableByName)]
struct Client {
    #[diesel(sql_type = Text)]
    order_id: String,
    #[diesel(sql_type = Text)]
    client_id: String,
    #[diesel(sql_type = Text)]
    client_secret_encrypted: String,
    #[diesel(sql_type = Nullable<Text>)]
    registration_access_token_encrypted: Option<String>,
    #[diesel(sql_type = Text)]
    account_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    redirect_uris: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    grant_types: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    keycloak_client_uuid: Option<String>,
    #[diesel(sql_type = Text)]
    created_at: String,
    #[diesel(sql_type = Text)]
    metadata: String,
}

/// Brings the rows of a fixture to Postgres, where two columns are arrays.
pub(super) async fn copy(file: &SqliteFile, database: &TestDatabase) -> Result<()> {
    let select = "SELECT * FROM dcr_clients";
    let clients: Vec<Client> = diesel::sql_query(select).load(&mut file.connect()?)?;
    let insert = "insert into dcr_clients (order_id, client_id, client_secret_encrypted,
            registration_access_token_encrypted, account_id, redirect_uris, grant_types,
            keycloak_client_uuid, created_at, metadata)
        values ($1, $2, $3, $4, $5,
            (select array_agg(uri) from json_array_elements_text($6::text::json) as uri),
            (select array_agg(name) from json_array_elements_text($7::text::json) as name),
            $8, $9::text::timestamptz, $10::text::json)";
    let connection = database.connect().await;
    for client in &clients {
        let values: [&(dyn ToSql + Sync); 10] = [
            &client.order_id,
            &client.client_id,
            &client.client_secret_encrypted,
            &client.registration_access_token_encrypted,
            &client.account_id,
            &client.redirect_uris,
            &client.grant_types,
            &client.keycloak_client_uuid,
            &client.created_at,
            &client.metadata,
        ];
        connection.execute(insert, &values).await?;
    }
    Ok(())
}
