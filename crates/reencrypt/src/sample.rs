//! Made-up clients, for the demonstration, the benchmark and the tests.

mod service;

use std::path::Path;

use connection::DatabaseMessage;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use fernet::Fernet;
use secret::FernetKey;

pub use self::service::StandIn;
use crate::driver_message::driver_message;
use crate::error::Error;
use crate::keyring::cipher;

/// A client as the service would register it, with the secrets of nobody.
#[derive(Clone, Debug)]
pub struct SampleClient {
    /// The primary key.
    pub order_id: String,
    /// Unique.
    pub client_id: String,
    /// A token over 32 to 64 characters.
    pub client_secret_encrypted: String,
    /// A token over 900 characters, in three rows of ten.
    pub registration_access_token_encrypted: Option<String>,
    /// One account for ten clients.
    pub account_id: String,
}

/// So many made-up clients, under one key. The same number gives the same
/// clients with the same plaintexts and issue times; only the tokens' random
/// vectors differ.
pub fn clients(count: u64, key: &FernetKey) -> impl Iterator<Item = SampleClient> {
    encrypted_by(cipher(key), count)
}

fn encrypted_by(cipher: Fernet, count: u64) -> impl Iterator<Item = SampleClient> {
    (0..count).map(move |number| {
        let token = |plaintext: String| {
            cipher.encrypt_at_time(plaintext.as_bytes(), FIRST_ISSUE_TIME + number)
        };
        SampleClient {
            order_id: format!("order-{number:07}"),
            client_id: format!("client-{number:07}"),
            client_secret_encrypted: token(client_secret(number)),
            registration_access_token_encrypted: (number % 10 < 3)
                .then(|| token(registration_access_token(number))),
            account_id: format!("account-{:06}", number / 10),
        }
    })
}

/// The plaintext of a made-up client's secret.
pub fn client_secret(number: u64) -> String {
    let length = 32 + usize::try_from(number % 33).unwrap_or_default();
    format!("made-up-secret-{number:07}-")
        .chars()
        .chain(std::iter::repeat('x'))
        .take(length)
        .collect()
}

/// The plaintext of a made-up client's registration access token.
pub fn registration_access_token(number: u64) -> String {
    format!("made-up-registration-{number:07}-")
        .chars()
        .chain(std::iter::repeat('y'))
        .take(900)
        .collect()
}

/// In May 2024, a second apart.
const FIRST_ISSUE_TIME: u64 = 1_715_000_000;

/// The service's own tables, as it makes them on SQLite.
pub const SQLITE_SCHEMA: &str = include_str!("sample/schema.sqlite.sql");

/// Makes an SQLite file with the service's tables and so many made-up clients.
///
/// # Errors
///
/// [`Error::Statement`], also where the file holds such tables already.
pub async fn create_sqlite(path: &Path, count: u64, key: &FernetKey) -> Result<(), Error> {
    let path = path.display().to_string();
    let cipher = cipher(key);
    tokio::task::spawn_blocking(move || fill(&path, count, cipher))
        .await
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
        .map_err(|source| Error::Statement {
            operation: "make the sample database",
            source,
        })
}

fn fill(path: &str, count: u64, cipher: Fernet) -> Result<(), DatabaseMessage> {
    let mut connection = SqliteConnection::establish(path)
        .map_err(|error| DatabaseMessage::new(&error.to_string()))?;
    connection
        .transaction(|connection| {
            connection.batch_execute(SQLITE_SCHEMA)?;
            encrypted_by(cipher, count).try_for_each(|client| insert(connection, &client))
        })
        .map_err(|error: diesel::result::Error| driver_message(&error))
}

fn insert(connection: &mut SqliteConnection, client: &SampleClient) -> QueryResult<()> {
    diesel::sql_query(
        "INSERT INTO dcr_clients (order_id, client_id, client_secret_encrypted, \
         registration_access_token_encrypted, account_id, redirect_uris, grant_types, metadata) \
         VALUES (?, ?, ?, ?, ?, '[\"https://example.com/callback\"]', '[\"authorization_code\"]', '{}')",
    )
    .bind::<Text, _>(&client.order_id)
    .bind::<Text, _>(&client.client_id)
    .bind::<Text, _>(&client.client_secret_encrypted)
    .bind::<Nullable<Text>, _>(&client.registration_access_token_encrypted)
    .bind::<Text, _>(&client.account_id)
    .execute(connection)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What one client got in place of another's would not be seen otherwise.
    #[test]
    fn no_two_clients_have_the_same_secrets() {
        for secret in [client_secret, registration_access_token] {
            let secrets: std::collections::BTreeSet<_> = (0..100).map(secret).collect();
            assert_eq!(secrets.len(), 100);
            assert!(secrets.iter().all(|secret| secret.starts_with("made-up-")));
        }
    }
}
