//! The rotation of the login to the database of the agent's sessions (tier 2).

use crate::Plan;
use crate::database_login::{self, Parameters};
use crate::secrets::{DATABASE_URL, SESSION_DATABASE_URL, Secret};

/// The secret.
pub const SECRET: Secret = SESSION_DATABASE_URL;

/// The secret that may name a role of the same server.
pub const NEIGHBOUR: Secret = DATABASE_URL;

/// The rotation, step by step.
pub fn plan(parameters: Parameters) -> Plan {
    database_login::plan(SECRET.name, parameters)
}
