//! The rotation of what the handler proves itself with to GMA (tier 1).
//!
//! Like that of Red Hat SSO, but for another client, whose right to the scope of GMA
//! is tested as well.

use platform::Proof;
use runbook::About;

use crate::Plan;
use crate::client_secret::{self, ClientId, OBTAIN, Parameters};
use crate::secrets::{GMA_CLIENT_SECRET, Secret};

/// The secret.
pub const SECRET: Secret = GMA_CLIENT_SECRET;

/// Where the id of its client stands.
pub const CLIENT_ID: ClientId = ClientId {
    store_name: "gma-client-id",
    variable: "GMA_CLIENT_ID",
};

/// How the value is tested: with a token for what the handler does there.
pub fn proof() -> Proof {
    Proof::ClientCredentials {
        scope: "api.iam.clients.gma".to_owned(),
    }
}

const ASK: About = About {
    told: Some("`gma` of the contacts in the settings: they issue the value"),
    ..OBTAIN
};

/// The rotation, step by step.
pub fn plan(parameters: Parameters) -> Plan {
    client_secret::plan(SECRET.name, &ASK, parameters)
}
