//! Servers that can't be reached, and logins that they refuse.
use std::net::TcpListener;

use anyhow::{Result, bail};
use integration_tests::{Proxy, TestDatabase};

use super::{Ended, Xtask};
use crate::subject::{Backend, Subject};

/// Fails before anything is changed, with this error and a hint.
fn assert_refused(url: &str, error: &str) -> Ended {
    for command in ["rotate-dcr", "survey-dcr"] {
        let ended = Xtask::at(command, url).arg("--verbose").run();
        assert_eq!(ended.code, Some(1), "{ended:?}");
        let error = format!("\nerror: {error}");
        assert!(ended.stderr.contains(&error), "expected {error}: {ended:?}");
        assert!(
            ended
                .stderr
                .contains("\nstate: nothing was changed\nhint: "),
            "{ended:?}"
        );
        assert_eq!(ended.stdout, "", "{ended:?}");
    }
    Xtask::at("rotate-dcr", url).run()
}

fn server_of(database: &TestDatabase) -> String {
    let server = database.server();
    format!("{}:{}", server.host(), server.port())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_refused() -> Result<()> {
    let database = TestDatabase::create().await;
    let server = server_of(&database);
    let role = database.server().create_role("").await;
    let url = database.url_as(role.name(), "wrong@pass/word%41");
    let name = role.name();
    let error = format!("`{server}` refused the login of `{name}`: password authentication failed");
    let ended = assert_refused(&url, &error);
    assert!(ended.stderr.contains("percent-encoded"), "{ended:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_is_not_there_is_refused_as_a_wrong_password_is() -> Result<()> {
    let database = TestDatabase::create().await;
    let error = format!(
        "`{}` refused the login of `nobody_at_all`",
        server_of(&database)
    );
    assert_refused(
        &database.url_as("nobody_at_all", "no-password-of-anybody"),
        &error,
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_without_a_password_is_told_so() -> Result<()> {
    let database = TestDatabase::create().await;
    let url = database.url();
    let (before, after) = url.rsplit_once('@').unwrap_or_default();
    let (user, password) = before.rsplit_once(':').unwrap_or_default();
    let without = format!("{user}@{after}");
    let error = format!("`{}` wants a password for", server_of(&database));
    let ended = assert_refused(&without, &error);
    assert!(!ended.stderr.contains(password), "{ended:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_there_is_named() -> Result<()> {
    let database = TestDatabase::create().await;
    let url = format!("{}_of_another", database.url());
    let error = format!(
        "`{}` has no database `{}_of_another`\n",
        server_of(&database),
        database.name()
    );
    assert_refused(&url, &error);
    Ok(())
}

#[test]
fn a_server_that_is_not_there_is_named() -> Result<()> {
    // Free again when the listener is gone.
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let url = format!("postgresql+asyncpg://insights:tell-n0body@127.0.0.1:{port}/agent");
    let error = format!("cannot connect to `127.0.0.1:{port}`: Connection refused");
    assert_refused(&url, &error);
    Ok(())
}

#[test]
fn a_host_that_nobody_knows_is_named() {
    let url = "postgresql://insights:tell-n0body@no-such-host.invalid/agent";
    assert_refused(url, "cannot connect to `no-such-host.invalid:5432`: ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_up_is_named() -> Result<()> {
    let database = TestDatabase::create().await;
    let proxy = Proxy::start(database.server());
    proxy.refuse_new_connections(true);
    let url = database.url_through(proxy.port());
    assert_refused(
        &url,
        &format!("cannot connect to `127.0.0.1:{}`: ", proxy.port()),
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_without_privileges_is_told_which_one() -> Result<()> {
    let subject = Subject::with_clients(Backend::Postgres, 2).await?;
    let Subject::Postgres(database) = &subject else {
        bail!("not Postgres");
    };
    let role = database.server().create_role("").await;
    let name = role.name();
    let url = database.url_as(name, role.password());
    assert_refused(
        &url,
        &format!("the role `{name}` may not SELECT from `dcr_clients`\n"),
    );
    subject
        .execute(&format!("GRANT SELECT ON dcr_clients TO {name}"))
        .await?;
    let ended = Xtask::at("rotate-dcr", &url).run();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let error = format!("error: the role `{name}` may not UPDATE `dcr_clients`\n");
    assert!(ended.stderr.contains(&error), "{ended:?}");
    // What it may not read, it says it has not searched.
    let ended = Xtask::at("survey-dcr", &url).run();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let warning = "warning: not searched for encrypted columns, because this role may not read them: \
        `public.marketplace_entitlements`, `public.usage_records`\n";
    assert!(ended.stderr.contains(warning), "{ended:?}");
    Ok(())
}
