//! The settings that a role's sessions begin with, such as a search path.

use postgres_protocol::escape::{escape_identifier, escape_literal};
use tokio_postgres::types::ToSql;

use super::Missing;
use super::error::RolesError;
use super::session::Session;

const OPERATION: &str = "compare the settings of two roles";

/// What `$1`'s sessions in this database begin with and those of `$2` don't, without
/// what only a superuser may set: that is none of this server's settings, as far as others see
/// them, and has no dot in its name, as one of an application's own has. `role` is shown to
/// nobody.
const DIFFERENCES: &str = "
    WITH setting AS (
        SELECT rolname, setdatabase <> 0 AS here, split_part(entry, '=', 1) AS name,
            substr(entry, strpos(entry, '=') + 1) AS value
        FROM pg_db_role_setting JOIN pg_roles ON pg_roles.oid = setrole,
            unnest(setconfig) AS entry
        WHERE setdatabase IN (
            0, (SELECT oid FROM pg_database WHERE datname = current_database())))
    SELECT name, value, CASE WHEN here THEN current_database()::text END,
        name = 'role' OR name IN (SELECT name FROM pg_settings)
    FROM setting
    WHERE rolname = $1 AND NOT name IN (SELECT name FROM pg_settings WHERE context = 'superuser')
    AND (strpos(name, '.') > 0 OR name = 'role' OR name IN (SELECT name FROM pg_settings))
    AND NOT EXISTS (
        SELECT FROM setting AS other WHERE other.rolname = $2 AND other.here = setting.here
            AND other.name = setting.name AND other.value = setting.value)
    ORDER BY here, name";

/// Settings whose value in the catalogue is a list of quoted names, which as a literal
/// would be a single name. Those that can't be set here by anybody are left out.
const QUOTED_LISTS: [&str; 2] = ["search_path", "temp_tablespaces"];

/// Gives the session's own role the settings of `like`, and no others. To be called within a
/// transaction. What this role may not set, or can't, is left out: a look at what is
/// [`missing`] tells.
pub(super) async fn copy(session: &Session, like: &str) -> Result<(), RolesError> {
    let own = session.user();
    for setting in differences(session, like, own).await? {
        attempt(session, set(session, own, &setting)).await?;
    }
    let surplus = surplus(session, like, own).await?;
    for setting in surplus.iter().filter(|setting| setting.is_known) {
        attempt(session, reset(session, own, setting)).await?;
    }
    Ok(())
}

async fn attempt(
    session: &Session,
    change: impl Future<Output = Result<(), RolesError>>,
) -> Result<(), RolesError> {
    session.execute(OPERATION, "SAVEPOINT setting").await?;
    let after = match change.await {
        Ok(()) => "RELEASE SAVEPOINT setting",
        Err(RolesError::Statement { .. }) => "ROLLBACK TO SAVEPOINT setting",
        Err(error) => return Err(error),
    };
    session.execute(OPERATION, after).await
}

/// In what the sessions of `role` begin otherwise than those of `like`.
pub(super) async fn missing(
    session: &Session,
    like: &str,
    role: &str,
) -> Result<Vec<Missing>, RolesError> {
    let missing = |what, setting| missing_setting(what, setting, role);
    let to_set = differences(session, like, role).await?;
    let to_reset = surplus(session, like, role).await?;
    let to_set = to_set.iter().map(|setting| missing("SET", setting));
    let to_reset = to_reset.iter().map(|setting| missing("RESET", setting));
    Ok(to_set.chain(to_reset).collect())
}

/// In what `role` would begin otherwise than the session's own role, and can't change that by
/// itself: settings of an application's own, which only an administrator may give a role.
pub(super) async fn unsettable(session: &Session, role: &str) -> Result<Vec<Missing>, RolesError> {
    let own = session.user();
    let to_set = differences(session, own, role).await?;
    let to_reset = surplus(session, own, role).await?;
    let (to_set, to_reset) = (to_set.iter(), to_reset.iter());
    let to_set = to_set.map(|setting| ("SET", setting));
    let all = to_set.chain(to_reset.map(|setting| ("RESET", setting)));
    let unsettable = all.filter(|(_, setting)| !setting.is_known);
    Ok(unsettable
        .map(|(what, setting)| missing_setting(what, setting, role))
        .collect())
}

fn missing_setting(what: &str, setting: &Setting, role: &str) -> Missing {
    Missing {
        privilege: format!("{what} {}", setting.name),
        object: format!("ROLE {}", escape_identifier(role)),
    }
}

/// What `role`'s sessions begin with and those of `like` leave as it is: an earlier turn may
/// have had it.
async fn surplus(session: &Session, like: &str, role: &str) -> Result<Vec<Setting>, RolesError> {
    let other = differences(session, like, role).await?;
    let is_other = |one: &Setting| {
        let mut other = other.iter();
        other.any(|other| other.name == one.name && other.database == one.database)
    };
    let mut surplus = differences(session, role, like).await?;
    surplus.retain(|setting| !is_other(setting));
    Ok(surplus)
}

async fn reset(session: &Session, role: &str, setting: &Setting) -> Result<(), RolesError> {
    let (scope, name) = (setting.scope(), setting.quoted_name());
    let role = escape_identifier(role);
    let reset = format!("ALTER ROLE {role}{scope} RESET {name}");
    session.execute(OPERATION, &reset).await
}

async fn set(session: &Session, role: &str, setting: &Setting) -> Result<(), RolesError> {
    let value = if QUOTED_LISTS.contains(&setting.name.as_str()) {
        let set = "SELECT set_config($1, $2, true)";
        let parameters: [&(dyn ToSql + Sync); 2] = [&setting.name, &setting.value];
        session.query(OPERATION, set, &parameters).await?;
        "FROM CURRENT".to_owned()
    } else {
        format!("TO {}", escape_literal(&setting.value))
    };
    let (scope, name) = (setting.scope(), setting.quoted_name());
    let role = escape_identifier(role);
    let keep = format!("ALTER ROLE {role}{scope} SET {name} {value}");
    session.execute(OPERATION, &keep).await
}

struct Setting {
    name: String,
    value: String,
    /// Where it holds for one database only.
    database: Option<String>,
    /// Whether it is the server's, and not an application's own.
    is_known: bool,
}

impl Setting {
    fn scope(&self) -> String {
        match &self.database {
            Some(database) => format!(" IN DATABASE {}", escape_identifier(database)),
            None => String::new(),
        }
    }

    fn quoted_name(&self) -> String {
        let parts: Vec<String> = self.name.split('.').map(escape_identifier).collect();
        parts.join(".")
    }
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
                is_known: session.column(OPERATION, row, 3)?,
            })
        })
        .collect()
}
