//! What a second role could not have is seen before there is one, and after it.
use anyhow::{Result, ensure};
use platform::database_roles::{DatabaseRoles, Login};

use super::lab::{Lab, connect};

/// What an administrator has given the role in use, and what the second one would lack of it.
const GIVEN: [(&str, &str); 9] = [
    (
        "create table theirs (id integer); grant select on theirs to FIRST",
        "SELECT on TABLE public.theirs",
    ),
    (
        "create table theirs (id integer, other integer); grant select (id) on theirs to FIRST",
        "SELECT (id) on TABLE public.theirs",
    ),
    (
        "create function theirs() returns integer language sql as 'select 1';
         revoke execute on function theirs from public; grant execute on function theirs to FIRST",
        "EXECUTE on ROUTINE public.theirs()",
    ),
    (
        "create type theirs as enum ('one'); revoke usage on type theirs from public;
         grant usage on type theirs to FIRST",
        "USAGE on TYPE public.theirs",
    ),
    (
        "create table theirs (id integer); grant select on theirs to FIRST with grant option;
         alter table theirs enable row level security; create policy mine on theirs to FIRST",
        "policy mine on TABLE public.theirs",
    ),
    (
        "create table theirs (id integer); grant select on theirs to FIRST with grant option;
         alter table theirs enable row level security; alter role FIRST bypassrls",
        "freedom from row security on TABLE public.theirs",
    ),
    (
        "create schema authorization FIRST",
        "$user in the search path on SCHEMA FIRST",
    ),
    (
        "alter role FIRST set harness.own = 'x'; alter role FIRST set dynamic_library_path = '$libdir'",
        "SET harness.own on ROLE \"SECOND\"",
    ),
    (
        "create role SECOND login; alter role SECOND set harness.own = 'x';
         grant SECOND to FIRST with admin option",
        "RESET harness.own on ROLE \"SECOND\"",
    ),
];

#[tokio::test]
async fn what_the_role_in_use_may_not_grant_is_named() -> Result<()> {
    for (given, expected) in GIVEN {
        let lab = Lab::new().await?;
        let (first, second) = (lab.first.name(), lab.second.name());
        let named = |text: &str| text.replace("FIRST", first).replace("SECOND", second);
        let admin = lab.database.connect().await;
        let in_use = lab.in_use()?;
        let missing = lab.roles.check_second(&in_use, second).await?;
        ensure!(missing.is_empty(), "{missing:?}");
        admin.batch_execute(&named(given)).await?;
        let missing = lab.roles.check_second(&in_use, second).await?;
        let said: Vec<String> = missing.iter().map(ToString::to_string).collect();
        assert_eq!(said, [named(expected)], "{given}");
        // Another password for the same role takes nothing from it.
        match lab.roles.log_in(&in_use, Some(first)).await? {
            Login::Accepted(accepted) => ensure!(accepted.missing.is_empty(), "{accepted:?}"),
            Login::Refused(message) => anyhow::bail!("{message}"),
        }

        // Nobody is told that it has everything.
        let candidate = lab.candidate(&in_use)?;
        lab.roles.prepare_second(&in_use, &candidate).await?;
        match lab.roles.log_in(&candidate, Some(first)).await? {
            Login::Accepted(accepted) => assert_eq!(accepted.missing, missing),
            Login::Refused(message) => anyhow::bail!("{message}"),
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_the_role_in_use_may_grant_is_granted() -> Result<()> {
    let lab = Lab::new().await?;
    let (first, admin) = (lab.first.name(), lab.database.connect().await);
    let give = "
        create function theirs() returns integer language sql as 'select 1';
        revoke execute on function theirs from public;
        grant execute on function theirs to FIRST with grant option;
        create type numbered as enum ('one'); revoke usage on type numbered from public;
        grant usage on type numbered to FIRST with grant option;
        create table lent (id integer, other integer);
        grant select (id) on lent to FIRST with grant option";
    admin.batch_execute(&give.replace("FIRST", first)).await?;
    let in_use = lab.in_use()?;
    let missing = lab.roles.check_second(&in_use, lab.second.name()).await?;
    ensure!(missing.is_empty(), "{missing:?}");
    let candidate = lab.candidate(&in_use)?;
    lab.prepare(&in_use, &candidate).await?;
    let client = connect(&candidate).await?;
    client
        .batch_execute("select theirs(), id from lent; create temporary table used (it numbered)")
        .await?;
    Ok(())
}

/// The first role's limits hold for the second one too; they are no reason to refuse a turn.
#[tokio::test]
async fn limits_of_logins_go_along() -> Result<()> {
    let lab = Lab::new().await?;
    let (first, second) = (lab.first.name(), lab.second.name());
    let admin = lab.database.connect().await;
    let limit = format!("alter role {first} connection limit 20 valid until '2100-01-01'");
    admin.batch_execute(&limit).await?;
    let mut in_use = lab.in_use()?;
    for role in [second, first] {
        let candidate = lab.candidate(&in_use)?;
        assert_eq!(candidate.user()?, role);
        ensure!(lab.roles.check_second(&in_use, role).await?.is_empty());
        lab.prepare(&in_use, &candidate).await?;
        lab.lock_out(&in_use, &candidate).await?;
        let found = lab.roles.role(&candidate, role).await?.expect("a role");
        let limits = "CONNECTION LIMIT 20 VALID UNTIL '2100-01-01 00:00:00+00'";
        assert_eq!(found.limits, limits);
        in_use = candidate;
    }
    // Those of one that others have limited otherwise are told, and stop no turn.
    let more = format!("alter role {second} connection limit 1 valid until 'infinity'");
    admin.batch_execute(&more).await?;
    let found = lab.roles.role(&in_use, second).await?.expect("a role");
    assert_eq!(found.limits, "CONNECTION LIMIT 1");
    lab.prepare(&in_use, &lab.candidate(&in_use)?).await?;
    Ok(())
}

/// Set by name, the search path goes with the rotation: that is what the hint says.
#[tokio::test]
async fn a_search_path_that_names_its_schemas_is_carried_over() -> Result<()> {
    let lab = Lab::new().await?;
    let (first, admin) = (lab.first.name(), lab.database.connect().await);
    let give = "create schema authorization FIRST; create table FIRST.own (id integer);
        alter table FIRST.own owner to FIRST; alter role FIRST set search_path = FIRST, public";
    admin.batch_execute(&give.replace("FIRST", first)).await?;
    let in_use = lab.in_use()?;
    let candidate = lab.candidate(&in_use)?;
    lab.prepare(&in_use, &candidate).await?;
    connect(&candidate)
        .await?
        .batch_execute("select from own")
        .await?;
    Ok(())
}
