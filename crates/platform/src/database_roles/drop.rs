//! Removing a role that a run has made.

use connection::Tls;
use postgres_protocol::escape::escape_identifier;
use secret::DatabaseUrl;

use super::error::RolesError;
use super::login::log_in;
use super::second::{find, not_ours};
use super::sessions;

/// See [`DatabaseRoles::drop_second`](super::DatabaseRoles::drop_second).
pub(super) async fn drop_second(
    in_use: &DatabaseUrl,
    role: &str,
    tls: Tls,
) -> Result<(), RolesError> {
    let session = log_in(in_use, tls).await?;
    if role == session.user() {
        return Err(RolesError::OwnRole {
            role: role.to_owned(),
        });
    }
    if find(&session, role).await?.is_none() {
        return Ok(());
    }
    let (role_name, own_name) = (escape_identifier(role), escape_identifier(session.user()));
    // A member of the role may end its sessions, and take over what it owns. The
    // membership goes with the role.
    let shut = format!("ALTER ROLE {role_name} NOLOGIN; GRANT {role_name} TO {own_name}");
    session
        .execute_together("shut a role out", &shut)
        .await
        .map_err(|error| not_ours(error, role))?;
    sessions::end(&session, role).await?;
    // What is left to drop is what was granted to it.
    let drop = format!(
        "REASSIGN OWNED BY {role_name} TO {own_name}; DROP OWNED BY {role_name}; \
         DROP ROLE {role_name}"
    );
    session.execute_together("drop a role", &drop).await
}
