//! Who the clients are: for those whose secrets have to be issued anew.

use diesel::prelude::*;
use diesel::sql_types::Text;
use tokio_util::sync::CancellationToken;

use crate::database::{Backend, Database};
use crate::error::Error;

/// A registered client. Neither of the two is a secret.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Client {
    /// The marketplace order that it was registered for.
    #[diesel(sql_type = Text)]
    pub order_id: String,
    /// Its id.
    #[diesel(sql_type = Text)]
    pub client_id: String,
}

/// The same query in both dialects.
pub(crate) const CLIENTS: &str = "SELECT order_id, client_id FROM dcr_clients ORDER BY order_id";

/// Lists all clients, by their orders. All of them are in memory at once: some hundred
/// bytes each.
///
/// # Errors
///
/// Any of [`Error`]; [`Error::Interrupted`] when `interrupt` was cancelled.
pub async fn clients(
    database: &mut Database,
    interrupt: &CancellationToken,
) -> Result<Vec<Client>, Error> {
    let listed = interrupt.run_until_cancelled(async {
        match &mut database.backend {
            Backend::Postgres(table) => table.clients().await,
            Backend::Sqlite(table) => table.clients().await,
        }
    });
    listed.await.unwrap_or(Err(Error::Interrupted))
}
