//! The rotation of what both services prove themselves with to Red Hat SSO (tier 1).
//!
//! Another team issues the new value. It is tested at the issuer before anything
//! changes, and once more when it serves. Nobody is without service meanwhile.

use platform::Proof;
use runbook::About;

use crate::Plan;
use crate::client_secret::{self, ClientId, OBTAIN, Parameters};
use crate::secrets::{RED_HAT_SSO_CLIENT_SECRET, Secret};

/// The secret.
pub const SECRET: Secret = RED_HAT_SSO_CLIENT_SECRET;

/// Where the id of its client stands.
pub const CLIENT_ID: ClientId = ClientId {
    store_name: "redhat-sso-client-id",
    variable: "RED_HAT_SSO_CLIENT_ID",
};

/// How the value is tested: any client may ask about a token.
pub const PROOF: Proof = Proof::Introspection;

const ASK: About = About {
    told: Some("`red_hat_sso` of the contacts in the settings: they issue the value"),
    ..OBTAIN
};

/// The rotation, step by step.
pub fn plan(parameters: Parameters) -> Plan {
    client_secret::plan(SECRET.name, &ASK, parameters)
}
