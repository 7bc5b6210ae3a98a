//! Making a role ready to take over, and its password.

use connection::{DatabaseMessage, Tls};
use postgres_protocol::escape::{escape_identifier, escape_literal};
use secrecy::ExposeSecret;
use secret::{DatabaseTarget, DatabaseUrl, Password};
use zeroize::Zeroizing;

use super::error::RolesError;
use super::login::{Attempt, log_in, try_log_in};
use super::session::Session;
use super::{Missing, Prepared, Role, Sessions, privileges, sessions, settings};

/// The longest name that Postgres keeps, in bytes.
const LONGEST_NAME: usize = 63;

/// See [`DatabaseRoles::prepare_second`](super::DatabaseRoles::prepare_second).
pub(super) async fn prepare(
    in_use: &DatabaseUrl,
    candidate: &DatabaseUrl,
    tls: Tls,
) -> Result<Prepared, RolesError> {
    let (first, second) = two_roles(in_use, candidate)?;
    let session = log_in(in_use, tls).await?;
    let prepared = match find(&session, second).await? {
        None => Prepared::Made,
        Some(_) => match try_log_in(candidate, tls).await? {
            Attempt::In(_) => Prepared::WasThere,
            Attempt::Refused(_) => {
                take_back(&session, in_use, candidate, tls).await?;
                Prepared::Repassworded
            }
        },
    };
    session.execute("begin", "BEGIN").await?;
    if prepared == Prepared::Made {
        // Not without its privileges, or it might be a role that can't even log in.
        make(&session, candidate).await?;
    }
    privileges::share(&session, second).await?;
    session.execute("commit", "COMMIT").await?;
    let of_second = demand_login(candidate, tls).await?;
    of_second.execute("begin", "BEGIN").await?;
    privileges::share(&of_second, first).await?;
    settings::copy(&of_second, first).await?;
    of_second.execute("commit", "COMMIT").await?;
    Ok(prepared)
}

/// See [`DatabaseRoles::check_second`](super::DatabaseRoles::check_second).
pub(super) async fn check(
    in_use: &DatabaseUrl,
    role: &str,
    tls: Tls,
) -> Result<Vec<Missing>, RolesError> {
    let session = log_in(in_use, tls).await?;
    // The server may let other roles in by other ways.
    let idle = try_log_in(&in_use.for_idle(role)?, tls).await?;
    let second = find(&session, role).await?;
    if let (Some(_), Attempt::Refused(_)) = (&second, idle) {
        refuse_foreign(&session, role).await?;
    }
    let grantee = if second.is_some() { role } else { "public" };
    let mut missing = privileges::ungrantable(&session, grantee).await?;
    // It gives itself what it is to begin with.
    if !second.is_some_and(|second| second.is_superuser) {
        missing.extend(settings::unsettable(&session, role).await?);
    }
    Ok(missing)
}

/// See [`DatabaseRoles::set_password`](super::DatabaseRoles::set_password).
pub(super) async fn set_password(
    as_: &DatabaseUrl,
    password: &Password,
    tls: Tls,
) -> Result<bool, RolesError> {
    let afterwards = as_.with_login(as_.user()?, password)?;
    if let Attempt::In(_) = try_log_in(&afterwards, tls).await? {
        return Ok(false);
    }
    let session = log_in(as_, tls).await?;
    let statement = with_verifier("ALTER ROLE", session.user(), "PASSWORD", password);
    session.execute("change its password", &statement).await?;
    demand_login(&afterwards, tls).await?;
    Ok(true)
}

/// What the server tells of a role.
pub(super) async fn find(session: &Session, role: &str) -> Result<Option<Role>, RolesError> {
    if refuse_long_name(role).is_err() {
        return Ok(None);
    }
    let operation = "find a role";
    let query = "
        SELECT rolcanlogin, rolcreaterole OR rolsuper, rolsuper, concat_ws(' ',
            'CONNECTION LIMIT ' || nullif(rolconnlimit, -1),
            'VALID UNTIL ' || quote_literal(nullif(rolvaliduntil, 'infinity')))
        FROM pg_roles WHERE rolname = $1";
    let rows = session.query(operation, query, &[&role]).await?;
    let read = |row| {
        Ok(Role {
            can_login: session.column(operation, row, 0)?,
            may_create_roles: session.column(operation, row, 1)?,
            is_superuser: session.column(operation, row, 2)?,
            limits: session.column(operation, row, 3)?,
        })
    };
    rows.first().map(read).transpose()
}

/// Makes the role, with the limits that the first one's logins have. It may make roles itself, or
/// it could not make the first one anew if that was dropped during its turn.
async fn make(session: &Session, candidate: &DatabaseUrl) -> Result<(), RolesError> {
    let role = candidate.user()?;
    let refused = || RolesError::MayNotCreateRoles {
        user: session.user().to_owned(),
        role: role.to_owned(),
    };
    let own = find(session, session.user()).await?;
    let Some(own) = own.filter(|own| own.may_create_roles) else {
        return Err(refused());
    };
    let options = format!("LOGIN CREATEROLE {} PASSWORD", own.limits);
    let statement = with_verifier("CREATE ROLE", role, &options, &candidate.password()?);
    let made = session.execute("create a role", &statement).await;
    made.map_err(|error| if error.is_denied() { refused() } else { error })
}

