//! Whether the database and the key in use would let a rotation begin.

use platform::Platform;
use reencrypt::Plan;

use super::database::Database;
use super::stored_keys::key_in_use;
use super::tokens::Tokens;
use crate::context::Store;
use crate::error::Error;

/// What was found out of a database.
#[derive(Debug)]
pub struct Examined {
    /// Whether the table can be re-encrypted.
    pub table: Result<Plan, Error>,
    /// What the key in use opens; none where the table could not be looked at.
    pub tokens: Option<Result<Tokens, Error>>,
}

/// Connects to the database as a run does, checks its table, and opens every token
/// with the key that a service reads now. Changes nothing.
pub async fn examine(
    platform: &Platform,
    store: &Store,
    service: &str,
    database: &mut Database,
) -> Examined {
    let table = database.check().await;
    let tokens = match &table {
        Ok(_) => Some(tokens(platform, store, service, database).await),
        Err(_) => None,
    };
    Examined { table, tokens }
}

async fn tokens(
    platform: &Platform,
    store: &Store,
    service: &str,
    database: &mut Database,
) -> Result<Tokens, Error> {
    let key = key_in_use(platform, store, service).await?;
    database.count(&key, None).await
}
