//! The sessions of a role, counted and ended.

use std::time::Duration;

use connection::Tls;
use secret::DatabaseUrl;
use tokio::time::Instant;

use super::Sessions;
use super::error::RolesError;
use super::login::{APPLICATION_NAME, log_in};
use super::session::Session;

/// How long a session may take to end. It rolls back its transaction first.
const END_WITHIN: Duration = Duration::from_secs(20);

/// How long this program's own sessions may be there after it has closed them.
const CLOSED_WITHIN: Duration = Duration::from_secs(2);

const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// See [`DatabaseRoles::end_sessions`](super::DatabaseRoles::end_sessions).
pub(super) async fn end_own(as_: &DatabaseUrl, tls: Tls) -> Result<u32, RolesError> {
    let session = log_in(as_, tls).await?;
    end(&session, session.user()).await
}

/// See [`DatabaseRoles::sessions`](super::DatabaseRoles::sessions).
pub(super) async fn count(as_: &DatabaseUrl, role: &str, tls: Tls) -> Result<Sessions, RolesError> {
    let session = log_in(as_, tls).await?;
    count_by(&session, role).await
}

/// The same, by a session that is there.
pub(super) async fn count_by(session: &Session, role: &str) -> Result<Sessions, RolesError> {
    let others = others(session, role).await?;
    let here = others.iter().filter(|other| other.here).count();
    Ok(Sessions {
        here: counted(here),
        elsewhere: counted(others.len() - here),
    })
}

/// Ends the sessions of a role that the session's own role is, or is a member of. Says
/// how many there were.
pub(super) async fn end(session: &Session, role: &str) -> Result<u32, RolesError> {
    let operation = "end sessions";
    // In two statements: in one, the server might ask the sessions of others to end
    // before it looks whose they are.
    let others = others(session, role).await?;
    let mut left: Vec<i32> = others.iter().map(|other| other.process_id).collect();
    let give_up = Instant::now() + END_WITHIN;
    while !left.is_empty() {
        if Instant::now() > give_up {
            return Err(RolesError::StillLoggedIn {
                role: role.to_owned(),
                count: counted(left.len()),
                limit: END_WITHIN,
            });
        }
        let query = "SELECT pg_terminate_backend(pid) FROM unnest($1::integer[]) AS pid";
        match session.query(operation, query, &[&left]).await {
            Ok(_) => {}
            // A session that is just ending is nobody's, which the server takes for a
            // superuser's.
            Err(error) if error.is_denied() => {}
            Err(error) => return Err(error),
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
        let query = "SELECT pid FROM pg_stat_activity WHERE usename = $1 AND pid = ANY ($2)";
        let rows = session.query(operation, query, &[&role, &left]).await?;
        left.clear();
        for row in &rows {
            left.push(session.column(operation, row, 0)?);
        }
    }
    Ok(counted(others.len()))
}

struct Other {
    process_id: i32,
    /// In the same database.
    here: bool,
}

/// The role's sessions, the one that asks apart. Those that this program has just
/// closed, which the server may not know yet, are waited for.
async fn others(session: &Session, role: &str) -> Result<Vec<Other>, RolesError> {
    let operation = "list sessions";
    let query = "
        SELECT pid, datname IS NOT DISTINCT FROM current_database(), application_name = $2
        FROM pg_stat_activity WHERE usename = $1 AND pid <> pg_backend_pid()";
    let give_up = Instant::now() + CLOSED_WITHIN;
    loop {
        let rows = session
            .query(operation, query, &[&role, &APPLICATION_NAME])
            .await?;
        let mut any_of_ours = false;
        let mut others = Vec::new();
        for row in &rows {
            let is_ours: Option<bool> = session.column(operation, row, 2)?;
            any_of_ours |= is_ours.unwrap_or(false);
            others.push(Other {
                process_id: session.column(operation, row, 0)?,
                here: session.column(operation, row, 1)?,
            });
        }
        // Whoever else takes that name is counted in the end.
        if !any_of_ours || Instant::now() > give_up {
            return Ok(others);
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

fn counted(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
