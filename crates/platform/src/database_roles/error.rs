//! What can go wrong with roles, each with its advice.

use std::time::Duration;

use connection::DatabaseMessage;
use secret::LoginError;

/// Why a database server's roles could not be worked on.
///
/// No message holds a password or a verifier.
#[derive(Debug, thiserror::Error)]
pub enum RolesError {
    /// No connection, or a login that had to work was refused.
    #[error(transparent)]
    Connection(#[from] connection::Error),
    /// The URL has no login to work with.
    #[error(transparent)]
    Url(#[from] LoginError),
    /// The server lets nobody in as this role, whatever the password.
    #[error("`{server}` lets nobody in from here as `{user}`, whatever the password")]
    NotLetIn {
        /// Host and port, or socket.
        server: String,
        /// The role.
        user: String,
        /// What the server said.
        source: DatabaseMessage,
    },
    /// The server lets anybody in.
    #[error("`{server}` lets `{user}` in without a password, so that a login proves nothing")]
    NoPasswordAsked {
        /// Host and port, or socket.
        server: String,
        /// The role.
        user: String,
    },
    /// The two URLs lead to different databases.
    #[error("the URLs of `{first}` and `{second}` lead to different databases")]
    DifferentDatabases {
        /// The role in use.
        first: String,
        /// The other one.
        second: String,
    },
    /// A role can't take turns with itself, nor drop itself.
    #[error("the role `{role}` is the one in use")]
    OwnRole {
        /// The role.
        role: String,
    },
    /// Postgres would cut the name short, and mean another role.
    #[error("the role name `{role}` has more than {limit} bytes")]
    NameTooLong {
        /// The role.
        role: String,
        /// The longest that the server keeps.
        limit: usize,
    },
    /// The role in use may not make the other one.
    #[error("the role `{user}` may not create the role `{role}`")]
    MayNotCreateRoles {
        /// The role in use.
        user: String,
        /// The role that isn't there.
        role: String,
    },
    /// The role is there, and nobody at hand has a say over it.
    #[error(
        "the role `{role}` exists, `{user}` may not change it, and it has another password \
         than a rotation gave it"
    )]
    NotOurs {
        /// The role in use.
        user: String,
        /// The other one.
        role: String,
        /// What the server said.
        source: DatabaseMessage,
    },
    /// The role is there with a password of somebody else's, and somebody uses it.
    #[error("the role `{role}` is not idle: it has {count} sessions, and a password of its own")]
    NotIdle {
        /// The role.
        role: String,
        /// How many sessions.
        count: u32,
    },
    /// The role is there with a password of somebody else's, and nothing shows that it is ours.
    #[error(
        "the role `{role}` exists, has another password than a rotation gave it, and nothing \
         shows that it takes turns with `{user}`"
    )]
    SomebodyElses {
        /// The role in use.
        user: String,
        /// The other one.
        role: String,
    },
    /// The server took the password, and refuses it.
    #[error("the server took the new password of `{role}`, and refuses a login with it")]
    NotTaken {
        /// The role.
        role: String,
        /// What the server said.
        source: DatabaseMessage,
    },
    /// Sessions that were told to end.
    #[error("{count} sessions of `{role}` did not end within {} s", .limit.as_secs())]
    StillLoggedIn {
        /// The role.
        role: String,
        /// How many.
        count: u32,
        /// How long was waited.
        limit: Duration,
    },
    /// A statement took longer than it may.
    #[error("`{server}` did not {operation} within {} s", .limit.as_secs())]
    Timeout {
        /// Host and port, or socket.
        server: String,
        /// What was tried.
        operation: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// The server said no.
    #[error("`{server}`, asked by `{user}`, failed to {operation}")]
    Statement {
        /// Host and port, or socket.
        server: String,
        /// The role that asked.
        user: String,
        /// What was tried.
        operation: &'static str,
        /// What the server said.
        source: DatabaseMessage,
        /// Whether the role that asked lacks a privilege for it.
        denied: bool,
    },
}

