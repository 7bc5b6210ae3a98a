//! Which secret a world is rotated in, and what depends on it beside the services.
mod client;
mod login;

use std::collections::BTreeSet;
use std::rc::Rc;

use rotation::{
    Containment, DATABASE_URL, DCR_ENCRYPTION_KEY, GMA_CLIENT_SECRET, Plan, Secret, client_secret,
    database_login, database_url, dcr_encryption_key, gma_client_secret, red_hat_sso_client_secret,
    session_database_url,
};

pub(super) use client::{CLIENT_ID, Issuer};
pub(super) use login::Server;

use super::seen::Beside;

/// A secret, with what proves its value.
#[derive(Clone)]
pub(super) enum Scene {
    /// The key of the clients' tokens.
    Key,
    /// The secret of an OAuth client.
    Client(Issuer),
    /// The login to a database.
    Login(Rc<Server>),
}

impl Scene {
    pub(super) fn secret(&self) -> Secret {
        match self {
            Scene::Key => DCR_ENCRYPTION_KEY,
            Scene::Client(issuer) => issuer.secret,
            Scene::Login(server) => server.secret,
        }
    }

    /// The rotation; the parameters are those of the key.
    pub(super) fn plan(&self, parameters: dcr_encryption_key::Parameters) -> Plan {
        match self {
            Scene::Key => dcr_encryption_key::plan(parameters),
            Scene::Client(issuer) => {
                let parameters = client_secret::Parameters::default();
                match issuer.secret == GMA_CLIENT_SECRET {
                    true => gma_client_secret::plan(parameters),
                    false => red_hat_sso_client_secret::plan(parameters),
                }
            }
            Scene::Login(server) => {
                let parameters = database_login::Parameters {
                    mode: server.mode,
                    containment: Containment {
                        lock_out: server.is_contained,
                        ..Containment::default()
                    },
                    ..database_login::Parameters::default()
                };
                match server.secret == DATABASE_URL {
                    true => database_url::plan(parameters),
                    false => session_database_url::plan(parameters),
                }
            }
        }
    }

    /// Whether a value is good for what it is for; a key always is.
    pub(super) async fn accepts(&self, value: &str) -> bool {
        match self {
            Scene::Key => true,
            Scene::Client(issuer) => issuer.accepts(value),
            Scene::Login(server) => server.accepts(value).await,
        }
    }

    pub(super) async fn beside(&self, values: &BTreeSet<String>) -> Beside {
        let mut beside = Beside::default();
        if let Scene::Key = self {
            return beside;
        }
        for value in values {
            if self.accepts(value).await {
                beside.accepted.insert(value.clone());
            }
        }
        if let Scene::Login(server) = self {
            beside.is_exclusive = true;
            beside.roles = server.roles().await;
        }
        beside
    }
}
