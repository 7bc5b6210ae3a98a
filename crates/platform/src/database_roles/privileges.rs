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

/// What `$1` may do in this database, `$2` may not, and whether `$1` may grant it. `$2` may be
/// `public`, for a role that isn't there yet.
///
/// A table whose policies a role needn't obey is another table for anybody else, and so is one
/// with a policy that names the role. By `$user` in a search path, each role finds other tables.
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
        SELECT 'TABLE', format('%I.%I', nspname, relname), format('%s (%I)', privilege, attname),
            has_column_privilege(one, c.oid, attnum, privilege || ' WITH GRANT OPTION')
        FROM who, space, pg_class c, pg_attribute, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE',
            'REFERENCES']) AS privilege
        WHERE relnamespace = space.oid AND relkind IN ('r', 'p', 'v', 'm', 'f')
            AND attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attacl IS NOT NULL
            AND NOT has_table_privilege(one, c.oid, privilege)
            AND has_column_privilege(one, c.oid, attnum, privilege)
            AND NOT has_column_privilege(other, c.oid, attnum, privilege)
    UNION ALL
        SELECT 'ROUTINE', p.oid::regprocedure::text, 'EXECUTE',
            has_function_privilege(one, p.oid, 'EXECUTE WITH GRANT OPTION')
        FROM who, space, pg_proc p
        WHERE pronamespace = space.oid AND proacl IS NOT NULL
            AND has_function_privilege(one, p.oid, 'EXECUTE')
            AND NOT has_function_privilege(other, p.oid, 'EXECUTE')
    UNION ALL
        SELECT 'TYPE', format('%I.%I', nspname, typname), 'USAGE',
            has_type_privilege(one, t.oid, 'USAGE WITH GRANT OPTION')
        FROM who, space, pg_type t
        WHERE typnamespace = space.oid AND typacl IS NOT NULL
            AND has_type_privilege(one, t.oid, 'USAGE')
            AND NOT has_type_privilege(other, t.oid, 'USAGE')
    UNION ALL
        SELECT 'TABLE', format('%I.%I', nspname, relname), 'freedom from row security', false
        FROM who, space, pg_class c
        WHERE relnamespace = space.oid AND relrowsecurity
            AND (NOT relforcerowsecurity AND pg_has_role(one, relowner, 'USAGE')
                OR EXISTS (SELECT FROM pg_roles
                    WHERE rolname = one AND (rolbypassrls OR rolsuper)))
            AND NOT EXISTS (SELECT FROM pg_roles r
                WHERE rolname = other AND (rolbypassrls OR rolsuper
                    OR NOT relforcerowsecurity AND pg_has_role(r.oid, relowner, 'USAGE')))
    UNION ALL
        SELECT 'TABLE', format('%I.%I', nspname, relname), format('policy %I', polname), false
        FROM who, space, pg_class c, pg_policy
        WHERE relnamespace = space.oid AND polrelid = c.oid AND relrowsecurity
            AND EXISTS (SELECT FROM unnest(polroles) AS named
                WHERE named <> 0 AND pg_has_role(one, named, 'USAGE'))
            AND NOT EXISTS (SELECT FROM unnest(polroles) AS named, pg_roles r
                WHERE rolname = other AND pg_has_role(r.oid, named, 'USAGE'))
    UNION ALL
        SELECT 'SCHEMA', quote_ident(nspname), '$user in the search path', false
        FROM who, space
        WHERE one <> other AND (SELECT reset_val FROM pg_settings WHERE name = 'search_path') ~ '[$]user'
            AND EXISTS (SELECT FROM pg_roles r WHERE rolname = nspname
                AND rolname IN (one, other) AND has_schema_privilege(r.oid, space.oid, 'USAGE'))
    UNION ALL
        SELECT 'ROLE', quote_ident(other), 'VALID UNTIL a date to come', false
        FROM who, pg_roles WHERE rolname = other AND rolvaliduntil <= now())
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
    Ok(differences.into_iter().map(Missing::from).collect())
}

/// What the session's own role may do, `role` may not, and can't be granted by it. `role` is
/// `public` where it isn't there yet.
pub(super) async fn ungrantable(session: &Session, role: &str) -> Result<Vec<Missing>, RolesError> {
    let differences = differences(session, session.user(), role).await?;
    let ungrantable = differences.into_iter().filter(|one| !one.grantable);
    Ok(ungrantable.map(Missing::from).collect())
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

impl From<Difference> for Missing {
    fn from(difference: Difference) -> Missing {
        Missing {
            privilege: difference.privileges,
            object: format!("{} {}", difference.kind, difference.name),
        }
    }
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