impl RolesError {
    /// What to do about it, where that isn't plain from the message.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            RolesError::Connection(error) => return error.hint().map(str::to_owned),
            RolesError::Url(error) => return error.hint().map(str::to_owned),
            RolesError::NotLetIn { .. } => {
                "look at the lines of the server's pg_hba.conf that name roles or databases; is the role \
                 there, and may it log in?"
            }
            RolesError::NoPasswordAsked { .. } => {
                "go there by the way that the service goes, or set `scram-sha-256` in pg_hba.conf"
            }
            RolesError::MayNotCreateRoles { user, .. } => {
                return Some(format!(
                    "let an administrator run `ALTER ROLE {} CREATEROLE`, or rotate in place",
                    quoted(user)
                ));
            }
            RolesError::NotOurs { user, role, .. } => {
                return Some(format!(
                    "let an administrator run {}; or give the role the password of the staged URL, on \
                     Cloud SQL with `gcloud sql users set-password '{role}' --prompt-for-password \
                     --instance=…`",
                    to_be_ours(user, role)
                ));
            }
            RolesError::SomebodyElses { user, role } => {
                return Some(format!(
                    "is it somebody else's? Then rename it, or rotate in place. If not, let an \
                     administrator run {}",
                    to_be_ours(user, role)
                ));
            }
            RolesError::NotIdle { .. } => {
                "is it somebody else's? Then rename it, or rotate in place; or end its sessions first"
            }
            RolesError::NotTaken { .. } => "did somebody else change it at the same time?",
            RolesError::StillLoggedIn { .. } => "try again: the server may be busy",
            RolesError::Timeout { .. } => {
                "does another session hold locks on the tables, or on the role?"
            }
            RolesError::DifferentDatabases { .. } => {
                "correct one of the URLs: host, port and database have to be the same"
            }
            RolesError::OwnRole { .. } => "name the other role: this one is needed",
            RolesError::NameTooLong { .. } => "rename the role in use, or rotate in place",
            RolesError::Statement { .. } => {
                "it is the server that says why; when that is put right, trying again is safe"
            }
        };
        Some(hint.to_owned())
    }

    /// The same in a few fixed words, for a journal.
    pub fn what(&self) -> &'static str {
        match self {
            RolesError::Connection(_) => "no login to the database",
            RolesError::Url(_) => "a database URL has no login to rotate",
            RolesError::NotLetIn { .. } => "the database lets nobody in as a role",
            RolesError::NoPasswordAsked { .. } => "the database asks for no password",
            RolesError::DifferentDatabases { .. } => "two URLs lead to different databases",
            RolesError::OwnRole { .. } => "a role is the one in use",
            RolesError::NameTooLong { .. } => "a role's name is too long",
            RolesError::MayNotCreateRoles { .. } => "the role may not create roles",
            RolesError::NotOurs { .. } => "a role can't be given another password",
            RolesError::NotIdle { .. } => "a role is not idle",
            RolesError::SomebodyElses { .. } => "a role may be somebody else's",
            RolesError::NotTaken { .. } => "a new password was refused",
            RolesError::StillLoggedIn { .. } => "sessions did not end",
            RolesError::Timeout { .. } => "the database took too long",
            RolesError::Statement { .. } => "the database refused a statement",
        }
    }

    /// Whether the role that asked lacks a privilege.
    pub(super) fn is_denied(&self) -> bool {
        matches!(self, RolesError::Statement { denied: true, .. })
    }
}

/// The statements by which a role comes to be one that takes turns. From Postgres 16 on, whoever
/// made a role is a member of it, and no two can be members of each other.
fn to_be_ours(user: &str, role: &str) -> String {
    let (user, role) = (quoted(user), quoted(role));
    format!(
        "`REVOKE {user} FROM {role}; GRANT {role} TO {user} WITH ADMIN OPTION`, and `ALTER ROLE {user} \
         CREATEROLE` if it may not make roles"
    )
}

fn quoted(role: &str) -> String {
    postgres_protocol::escape::escape_identifier(role)
}
