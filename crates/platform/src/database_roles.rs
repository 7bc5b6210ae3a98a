//! The roles of a database server, as the rotation of a database URL needs them.

mod drop;
mod error;
mod login;
mod postgres;
mod privileges;
mod second;
mod session;
mod sessions;
mod settings;

use std::fmt;

use async_trait::async_trait;
pub use connection::{DatabaseMessage, Tls};
use secret::{DatabaseUrl, Password};

pub use self::error::RolesError;
pub use self::postgres::PostgresRoles;
pub use self::second::refuse_long_name;
use crate::error::Error;

/// The roles of the server that a database URL leads to.
///
/// Two roles take turns: one is in use, the other is idle or not there yet. Each can
/// do everything with its own password and nothing with the other's, for no
/// administrator is at hand. So whoever is to do something is named by a URL with
/// which one can log in.
///
/// An idle role's password is [derived](DatabaseUrl::for_idle) from the URL in use.
/// So the URL in use is all that has to be kept in order to let the idle role take
/// its turn again, and an older URL is of no use to anybody.
///
/// What every implementation keeps to:
///
/// - Each call can be repeated, also after one that was cut off at any moment: what
///   is there already is no error, and isn't changed.
/// - A password is set only from a URL that the caller holds. The server gets a
///   verifier of it, never the password itself.
/// - A refused login is an answer. Where it can't be known whether a login would be
///   accepted, that is an error; so it is where the server asks for no password,
///   since any login would prove nothing.
/// - Nothing waits without end, for a lock or for an answer.
/// - An error tells nothing of a password.
#[async_trait(?Send)]
pub trait DatabaseRoles {
    /// Logs in, and compares what the role may do with what `like` may do, the role
    /// in use. Changes nothing.
    ///
    /// # Errors
    ///
    /// When it can't be known whether the login would be accepted.
    async fn log_in(&self, url: &DatabaseUrl, like: Option<&str>) -> Result<Login, Error>;

    /// What is known of a role; none where there is no such role. Changes nothing.
    ///
    /// # Errors
    ///
    /// When `as_` can't log in.
    async fn role(&self, as_: &DatabaseUrl, role: &str) -> Result<Option<Role>, Error>;

    /// What [`prepare_second`](DatabaseRoles::prepare_second) can't give a role that is to take
    /// over from that of `in_use`: what the role in use has and may not grant. Changes nothing.
    ///
    /// # Errors
    ///
    /// What the preparation would fail at, as far as that can be seen: the server lets nobody in
    /// as that role, or the role may be somebody else's.
    async fn check_second(&self, in_use: &DatabaseUrl, role: &str) -> Result<Vec<Missing>, Error>;

    /// Makes the role of `candidate` ready to take over from that of `in_use`: makes it
    /// if it isn't there, lets it log in with `candidate`'s password, and sees to it
    /// that each of the two can use what the other has and will make in this database.
    ///
    /// Sessions that the role may have stay.
    ///
    /// # Errors
    ///
    /// [`RolesError::MayNotCreateRoles`], before anything is changed;
    /// [`RolesError::NotOurs`], where the role is there and neither it nor the role in
    /// use can give it another password; [`RolesError::NotIdle`], where the role in use
    /// could, but somebody is logged in as that role; [`RolesError::SomebodyElses`], where
    /// nothing shows that the role takes turns with the one in use.
    async fn prepare_second(
        &self,
        in_use: &DatabaseUrl,
        candidate: &DatabaseUrl,
    ) -> Result<Prepared, Error>;

    /// Gives the role of `as_` another password; says whether it had another one
    /// before. It is enough for a repetition that the role logs in with either.
    ///
    /// # Errors
    ///
    /// When neither password is accepted.
    async fn set_password(&self, as_: &DatabaseUrl, password: &Password) -> Result<bool, Error>;

    /// How many sessions a role has, the one that asks apart. Changes nothing.
    ///
    /// # Errors
    ///
    /// When `as_` can't log in.
    async fn sessions(&self, as_: &DatabaseUrl, role: &str) -> Result<Sessions, Error>;

    /// Ends all sessions of the role of `as_`, in any database, its own apart. Says how
    /// many there were, and returns once they are gone.
    ///
    /// # Errors
    ///
    /// When `as_` can't log in, or a session doesn't end.
    async fn end_sessions(&self, as_: &DatabaseUrl) -> Result<u32, Error>;

    /// Removes a role that a run has made, by the role in use, which gets what it owns.
    /// Nobody can log in as it from the first moment on, and its sessions are ended.
    ///
    /// # Errors
    ///
    /// [`RolesError::OwnRole`] for the role in use itself; [`RolesError::NotOurs`] where
    /// the role in use has no say over it; when the role owns something in another
    /// database.
    async fn drop_second(&self, in_use: &DatabaseUrl, role: &str) -> Result<(), Error>;
}

/// The answer to a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// It was accepted.
    Accepted(Accepted),
    /// Wrong password, no such role, or a role that may not log in.
    Refused(DatabaseMessage),
}

/// What is known after a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The major version of the server, such as 15.
    pub server_major: u32,
    /// What the other role may do and this one may not.
    pub missing: Vec<Missing>,
}

/// A privilege that a role lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Which one: `SELECT`.
    pub privilege: String,
    /// On what: `TABLE public.dcr_clients`.
    pub object: String,
}

/// `SELECT on TABLE public.dcr_clients`.
impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.privilege, self.object)
    }
}

/// What a server tells of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Whether it may log in, given its password.
    pub can_login: bool,
    /// Whether it may make other roles.
    pub may_create_roles: bool,
    /// Whether it may do everything.
    pub is_superuser: bool,
    /// What limits its logins, such as `CONNECTION LIMIT 20 VALID UNTIL '2030-01-01'`; empty
    /// where nothing does.
    pub limits: String,
}

/// What [`prepare_second`](DatabaseRoles::prepare_second) found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prepared {
    /// There was no such role.
    Made,
    /// The role had another password.
    Repassworded,
    /// The role had that password already.
    WasThere,
}

/// How many sessions a role has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sessions {
    /// In the database that was asked.
    pub here: u32,
    /// In other databases of the server, where another URL's service may be at work.
    pub elsewhere: u32,
}

/// The name of the role that takes turns with `role`: with `_b` at its end, or without.
pub fn other_role(role: &str) -> String {
    match role.strip_suffix("_b") {
        Some(first) if !first.is_empty() => first.to_owned(),
        _ => format!("{role}_b"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_roles_take_turns() {
        for (one, other) in [("insights", "insights_b"), ("_b", "_b_b"), ("b", "b_b")] {
            assert_eq!(other_role(one), other);
            assert_eq!(other_role(other), one);
        }
    }
}
