//! A stand-in for the service: one key that it read when it started, and the table.

use std::path::Path;

use connection::DatabaseMessage;
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::Text;
use fernet::Fernet;
use secret::FernetKey;

use super::insert;
use crate::driver_message::driver_message;
use crate::error::Error;
use crate::keyring::cipher;

/// Does with a table what the service does: answers registrations of known orders
/// by opening their tokens, and registers new orders, with the one key that it has.
pub struct StandIn {
    connection: SqliteConnection,
    cipher: Fernet,
    /// Orders that were asked for.
    asked: u64,
}

#[derive(QueryableByName)]
struct Stored {
    #[diesel(sql_type = Text)]
    client_secret_encrypted: String,
}

impl StandIn {
    /// Starts with a key, on an SQLite file with made-up clients.
    ///
    /// # Errors
    ///
    /// [`Error::Statement`], where the file can't be opened.
    pub fn start(path: &Path, key: &FernetKey) -> Result<StandIn, Error> {
        let connection = SqliteConnection::establish(&path.display().to_string())
            .map_err(|error| DatabaseMessage::new(&error.to_string()))
            .and_then(|mut connection| {
                connection
                    .batch_execute("PRAGMA busy_timeout = 10000")
                    .map_err(|error| driver_message(&error))?;
                Ok(connection)
            })
            .map_err(failed)?;
        Ok(StandIn {
            connection,
            cipher: cipher(key),
            asked: 0,
        })
    }

    /// Whether the registration of a known order can be answered; another one each time.
    ///
    /// # Errors
    ///
    /// [`Error::Statement`].
    pub fn answers_known_order(&mut self) -> Result<bool, Error> {
        let order_id = format!("order-{:07}", self.asked % 1000);
        self.asked += 1;
        let stored =
            diesel::sql_query("SELECT client_secret_encrypted FROM dcr_clients WHERE order_id = ?")
                .bind::<Text, _>(order_id)
                .get_result::<Stored>(&mut self.connection)
                .map_err(|error| failed(driver_message(&error)))?;
        Ok(self.cipher.decrypt(&stored.client_secret_encrypted).is_ok())
    }

    /// Registers a new order, which must not be known yet.
    ///
    /// # Errors
    ///
    /// [`Error::Statement`].
    pub fn register(&mut self, order_id: &str) -> Result<(), Error> {
        let client = super::SampleClient {
            order_id: order_id.to_owned(),
            client_id: format!("client-of-{order_id}"),
            client_secret_encrypted: self.cipher.encrypt(b"made-up-secret-of-a-new-order"),
            registration_access_token_encrypted: None,
            account_id: "account-of-new-orders".to_owned(),
        };
        insert(&mut self.connection, &client).map_err(|error| failed(driver_message(&error)))
    }
}

fn failed(source: DatabaseMessage) -> Error {
    Error::Statement {
        operation: "stand in for the service",
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::create_sqlite;

    #[tokio::test]
    async fn it_answers_one_order_after_the_other_and_those_under_its_key_only() {
        let folder = std::env::temp_dir().join(format!("stand-in-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("clients.sqlite");
        let (key, another) = (FernetKey::generate(), FernetKey::generate());
        create_sqlite(&path, 1, &key).await.unwrap();
        let mut service = StandIn::start(&path, &key).unwrap();
        let mut other = StandIn::start(&path, &another).unwrap();
        other.register("order-0000001").unwrap();
        assert!(other.register("order-0000001").is_err(), "registered twice");
        for service_first in [true, false] {
            assert_eq!(service.answers_known_order().unwrap(), service_first);
            assert_eq!(other.answers_known_order().unwrap(), !service_first);
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
