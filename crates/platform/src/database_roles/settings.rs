//! The settings that a role's sessions begin with, such as a search path.

use postgres_protocol::escape::escape_identifier;

use super::error::RolesError;
use super::session::Session;

/// What `$1`'s sessions in this database begin with and those of `$2` don't, without
/// what only a superuser may set.
const DIFFERENCES: &str = "
    WITH setting AS (
        SELECT rolname, setdatabase <> 0 AS here, split_part(entry, '=', 1) AS name,
            substr(entry, strpos(entry, '=') + 1) AS value
        FROM pg_db_role_setting JOIN pg_roles ON pg_roles.oid = setrole,
            unnest(setconfig) AS entry
        WHERE setdatabase IN (
            0, (SELECT oid FROM pg_database WHERE datname = current_database())))
    SELECT here, name, value, current_database()::text FROM setting
    WHERE rolname = $1 AND NOT name IN (SELECT name FROM pg_settings WHERE context = 'superuser')
    AND NOT EXISTS (
        SELECT FROM setting AS other WHERE other.rolname = $2 AND other.here = setting.here
            AND other.name = setting.name AND other.value = setting.value)
    ORDER BY here, name";

/// Gives the session's own role the settings of `like`. To be called within a
/// transaction.
pub(super) async fn copy(session: &Session, like: &str) -> Result<(), RolesError> {
    let operation = "copy a role's settings";
    let own = session.user();
    let rows = session
        .query(operation, DIFFERENCES, &[&like, &own])
        .await?;
    for row in rows {
        let here: bool = session.column(operation, &row, 0)?;
        let name: &str = session.column(operation, &row, 1)?;
        let value: &str = session.column(operation, &row, 2)?;
        let database: &str = session.column(operation, &row, 3)?;
        // By way of the session, for a list such as a search path has to be written
        // otherwise in a statement than it is kept in the catalogue.
        let set = "SELECT set_config($1, $2, true)";
        session.query(operation, set, &[&name, &value]).await?;
        let scope = if here {
            format!(" IN DATABASE {}", escape_identifier(database))
        } else {
            String::new()
        };
        let name: Vec<String> = name.split('.').map(escape_identifier).collect();
        let keep = format!(
            "ALTER ROLE {}{scope} SET {} FROM CURRENT",
            escape_identifier(own),
            name.join(".")
        );
        session.execute(operation, &keep).await?;
    }
    Ok(())
}
