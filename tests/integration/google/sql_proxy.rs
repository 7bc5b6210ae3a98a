//! The proxy to Cloud SQL: started where the stored URL's socket isn't there, and ended again.
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use integration_tests::{TestDatabase, TestRole};
use platform::Error;
use platform::database_roles::{DatabaseRoles as _, Login, PostgresRoles, Tls};
use platform::google_cloud::SqlProxy;
use secret::{DatabaseTarget, DatabaseUrl, Host};
use tempfile::TempDir;

const INSTANCE: &str = "p1:us-central1:db1";

/// A database that is reached through a proxy alone, as far as its URL tells.
struct Lab {
    folder: TempDir,
    _database: TestDatabase,
    _role: TestRole,
    url: DatabaseUrl,
    /// The server, by host and port.
    server: String,
}

impl Lab {
    async fn new() -> Result<Lab> {
        let database = TestDatabase::create().await;
        let role = database.server().create_role("").await;
        let direct = DatabaseUrl::parse(&database.url_as(role.name(), role.password()))?;
        let DatabaseTarget::Postgres(target) = direct.target() else {
            anyhow::bail!("a server");
        };
        let Host::Tcp(host) = &target.host else {
            anyhow::bail!("a server over TCP");
        };
        let text = database.url_as(role.name(), role.password());
        let server = format!("{host}:{}", target.port);
        let (login, rest) = text.split_once(&format!("@{server}/")).context("a host")?;
        let name = rest.split('?').next().unwrap_or_default();
        let url = format!("{login}@/{name}?host=/cloudsql/{INSTANCE}");
        Ok(Lab {
            folder: tempfile::tempdir()?,
            url: DatabaseUrl::parse(&url)?,
            server,
            _database: database,
            _role: role,
        })
    }

    /// The stand-in, with a variable of its own.
    fn program(&self, variable: &str) -> Result<PathBuf> {
        let path = self.folder.path().join("cloud-sql-proxy");
        let program = env!("CARGO_BIN_EXE_cloud-sql-proxy-stand-in");
        fs::write(
            &path,
            format!("#!/bin/sh\n{variable} exec '{program}' \"$@\"\n"),
        )?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700))?;
        Ok(path)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stored_url_logs_in_through_it_and_it_ends() -> Result<()> {
    let lab = Lab::new().await?;
    let instance = SqlProxy::needed_for(&lab.url).context("a proxy is needed")?;
    assert_eq!(instance, INSTANCE);
    let program = lab.program(&format!("STAND_IN_PROXY_TO='{}'", lab.server))?;
    let proxy = SqlProxy::start(&program, instance).await?;
    let socket = proxy.socket_folder().join(".s.PGSQL.5432");
    let private = fs::metadata(
        socket
            .parent()
            .and_then(|one| one.parent())
            .context("a folder")?,
    )?;
    assert_eq!(private.permissions().mode() & 0o077, 0, "others can enter");

    let url = lab.url.through_socket_in(&proxy.socket_folder());
    let roles = PostgresRoles::new(Tls::Required);
    let login = roles.log_in(&url, None).await?;
    assert!(matches!(login, Login::Accepted(_)), "{login:?}");

    drop(proxy);
    assert!(UnixStream::connect(&socket).is_err(), "it still listens");
    assert!(!socket.exists(), "its folder is left");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_fails_is_quoted() -> Result<()> {
    let lab = Lab::new().await?;
    let program = lab.program("STAND_IN_PROXY_FAILS='no such instance'")?;
    let Err(error) = SqlProxy::start(&program, INSTANCE.to_owned()).await else {
        anyhow::bail!("it started");
    };
    let said = error.to_string();
    assert!(
        said.contains(INSTANCE) && said.contains("no such instance"),
        "{said}"
    );
    assert!(
        error
            .hint()
            .is_some_and(|hint| hint.contains("roles/cloudsql.client"))
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn where_there_is_none_both_commands_are_told() -> Result<()> {
    let lab = Lab::new().await?;
    let missing = lab.folder.path().join("missing");
    let Err(error) = SqlProxy::start(&missing, INSTANCE.to_owned()).await else {
        anyhow::bail!("it started");
    };
    assert!(matches!(error, Error::Cloud(_)), "{error:?}");
    let hint = error.hint().context("a hint")?;
    for command in [
        "sudo install -d",
        "cloud-sql-proxy --gcloud-auth --unix-socket /cloudsql p1:us-central1:db1",
    ] {
        assert!(hint.contains(command), "{hint}");
    }
    Ok(())
}

#[test]
fn only_a_missing_socket_of_cloud_sql_needs_one() -> Result<()> {
    for (url, needed) in [
        ("postgresql://u:p@/db?host=/cloudsql/p1:r:i", Some("p1:r:i")),
        ("postgresql://u:p@/db?host=/var/run/postgresql", None),
        ("postgresql://u:p@h/db", None),
        ("sqlite+aiosqlite:///./x.db", None),
    ] {
        let found = SqlProxy::needed_for(&DatabaseUrl::parse(url)?);
        assert_eq!(found.as_deref(), needed, "{url}");
    }
    Ok(())
}
