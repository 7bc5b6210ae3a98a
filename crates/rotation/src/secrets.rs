//! The five secrets of the service, and which service reads which.

/// A secret of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Secret {
    /// What its rotation is called.
    pub name: &'static str,
    /// What the store calls it, unless an installation renames it.
    pub store_name: &'static str,
    /// The environment variable in which the service reads it.
    pub variable: &'static str,
    /// The environment variable that renames it in the store, if there is one.
    pub store_name_variable: Option<&'static str>,
    /// The services that read it.
    pub readers: &'static [Role],
}

/// What a service is for: an installation may call it anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The agent.
    Agent,
    /// The handler of marketplace events and client registrations.
    Handler,
}

/// Every secret that can be rotated, by tier.
pub const SECRETS: [Secret; 5] = [
    RED_HAT_SSO_CLIENT_SECRET,
    GMA_CLIENT_SECRET,
    DATABASE_URL,
    SESSION_DATABASE_URL,
    DCR_ENCRYPTION_KEY,
];

/// What the services prove themselves with to Red Hat SSO.
pub const RED_HAT_SSO_CLIENT_SECRET: Secret = Secret {
    name: "red-hat-sso-client-secret",
    store_name: "redhat-sso-client-secret",
    variable: "RED_HAT_SSO_CLIENT_SECRET",
    store_name_variable: None,
    readers: &[Role::Agent, Role::Handler],
};

/// What the handler proves itself with to GMA.
pub const GMA_CLIENT_SECRET: Secret = Secret {
    name: "gma-client-secret",
    store_name: "gma-client-secret",
    variable: "GMA_CLIENT_SECRET",
    store_name_variable: None,
    readers: &[Role::Handler],
};

/// The database of both services.
pub const DATABASE_URL: Secret = Secret {
    name: "database-url",
    store_name: "database-url",
    variable: "DATABASE_URL",
    store_name_variable: Some("DATABASE_URL_SECRET"),
    readers: &[Role::Agent, Role::Handler],
};

/// The database of the agent's sessions.
pub const SESSION_DATABASE_URL: Secret = Secret {
    name: "session-database-url",
    store_name: "session-database-url",
    variable: "SESSION_DATABASE_URL",
    store_name_variable: Some("SESSION_DATABASE_URL_SECRET"),
    readers: &[Role::Agent],
};

/// The key of the tokens in `dcr_clients`.
pub const DCR_ENCRYPTION_KEY: Secret = Secret {
    name: "dcr-encryption-key",
    store_name: "dcr-encryption-key",
    variable: "DCR_ENCRYPTION_KEY",
    store_name_variable: Some("DCR_ENCRYPTION_KEY_SECRET"),
    readers: &[Role::Handler],
};

impl Secret {
    /// The secret of this name: its rotation's, its variable's, or the store's default.
    pub fn named(name: &str) -> Option<Secret> {
        let is_named =
            |secret: &Secret| [secret.name, secret.variable, secret.store_name].contains(&name);
        SECRETS.into_iter().find(is_named)
    }
}

impl Role {
    /// The service's default name.
    pub fn default_service(self) -> &'static str {
        match self {
            Role::Agent => "lightspeed-agent",
            Role::Handler => "marketplace-handler",
        }
    }

    /// The environment variable that renames the service.
    pub fn name_variable(self) -> &'static str {
        match self {
            Role::Agent => "SERVICE_NAME",
            Role::Handler => "HANDLER_SERVICE_NAME",
        }
    }
}
