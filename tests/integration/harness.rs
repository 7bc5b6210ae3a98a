//! Tests of the harness: servers, databases, roles, certificates, programs.
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use integration_tests::{
    PostgresServer, Program, Proxy, Signal, TestDatabase, TestRole, TlsServer, client_settings,
};
use tokio_postgres::config::SslMode;
use tokio_postgres::{Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

/// A login with the URL itself, as the program under test would make it.
async fn whoami(url: &str) -> Result<String, tokio_postgres::Error> {
    let config: Config = url.replacen("+asyncpg", "", 1).parse()?;
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    let row = client.query_one("select current_user::text", &[]).await?;
    Ok(row.get(0))
}

/// A login over TLS to a host name of the TLS server.
async fn login_with_tls(
    host: &str,
    port: u16,
    authority: &Path,
) -> Result<String, tokio_postgres::Error> {
    let server = TlsServer::shared();
    let mut config = Config::new();
    config.host(host).port(port);
    config.user(server.postgres().role());
    config.password(server.postgres().password());
    config.dbname("postgres").ssl_mode(SslMode::Require);
    let tls = MakeRustlsConnect::new(client_settings(authority));
    let (client, connection) = config.connect(tls).await?;
    tokio::spawn(connection);
    let version = "select version from pg_stat_ssl where pid = pg_backend_pid()";
    Ok(client.query_one(version, &[]).await?.get(0))
}

/// An error with its causes, for libraries keep the telling part there.
fn chain(error: tokio_postgres::Error) -> String {
    format!("{:#}", anyhow::Error::new(error))
}

#[tokio::test]
async fn the_server_says_its_version() -> Result<()> {
    let server = PostgresServer::shared();
    let client = server.connect("postgres").await;
    let version: String = client.query_one("show server_version", &[]).await?.get(0);
    let major = server.major_version();
    assert!(version.starts_with(&major.to_string()), "{version}");
    assert!((13..100).contains(&major), "{major}");
    Ok(())
}

#[tokio::test]
async fn databases_are_separate_and_have_the_tables_of_the_service() -> Result<()> {
    let (one, other) = (TestDatabase::create().await, TestDatabase::create().await);
    let insert = "insert into dcr_clients (order_id, client_id, client_secret_encrypted,
                      account_id, redirect_uris, metadata)
                  values ('order-1', 'client-1', 'token', 'account-1', array['a', 'b'], '{}')";
    one.connect().await.batch_execute(insert).await?;
    let count = "select (select count(*) from dcr_clients)
                      + (select count(*) from marketplace_entitlements)
                      + (select count(*) from usage_records)";
    let rows = one.connect().await.query_one(count, &[]).await?;
    assert_eq!(rows.get::<_, i64>(0), 1);
    let rows = other.connect().await.query_one(count, &[]).await?;
    assert_eq!(rows.get::<_, i64>(0), 0);
    Ok(())
}

#[tokio::test]
async fn an_empty_database_has_no_tables() -> Result<()> {
    let database = TestDatabase::create_empty().await;
    let tables = "select count(*) from pg_tables where schemaname = 'public'";
    let row = database.connect().await.query_one(tables, &[]).await?;
    assert_eq!(row.get::<_, i64>(0), 0);
    Ok(())
}

