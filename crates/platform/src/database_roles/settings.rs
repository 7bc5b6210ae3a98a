//! The settings that a role's sessions begin with, such as a search path.

use postgres_protocol::escape::{escape_identifier, escape_literal};
use tokio_postgres::types::ToSql;

use super::Missing;
use super::error::RolesError;
use super::session::Session;

const OPERATION: &str = "compare the settings of two roles";

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
    SELECT name, value, CASE WHEN here THEN current_database()::text END FROM setting
    WHERE rolname = $1 AND NOT name IN (SELECT name FROM pg_settings WHERE context = 'superuser')
    AND NOT EXISTS (
        SELECT FROM setting AS other WHERE other.rolname = $2 AND other.here = setting.here
            AND other.name = setting.name AND other.value = setting.value)
    ORDER BY here, name";

/// Settings whose value in the catalogue is a list of quoted names, which as a literal
/// would be a single name. Those that can't be set here by anybody are left out.
const QUOTED_LISTS: [&str; 2] = ["search_path", "temp_tablespaces"];

/// Gives the session's own role the settings of `like`. To be called within a
/// transaction. What this role may not set, or can't, is left out: a look at what is
/// [`missing`] tells.
pub(super) async fn copy(session: &Session, like: &str) -> Result<(), RolesError> {
    let own = session.user();
    for setting in differences(session, like, own).await? {
        session.execute(OPERATION, "SAVEPOINT setting").await?;
        let after = match set(session, own, &setting).await {
            Ok(()) => "RELEASE SAVEPOINT setting",
            Err(RolesError::Statement { .. }) => "ROLLBACK TO SAVEPOINT setting",
            Err(error) => return Err(error),
        };
        session.execute(OPERATION, after).await?;
    }
    Ok(())
}

/// What `like`'s sessions begin with and those of `role` don't.
pub(super) async fn missing(
    session: &Session,
    like: &str,
    role: &str,
) -> Result<Vec<Missing>, RolesError> {
    let settings = differences(session, like, role).await?;
    let missing = settings.into_iter().map(|setting| Missing {
        privilege: format!("SET {}", setting.name),
        object: format!("ROLE {}", escape_identifier(role)),
    });
    Ok(missing.collect())
}

async fn set(session: &Session, role: &str, setting: &Setting) -> Result<(), RolesError> {
    let scope = match &setting.database {
        Some(database) => format!(" IN DATABASE {}", escape_identifier(database)),
        None => String::new(),
    };
    let value = if QUOTED_LISTS.contains(&setting.name.as_str()) {
        let set = "SELECT set_config($1, $2, true)";
        let parameters: [&(dyn ToSql + Sync); 2] = [&setting.name, &setting.value];
        session.query(OPERATION, set, &parameters).await?;
        "FROM CURRENT".to_owned()
    } else {
        format!("TO {}", escape_literal(&setting.value))
    };
    let name: Vec<String> = setting.name.split('.').map(escape_identifier).collect();
    let keep = format!(
        "ALTER ROLE {}{scope} SET {} {value}",
        escape_identifier(role),
        name.join(".")
    );
    session.execute(OPERATION, &keep).await
}

struct Setting {
    name: String,
    value: String,
    /// Where it holds for one database only.
    database: Option<String>,
}

async fn differences(
    session: &Session,
    one: &str,
    other: &str,
) -> Result<Vec<Setting>, RolesError> {
    let rows = session
        .query(OPERATION, DIFFERENCES, &[&one, &other])
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Setting {
                name: session.column(OPERATION, row, 0)?,
                value: session.column(OPERATION, row, 1)?,
                database: session.column(OPERATION, row, 2)?,
            })
        })
        .collect()
}
