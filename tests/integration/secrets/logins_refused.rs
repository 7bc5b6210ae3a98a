//! Databases and roles with which no rotation of a URL may begin.
use anyhow::Result;
use integration_tests::TestRole;

use super::installation::{BOTH, Installation};
use super::logins_lab::{Lab, SERVICES, SESSIONS, use_tables};
use crate::procedure::sandbox::assert_said;

/// Exit code 1, a state that says so, and the same files and login as before.
fn expect_refused(installation: &Installation, arguments: &[&str], words: &[&str]) -> Result<()> {
    let before = installation.sandbox.tree()?;
    let output = installation.run(arguments)?;
    assert_said(&output, 1, &["nothing was changed"]);
    assert_said(&output, 1, words);
    installation.expect_as_before(&before)?;
    installation.expect_nothing_unfinished()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_has_no_login() -> Result<()> {
    let variables = "DATABASE_URL=sqlite+aiosqlite:///./clients.db\n\
                     SESSION_DATABASE_URL=sqlite+aiosqlite:///./sessions.db\n";
    let installation = Installation::new(variables, BOTH)?;
    for url in [SERVICES, SESSIONS] {
        for more in [&[][..], &["--in-place"], &["--dry-run"]] {
            let arguments = [&["rotate-secret", url.name], more].concat();
            let words = ["leads to an SQLite file, which has no login to rotate"];
            expect_refused(&installation, &arguments, &words)?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_are_no_url_with_a_password() -> Result<()> {
    for (value, words) in [
        (
            "hunter2-no-url",
            "is no database URL: the database URL does not start with",
        ),
        (
            "postgresql+asyncpg://somebody@localhost:1/agent",
            "no password for the user `somebody`",
        ),
    ] {
        let installation = Installation::new(&format!("DATABASE_URL={value}\n"), BOTH)?;
        expect_refused(&installation, &["rotate-secret", "database-url"], &[words])?;
    }
    let installation = Installation::new("", BOTH)?;
    let arguments = ["rotate-secret", "database-url"];
    expect_refused(&installation, &arguments, &["DATABASE_URL"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_not_make_another_is_rotated_in_place() -> Result<()> {
    let lab = Lab::with(SERVICES, "nocreaterole", BOTH).await?;
    let words = ["may not create the role", "CREATEROLE", "--in-place"];
    expect_refused(&lab.installation, &lab.rotate(&[]), &words)?;
    use_tables(&lab.in_env()?).await?;
    let output = lab.installation.run(&lab.rotate(&["--in-place"]))?;
    assert_said(&output, 0, &["Rotated"]);
    lab.expect_sound().await
}

/// A new password for one would shut out the readers of the other.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_both_secrets_have() -> Result<()> {
    let lab = Lab::new(SERVICES).await?;
    let url = lab.in_env()?;
    lab.installation
        .sandbox
        .write_env(&format!("DATABASE_URL={url}\nSESSION_DATABASE_URL={url}\n"))?;
    for secret in [SERVICES, SESSIONS] {
        for more in [&[][..], &["--in-place"]] {
            let arguments = [&["rotate-secret", secret.name], more].concat();
            let words = ["as well", "give each secret a role of its own"];
            expect_refused(&lab.installation, &arguments, &words)?;
        }
    }
    use_tables(&url).await
}

/// The role that takes turns with the one of this secret is the other's.
/// Whose role it has, nobody can tell who doesn't put it together as the services do.
#[tokio::test(flavor = "multi_thread")]
async fn another_secret_that_is_made_of_other_variables() -> Result<()> {
    let lab = Lab::new(SERVICES).await?;
    let url = lab.in_env()?;
    let other = lab.database.url_as(lab.first.name(), "PASSWORD");
    let other = other.replace("PASSWORD", "${OTHER}");
    let sandbox = &lab.installation.sandbox;
    sandbox.write_env(&format!(
        "OTHER=hunter2\nDATABASE_URL={url}\nSESSION_DATABASE_URL={other}\n"
    ))?;
    let words = ["line 3, makes `SESSION_DATABASE_URL` of another variable's value"];
    expect_refused(&lab.installation, &lab.rotate(&[]), &words)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_role_that_the_other_secret_has() -> Result<()> {
    let lab = Lab::new(SERVICES).await?;
    let url = lab.in_env()?;
    let [first, second] = lab.roles();
    let with = |role: &str| {
        let other = lab.database.url_as(role, "hunter2-of-sessions");
        let variables = format!("DATABASE_URL={url}\nSESSION_DATABASE_URL={other}\n");
        lab.installation.sandbox.write_env(&variables)
    };
    with(&second)?;
    let words = ["as well", "give each secret a role of its own"];
    expect_refused(&lab.installation, &lab.rotate(&[]), &words)?;
    with(&format!("{first}_sessions"))?;
    assert_said(&lab.installation.run(&lab.rotate(&[]))?, 0, &["Rotated"]);
    Ok(())
}

/// The server would cut the second one's name short, to another role's.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_whose_name_leaves_no_room_for_the_second_ones() -> Result<()> {
    let lab = Lab::new(SERVICES).await?;
    let first = lab.first.name();
    let long = format!("{first}{}", "x".repeat(62 - first.len()));
    let _renamed = TestRole::expected(lab.database.server(), long.clone());
    let admin = lab.database.connect().await;
    let rename = format!("alter role {first} rename to {long}");
    admin.batch_execute(&rename).await?;
    let url = lab.database.url_as(&long, lab.first.password());
    let sandbox = &lab.installation.sandbox;
    sandbox.write_env(&format!("DATABASE_URL={url}\n"))?;
    let words = ["has more than 63 bytes", "rotate in place"];
    for more in [&[][..], &["--dry-run"]] {
        expect_refused(&lab.installation, &lab.rotate(more), &words)?;
    }
    let output = lab.installation.run(&lab.rotate(&["--in-place"]))?;
    assert_said(&output, 0, &["Rotated"]);
    lab.expect_sound().await
}

/// Whoever owns the tables let this role alone read them, which it can't hand on.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_second_role_could_not_be_given_stops_the_run_before_it_begins() -> Result<()> {
    let lab = Lab::new(SERVICES).await?;
    let [first, second] = lab.roles();
    let admin = lab.database.connect().await;
    let make = format!(
        "create table lent (n int); create table lent_too (n int);
         grant select on lent, lent_too to {first}"
    );
    admin.batch_execute(&make).await?;
    let lacks = format!("`{second}` lacks what `{first}` has: SELECT on TABLE public.");
    let way_out = format!("let an administrator grant it to `{first}` WITH GRANT OPTION");
    for (table, others) in [
        ("lent, and 1 more", &[][..]),
        ("lent_too\n", &["--dry-run"]),
    ] {
        let words = [&*format!("{lacks}{table}"), &way_out];
        expect_refused(&lab.installation, &lab.rotate(others), &words)?;
        let table = table.split(',').next().unwrap_or_default();
        let lend = format!("grant select on {table} to {first} with grant option");
        admin.batch_execute(&lend).await?;
    }
    let rotated = lab.installation.run(&lab.rotate(&[]))?;
    assert_said(&rotated, 0, &["Rotated"]);
    lab.expect_sound().await
}

/// What has come since the run began can be given to the role itself.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_second_role_was_not_given_stops_the_run_until_somebody_gives_it() -> Result<()> {
    let lab = Lab::new(SERVICES).await?;
    let [first, second] = lab.roles();
    let admin = lab.database.connect().await;
    let installation = &lab.installation;
    installation.sandbox.settings("announce = true", "")?;
    let waiting = installation.run(&lab.rotate(&[]))?;
    assert_said(&waiting, 3, &[]);
    let lend = |role: &str| format!("grant select on lent to {role}");
    let make = format!("create table lent (n int); {}", lend(&first));
    admin.batch_execute(&make).await?;
    let failed = installation.run(&["resume", "--done"])?;
    let lacks = format!("`{second}` lacks what `{first}` has: SELECT on TABLE public.lent\n");
    assert_said(&failed, 2, &[&lacks]);
    admin.batch_execute(&lend(&second)).await?;
    assert_said(&installation.run(&["resume"])?, 0, &["Rotated"]);
    lab.expect_sound().await
}

/// Somebody changed the password by hand, and not in the store.
#[tokio::test(flavor = "multi_thread")]
async fn a_url_that_logs_in_no_more() -> Result<()> {
    let lab = Lab::new(SERVICES).await?;
    let client = lab.database.connect().await;
    let change = format!("alter role {} password 'by-hand'", lab.first.name());
    client.batch_execute(&change).await?;
    for more in [&[][..], &["--in-place"], &["--dry-run"]] {
        let words = ["the database refuses the login of", lab.first.name()];
        expect_refused(&lab.installation, &lab.rotate(more), &words)?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_answer() -> Result<()> {
    // Nobody listens at the first port.
    let url = "postgresql+asyncpg://somebody:hunter2-x@127.0.0.1:1/agent";
    let installation = Installation::new(&format!("DATABASE_URL={url}\n"), BOTH)?;
    let arguments = ["rotate-secret", "database-url"];
    expect_refused(&installation, &arguments, &["127.0.0.1"])
}
