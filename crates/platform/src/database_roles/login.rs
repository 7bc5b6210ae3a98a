//! Whether a login is accepted, and its password at that.

use connection::{Connector, DatabaseMessage, Tls};
use secret::{DatabaseTarget, DatabaseUrl, LoginError, PostgresTarget};

use super::error::RolesError;
use super::session::Session;

/// What the server shows beside a session of this program.
pub(super) const APPLICATION_NAME: &str = "cargo xtask rotate-secret";

/// The answer to a login that need not work.
pub(super) enum Attempt {
    /// Somebody is in.
    In(Session),
    /// Wrong password, no such role, or a role that may not log in.
    Refused(DatabaseMessage),
}

/// Logs in with a URL that has to work.
pub(super) async fn log_in(url: &DatabaseUrl, tls: Tls) -> Result<Session, RolesError> {
    let connector = Connector::new(target(url)?, tls, APPLICATION_NAME)?;
    Ok(Session::open(&connector).await?)
}

/// Tries to log in, and makes sure that it is the password that decides.
pub(super) async fn try_log_in(url: &DatabaseUrl, tls: Tls) -> Result<Attempt, RolesError> {
    // An empty password would not be sent at all.
    url.password()?;
    let target = target(url)?;
    demand_a_password(target, tls).await?;
    let connector = Connector::new(target, tls, APPLICATION_NAME)?;
    match Session::open(&connector).await {
        Ok(session) => Ok(Attempt::In(session)),
        Err(connection::Error::Login { source, .. }) => Ok(Attempt::Refused(source)),
        Err(error) => Err(error.into()),
    }
}

/// Makes sure that the server asks this role for a password. Where it trusts everybody
/// who comes this way, a wrong password would pass for the right one; where it lets
/// nobody in who comes this way, the right one would pass for a wrong one.
///
/// The server closes such a connection without a line in its log.
async fn demand_a_password(target: &PostgresTarget, tls: Tls) -> Result<(), RolesError> {
    let target = PostgresTarget {
        password: None,
        ..target.clone()
    };
    let connector = Connector::new(&target, tls, APPLICATION_NAME)?;
    match Session::open(&connector).await {
        Err(connection::Error::NoPassword { .. }) => Ok(()),
        Err(connection::Error::Login { source, .. }) => Err(RolesError::NotLetIn {
            server: connector.server().to_owned(),
            user: target.user,
            source,
        }),
        Err(error) => Err(error.into()),
        Ok(_) => Err(RolesError::NoPasswordAsked {
            server: connector.server().to_owned(),
            user: target.user,
        }),
    }
}

fn target(url: &DatabaseUrl) -> Result<&PostgresTarget, LoginError> {
    match url.target() {
        DatabaseTarget::Postgres(target) => Ok(target),
        DatabaseTarget::Sqlite(_) => Err(LoginError::NoServer),
    }
}