/// Gives a role that is there another password: by itself, with the password that the
/// rotation before derived for it, or else by the role in use.
async fn take_back(
    session: &Session,
    in_use: &DatabaseUrl,
    candidate: &DatabaseUrl,
    tls: Tls,
) -> Result<(), RolesError> {
    let second = candidate.user()?;
    let password = candidate.password()?;
    let idle = in_use.for_idle(second)?;
    if let Attempt::In(of_second) = try_log_in(&idle, tls).await? {
        let statement = with_verifier("ALTER ROLE", second, "PASSWORD", &password);
        return of_second.execute("change its password", &statement).await;
    }
    refuse_foreign(session, second).await?;
    let statement = with_verifier("ALTER ROLE", second, "LOGIN PASSWORD", &password);
    let changed = session.execute("change a role's password", &statement);
    changed.await.map_err(|error| not_ours(error, second))
}

/// Up to Postgres 15 the role in use may give anybody's role another password: not one that may
/// be another service's. A rotation has each of the two grant the other what it will make, and
/// an administrator's word is that the role in use is a member of the other.
async fn refuse_foreign(session: &Session, role: &str) -> Result<(), RolesError> {
    let Sessions { here, elsewhere } = sessions::count_by(session, role).await?;
    if here + elsewhere > 0 {
        return Err(RolesError::NotIdle {
            role: role.to_owned(),
            count: here + elsewhere,
        });
    }
    let operation = "look whose a role is";
    let query = "
        SELECT pg_has_role(one.oid, other.oid, 'MEMBER') OR EXISTS (
            SELECT FROM pg_default_acl, aclexplode(defaclacl)
            WHERE (defaclrole, grantee) IN ((one.oid, other.oid), (other.oid, one.oid)))
        FROM pg_roles one, pg_roles other
        WHERE one.rolname = current_user AND other.rolname = $1";
    let rows = session.query(operation, query, &[&role]).await?;
    let takes_turns = match rows.first() {
        Some(row) => session.column(operation, row, 0)?,
        None => true,
    };
    match takes_turns {
        true => Ok(()),
        false => Err(RolesError::SomebodyElses {
            user: session.user().to_owned(),
            role: role.to_owned(),
        }),
    }
}

/// Where the role in use lacks a privilege over another role, says so.
pub(super) fn not_ours(error: RolesError, role: &str) -> RolesError {
    match error {
        RolesError::Statement {
            user,
            source,
            denied: true,
            ..
        } => RolesError::NotOurs {
            user,
            role: role.to_owned(),
            source,
        },
        error => error,
    }
}

/// Logs in with a password that was just set.
async fn demand_login(url: &DatabaseUrl, tls: Tls) -> Result<Session, RolesError> {
    match try_log_in(url, tls).await? {
        Attempt::In(session) => Ok(session),
        Attempt::Refused(source) => Err(not_taken(url, source)),
    }
}

fn not_taken(url: &DatabaseUrl, source: DatabaseMessage) -> RolesError {
    RolesError::NotTaken {
        role: url.user().unwrap_or_default().to_owned(),
        source,
    }
}

/// A statement about a role with a password's verifier at its end. Such statements take
/// no parameters. With a verifier the server keeps what it gets, whatever its own
/// `password_encryption` is.
#[expect(
    clippy::disallowed_methods,
    reason = "the server keeps the verifier; the password doesn't leave this process"
)]
fn with_verifier(
    statement: &str,
    role: &str,
    options: &str,
    password: &Password,
) -> Zeroizing<String> {
    let verifier = password.scram_verifier();
    let literal = Zeroizing::new(escape_literal(verifier.expose_secret()));
    let role = escape_identifier(role);
    Zeroizing::new([statement, &role, options, &literal].join(" "))
}

/// The two roles' names, which have to differ, in the same database.
fn two_roles<'a>(
    in_use: &'a DatabaseUrl,
    candidate: &'a DatabaseUrl,
) -> Result<(&'a str, &'a str), RolesError> {
    let (first, second) = (in_use.user()?, candidate.user()?);
    if first == second {
        return Err(RolesError::OwnRole {
            role: first.to_owned(),
        });
    }
    refuse_long_name(second)?;
    if place(in_use) != place(candidate) {
        return Err(RolesError::DifferentDatabases {
            first: first.to_owned(),
            second: second.to_owned(),
        });
    }
    Ok((first, second))
}

/// Refuses a name that the server would cut short: it would mean another role.
///
/// # Errors
///
/// [`RolesError::NameTooLong`].
pub fn refuse_long_name(role: &str) -> Result<(), RolesError> {
    if role.len() <= LONGEST_NAME {
        return Ok(());
    }
    Err(RolesError::NameTooLong {
        role: role.to_owned(),
        limit: LONGEST_NAME,
    })
}

fn place(url: &DatabaseUrl) -> Option<(&secret::Host, u16, &str)> {
    match url.target() {
        DatabaseTarget::Postgres(target) => Some((&target.host, target.port, &target.database)),
        DatabaseTarget::Sqlite(_) => None,
    }
}
