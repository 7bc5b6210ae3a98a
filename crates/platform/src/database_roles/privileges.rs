//! What one role may do and another may not, and how it comes to.
//!
//! The same way on every version of Postgres: each of the two roles grants the other
//! what it may do with its own tables, and will with those that it makes. Membership
//! would do, too, up to Postgres 15; from 16 on a role can't make another one a member
//! of itself. And a grant gives no more than is needed: who may only use a table can't
//! drop it.

use postgres_protocol::escape::escape_identifier;

use super::Missing;
use super::error::RolesError;
use super::session::Session;

/// What `$1` may do in this database, `$2` may not, and whether `$1` may grant it.
/// A table whose policies the owner needn't obey is another table for anybody else.
const DIFFERENCES: &str = "
    WITH who AS (SELECT $1::text::name AS one, $2::text::name AS other),
    space AS (
        SELECT oid, nspname FROM pg_namespace
        WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'),
    difference AS (
        SELECT 'DATABASE' AS kind, quote_ident(datname) AS name, privilege,
            has_database_privilege(one, oid, privilege || ' WITH GRANT OPTION') AS grantable
        FROM who, pg_database, unnest(ARRAY['CONNECT', 'CREATE', 'TEMPORARY']) AS privilege
        WHERE datname = current_database()
            AND has_database_privilege(one, oid, privilege)
            AND NOT has_database_privilege(other, oid, privilege)
    UNION ALL
        SELECT 'SCHEMA', quote_ident(nspname), privilege,
            has_schema_privilege(one, oid, privilege || ' WITH GRANT OPTION')
        FROM who, space, unnest(ARRAY['USAGE', 'CREATE']) AS privilege
        WHERE has_schema_privilege(one, oid, privilege)
            AND NOT has_schema_privilege(other, oid, privilege)
    UNION ALL
        SELECT 'TABLE', format('%I.%I', nspname, relname), privilege,
            has_table_privilege(one, c.oid, privilege || ' WITH GRANT OPTION')
        FROM who, space, pg_class c, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE',
            'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS privilege
        WHERE relnamespace = space.oid AND relkind IN ('r', 'p', 'v', 'm', 'f')
            AND has_table_privilege(one, c.oid, privilege)
            AND NOT has_table_privilege(other, c.oid, privilege)
    UNION ALL
        SELECT 'SEQUENCE', format('%I.%I', nspname, relname), privilege,
            has_sequence_privilege(one, c.oid, privilege || ' WITH GRANT OPTION')
        FROM who, space, pg_class c, unnest(ARRAY['USAGE', 'SELECT', 'UPDATE']) AS privilege
        WHERE relnamespace = space.oid AND relkind = 'S'
            AND has_sequence_privilege(one, c.oid, privilege)
            AND NOT has_sequence_privilege(other, c.oid, privilege)
    UNION ALL
        SELECT 'TABLE', format('%I.%I', nspname, relname), 'freedom from row security', false
        FROM who, space, pg_class c, pg_roles r
        WHERE relnamespace = space.oid AND relrowsecurity AND NOT relforcerowsecurity
            AND rolname = other AND NOT rolbypassrls AND NOT rolsuper
            AND pg_has_role(one, relowner, 'USAGE') AND NOT pg_has_role(other, relowner, 'USAGE'))
    SELECT kind, name, string_agg(privilege, ', ' ORDER BY privilege) AS privileges, grantable
    FROM difference GROUP BY kind, name, grantable ORDER BY kind, name, grantable";

/// What the roles that a role will make tables for may do with them.
const LATER: [&str; 3] = [
    "SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON TABLES",
    "USAGE, SELECT, UPDATE ON SEQUENCES",
    "USAGE, CREATE ON SCHEMAS",
];

/// What `like` may do and `role` may not.
pub(super) async fn missing(
    session: &Session,
    like: &str,
    role: &str,
) -> Result<Vec<Missing>, RolesError> {
    let differences = differences(session, like, role).await?;
    let missing = differences.into_iter().map(|difference| Missing {
        privilege: difference.privileges,
        object: format!("{} {}", difference.kind, difference.name),
    });
    Ok(missing.collect())
}

/// Grants `role` what the session's own role may do and grant, now and with what it
/// makes from now on. What it may not grant is left out: a look at what is
/// [`missing`] tells.
pub(super) async fn share(session: &Session, role: &str) -> Result<(), RolesError> {
    let grantee = escape_identifier(role);
    // First, so that nothing falls between the two.
    let later = LATER.map(|what| format!("ALTER DEFAULT PRIVILEGES GRANT {what} TO {grantee};"));
    let operation = "grant what is made later";
    session.execute(operation, &later.concat()).await?;
    let now: String = differences(session, session.user(), role)
        .await?
        .into_iter()
        .filter(|difference| difference.grantable)
        .map(|difference| {
            let Difference {
                kind,
                name,
                privileges,
                ..
            } = difference;
            format!("GRANT {privileges} ON {kind} {name} TO {grantee};")
        })
        .collect();
    session.execute("grant what is there", &now).await
}

struct Difference {
    kind: String,
    /// Qualified and quoted.
    name: String,
    /// With commas between them.
    privileges: String,
    grantable: bool,
}

async fn differences(
    session: &Session,
    one: &str,
    other: &str,
) -> Result<Vec<Difference>, RolesError> {
    let operation = "compare what two roles may do";
    let rows = session
        .query(operation, DIFFERENCES, &[&one, &other])
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Difference {
                kind: session.column(operation, row, 0)?,
                name: session.column(operation, row, 1)?,
                privileges: session.column(operation, row, 2)?,
                grantable: session.column(operation, row, 3)?,
            })
        })
        .collect()
}
