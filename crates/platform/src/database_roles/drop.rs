//! Removing a role that a run has made, and ending sessions.

use std::time::Duration;

use connection::Tls;
use postgres_protocol::escape::escape_identifier;
use secret::DatabaseUrl;
use tokio::time::Instant;

use super::Sessions;
use super::error::RolesError;
use super::login::log_in;
use super::second::{find, not_ours};
use super::session::Session;

/// How long a session may take to end. It rolls back its transaction first.
const END_WITHIN: Duration = Duration::from_secs(20);

const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

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
    end(&session, role).await?;
    // What is left to drop is what was granted to it.
    let drop = format!(
        "REASSIGN OWNED BY {role_name} TO {own_name}; DROP OWNED BY {role_name}; \
         DROP ROLE {role_name}"
    );
    session.execute_together("drop a role", &drop).await
}

/// See [`DatabaseRoles::end_sessions`](super::DatabaseRoles::end_sessions).
pub(super) async fn end_sessions(as_: &DatabaseUrl, tls: Tls) -> Result<u32, RolesError> {
    let session = log_in(as_, tls).await?;
    end(&session, session.user()).await
}

/// See [`DatabaseRoles::sessions`](super::DatabaseRoles::sessions).
pub(super) async fn sessions(
    as_: &DatabaseUrl,
    role: &str,
    tls: Tls,
) -> Result<Sessions, RolesError> {
    let operation = "count sessions";
    let session = log_in(as_, tls).await?;
    let query = "
        SELECT count(*) FILTER (WHERE datname = current_database()), count(*)
        FROM pg_stat_activity WHERE usename = $1 AND pid <> pg_backend_pid()";
    let rows = session.query(operation, query, &[&role]).await?;
    let mut counts = Sessions {
        here: 0,
        elsewhere: 0,
    };
    if let Some(row) = rows.first() {
        let (here, all): (i64, i64) = (
            session.column(operation, row, 0)?,
            session.column(operation, row, 1)?,
        );
        counts.here = counted(here);
        counts.elsewhere = counted(all - here);
    }
    Ok(counts)
}

async fn end(session: &Session, role: &str) -> Result<u32, RolesError> {
    let operation = "end sessions";
    let query = "
        SELECT pid FROM pg_stat_activity
        WHERE usename = $1 AND pid <> pg_backend_pid() AND pg_terminate_backend(pid)";
    let rows = session.query(operation, query, &[&role]).await?;
    let ended: Vec<i32> = rows
        .iter()
        .map(|row| session.column(operation, row, 0))
        .collect::<Result<_, _>>()?;
    let give_up = Instant::now() + END_WITHIN;
    loop {
        let query = "SELECT count(*) FROM pg_stat_activity WHERE usename = $1 AND pid = ANY ($2)";
        let rows = session.query(operation, query, &[&role, &ended]).await?;
        let left = match rows.first() {
            Some(row) => counted(session.column(operation, row, 0)?),
            None => 0,
        };
        if left == 0 {
            return Ok(u32::try_from(ended.len()).unwrap_or(u32::MAX));
        }
        if Instant::now() > give_up {
            return Err(RolesError::StillLoggedIn {
                role: role.to_owned(),
                count: left,
                limit: END_WITHIN,
            });
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

/// A server's count, which is never negative.
fn counted(count: i64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