#[tokio::test]
async fn a_dropped_database_is_gone() -> Result<()> {
    let database = TestDatabase::create_empty().await;
    let name = database.name().to_owned();
    let held = database.connect().await;
    drop(database);
    let known = "select count(*) from pg_database where datname = $1";
    let client = PostgresServer::shared().connect("postgres").await;
    for _ in 0..100 {
        let row = client.query_one(known, &[&name]).await?;
        if row.get::<_, i64>(0) == 0 {
            assert!(held.batch_execute("select 1").await.is_err());
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("`{name}` is still there")
}

#[tokio::test]
async fn urls_carry_encoded_passwords() -> Result<()> {
    let database = TestDatabase::create_empty().await;
    let server = database.server();
    assert_eq!(whoami(&database.url()).await?, server.role());

    let role: TestRole = server.create_role("").await;
    let url = database.url_as(role.name(), role.password());
    assert!(url.contains("%40%3A%2F%3F%23%2525@"), "{url}");
    assert_eq!(whoami(&url).await?, role.name());

    let wrong = database.url_as(role.name(), "p@ss");
    let refusal = chain(whoami(&wrong).await.unwrap_err());
    assert!(refusal.contains("password authentication"), "{refusal}");
    Ok(())
}

#[tokio::test]
async fn passwords_are_kept_as_scram_verifiers() -> Result<()> {
    let role = PostgresServer::shared().create_role("createrole").await;
    let server = PostgresServer::shared();
    let client = server.connect("postgres").await;
    let superuser = client.query_one("show is_superuser", &[]).await?;
    if superuser.get::<_, String>(0) == "off" {
        // A server that was there before may hide them.
        return Ok(());
    }
    let kept = "select rolpassword from pg_authid where rolname = $1 and rolcreaterole";
    let kept: String = client.query_one(kept, &[&role.name()]).await?.get(0);
    assert!(kept.starts_with("SCRAM-SHA-256$"), "{kept}");
    Ok(())
}

#[tokio::test]
async fn a_database_can_belong_to_a_role_that_is_no_superuser() -> Result<()> {
    let database = TestDatabase::create().await;
    let role = database.server().create_role("createrole").await;
    database.give_to(role.name()).await;
    let url = database.url_as(role.name(), role.password());
    let (client, connection) =
        tokio_postgres::connect(&url.replacen("+asyncpg", "", 1), NoTls).await?;
    tokio::spawn(connection);
    client
        .batch_execute("alter table dcr_clients add added text; create table more (id integer)")
        .await?;
    Ok(())
}

#[tokio::test]
async fn tls_with_the_right_name_and_authority_works() -> Result<()> {
    let server = TlsServer::shared();
    let proxy = Proxy::start(server.postgres());
    for port in [server.port(), proxy.port()] {
        let authority = server.authority_pem();
        let version = login_with_tls(TlsServer::RIGHT_HOST, port, authority).await?;
        assert!(version.starts_with("TLSv1."), "{version}");
    }

    let database = TestDatabase::create_on(server.postgres()).await;
    let client = database.connect().await;
    client.batch_execute("table dcr_clients").await?;
    assert!(database.url().contains("@localhost:"));
    Ok(())
}

#[tokio::test]
async fn tls_with_a_wrong_name_is_refused() {
    let server = TlsServer::shared();
    let (port, authority) = (server.port(), server.authority_pem());
    let refusal = login_with_tls(TlsServer::WRONG_HOST, port, authority).await;
    let refusal = chain(refusal.unwrap_err());
    assert!(refusal.contains("not valid for name"), "{refusal}");
}

#[tokio::test]
async fn tls_with_a_wrong_authority_is_refused() {
    let server = TlsServer::shared();
    let (port, authority) = (server.port(), server.wrong_authority_pem());
    let refusal = login_with_tls(TlsServer::RIGHT_HOST, port, authority).await;
    let refusal = chain(refusal.unwrap_err());
    assert!(refusal.contains("UnknownIssuer"), "{refusal}");
}

#[tokio::test]
async fn plain_text_is_refused_by_the_tls_server() {
    let server = TlsServer::shared();
    let mut config = Config::new();
    config.host(TlsServer::RIGHT_HOST).port(server.port());
    config.user(server.postgres().role()).dbname("postgres");
    config.password(server.postgres().password());
    let refusal = config.connect(NoTls).await.map(drop);
    let refusal = chain(refusal.unwrap_err());
    assert!(refusal.contains("pg_hba.conf rejects"), "{refusal}");
}

#[test]
fn a_program_sees_what_it_is_given_and_no_more() {
    let output = Program::xtask("/bin/sh")
        .args(["-c", "cat; pwd; env | sort; echo oops >&2; exit 7"])
        .env("GIVEN", "yes")
        .stdin("typed\n")
        .current_dir("/")
        .run();
    assert_eq!((output.code, output.signal), (Some(7), None));
    assert!(output.stdout.starts_with("typed\n/\n"), "{output:?}");
    assert!(output.stdout.contains("\nGIVEN=yes\n"), "{output:?}");
    assert!(!output.stdout.contains("CARGO"), "{output:?}");
    assert_eq!(output.stderr, "oops\n");
}

#[test]
fn a_program_can_be_killed_where_it_is() {
    let mut running = Program::xtask("/bin/sh")
        .args([
            "-c",
            "trap 'echo interrupted; exit 3' INT; echo ready; read -r _ </dev/zero",
        ])
        .spawn();
    running.wait_for("ready");
    running.kill();
    assert_eq!(running.wait().signal, Some(9));

    let mut running = Program::xtask("/bin/sh")
        .args([
            "-c",
            "trap 'echo ended; exit 3' TERM; echo ready; while :; do sleep 0.01; done",
        ])
        .spawn();
    running.wait_for("ready");
    assert!(running.is_running() && running.pid() > 0);
    // Not by SIGINT: what was started in the background by a shell may be deaf to it.
    running.signal(Signal::TERM);
    let output = running.wait();
    assert_eq!(output.code, Some(3));
    assert_eq!(output.stdout, "ready\nended\n");
}

#[test]
#[should_panic(expected = "before the end")]
fn a_program_that_takes_too_long_is_killed_with_what_it_said() {
    let slow = Program::xtask("/bin/sh").args(["-c", "echo before the end; exec sleep 60"]);
    slow.timeout(Duration::from_millis(300)).run();
}

#[test]
fn the_program_under_test_runs() {
    let output = Program::xtask(env!("CARGO_BIN_EXE_xtask-under-test")).run();
    assert!(output.code.is_some(), "{output:?}");
}
