//! Database URLs in the service's own forms.
use std::fs;

use anyhow::{Result, bail};
use integration_tests::Proxy;

use super::{Xtask, assert_file_snapshot};
use crate::subject::{Backend, NEW, SqliteFile, Subject, clients};

/// Each but the last with a password that must not be printed.
const BAD_URLS: [&str; 18] = [
    "tell-n0body",
    "postgresql:/insights:tell-n0body@db/agent",
    "\"postgresql://insights:tell-n0body@db/agent\"",
    "mysql+aiomysql://insights:tell-n0body@db/agent",
    "PostgreSQL://insights:tell-n0body@db/agent",
    "postgresql://insights:tell-n0body@/agent",
    "postgresql://:tell-n0body@db/agent",
    "postgresql://insights:tell-n0body@db",
    "postgresql://insights:tell-n0body@db:port/agent",
    "postgresql://insights:tell-n0body@one,two/agent",
    "postgresql://insights:p@tell-n0body/x@db/agent",
    "postgresql://insights:tell-n0body%FF@db/agent",
    "postgresql://insights:tell-n0body@db/agent?sslmode=yes",
    "postgresql://insights:tell-n0body@db/agent?sslpassword=tell-n0body",
    "postgresql://insights@db/agent?password=tell-n0body&password=tell-n0body",
    "postgresql://insights:tell-n0body@db/agent?nonsense=1",
    "sqlite://insights:tell-n0body@/file.db",
    "sqlite:///:memory:",
];

#[test]
fn a_bad_url_is_explained_without_being_quoted() {
    let mut said = String::new();
    for url in BAD_URLS {
        let run = Xtask::at("rotate-dcr", url).secret("tell-n0body");
        let ended = run.run();
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (Some(1), ""),
            "{ended:?}"
        );
        let shown = url.replace("tell-n0body", "[password]");
        said.push_str(&format!("{shown}\n{}\n", ended.stderr));
    }
    assert_file_snapshot("bad_urls", said);
}

#[test]
fn three_slashes_are_relative_and_four_absolute() -> Result<()> {
    for form in [
        "sqlite+aiosqlite:///clients.sqlite",
        "sqlite+aiosqlite:///./clients.sqlite",
        "sqlite:///../FOLDER/clients.sqlite",
        "sqlite:////ABSOLUTE/clients.sqlite",
        " sqlite+aiosqlite:////ABSOLUTE/clients.sqlite?timeout=5\n",
    ] {
        let file = SqliteFile::with_tables()?;
        file.insert(&clients(2)?)?;
        let folder = file.folder().canonicalize()?;
        let absolute = folder.display().to_string();
        let name = folder
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let url = form
            .replace("/ABSOLUTE", &absolute)
            .replace("FOLDER", &name.unwrap_or_default());
        let ended = Xtask::at("rotate-dcr", &url).current_dir(&folder).run();
        assert_eq!(ended.code, Some(0), "{url}: {ended:?}");
        assert!(
            file.rows()?.iter().all(|row| row.opened(NEW)[0].is_some()),
            "{url}"
        );
    }
    Ok(())
}

#[test]
fn a_path_may_hold_what_a_url_would_encode() -> Result<()> {
    for name in [
        "a b.db",
        "50%.db",
        "x@y:z#1.db",
        "ünïcødé.db",
        "it's;.db",
        "a&b=c.db",
    ] {
        let file = SqliteFile::with_tables()?;
        file.insert(&clients(1)?)?;
        fs::rename(file.path(), file.folder().join(name))?;
        let url = format!("sqlite:///{name}");
        let ended = Xtask::at("rotate-dcr", &url)
            .current_dir(file.folder())
            .run();
        assert_eq!(ended.code, Some(0), "{name}: {ended:?}");
        assert_eq!(file.files()?, [name]);
    }
    Ok(())
}

#[test]
fn a_relative_path_from_another_folder_names_the_absolute_one() -> Result<()> {
    let file = SqliteFile::with_tables()?;
    let elsewhere = tempfile::tempdir()?;
    let folder = elsewhere.path().canonicalize()?;
    let run = Xtask::at("rotate-dcr", "sqlite:///clients.sqlite");
    let ended = run.current_dir(&folder).run();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let message = format!(
        "error: no database file at `{}/clients.sqlite`\n",
        folder.display()
    );
    assert!(ended.stderr.contains(&message), "{ended:?}");
    assert!(
        ended.stderr.contains("four slashes make it absolute"),
        "{ended:?}"
    );
    assert_eq!(fs::read_dir(&folder)?.count(), 0);
    drop(file);
    Ok(())
}

/// Every dialect word and parameter under which the service's drivers know it.
#[tokio::test(flavor = "multi_thread")]
async fn each_form_of_a_postgres_url_leads_to_the_database() -> Result<()> {
    let subject = Subject::with_clients(Backend::Postgres, 2).await?;
    let url = subject.url();
    let Some((_, rest)) = url.split_once("://") else {
        bail!("no URL");
    };
    for url in [
        format!("postgresql+asyncpg://{rest}"),
        format!("postgresql://{rest}"),
        format!("postgres://{rest}"),
        format!("postgresql+psycopg2://{rest}?sslmode=disable"),
        format!("postgresql+asyncpg://{rest}?ssl=prefer"),
        format!("postgresql://{rest}?sslmode=allow&application_name=x&connect_timeout=3"),
        format!(" postgresql://{rest}\n"),
    ] {
        let ended = Xtask::at("survey-dcr", &url).run();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.stdout.starts_with("Surveyed 2 clients "), "{ended:?}");
    }
    Ok(())
}

/// As Cloud SQL's usual URL has it: no host, and a folder with a socket.
#[tokio::test(flavor = "multi_thread")]
async fn a_socket_in_a_folder_leads_to_the_database() -> Result<()> {
    let subject = Subject::with_clients(Backend::Postgres, 3).await?;
    let Subject::Postgres(database) = &subject else {
        bail!("not Postgres");
    };
    let folder = tempfile::tempdir()?;
    let _proxy = Proxy::start_on_socket(database.server(), folder.path());
    let url = database.url_through_socket(folder.path());
    // A socket is plain, whatever is demanded of connections over TCP.
    let run = Xtask::at("rotate-dcr", &url).env("DATABASE_REQUIRE_SSL", "true");
    let ended = run.run();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let rows = subject.rows().await?;
    assert!(rows.iter().all(|row| row.opened(NEW)[0].is_some()));

    let empty = tempfile::tempdir()?;
    let ended = Xtask::at("rotate-dcr", &database.url_through_socket(empty.path())).run();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let message = format!("error: cannot connect to `{}", empty.path().display());
    assert!(ended.stderr.contains(&message), "{ended:?}");
    Ok(())
}

/// The role's password is full of what must be percent-encoded.
#[tokio::test(flavor = "multi_thread")]
async fn user_and_password_are_percent_encoded() -> Result<()> {
    let subject = Subject::with_clients(Backend::Postgres, 2).await?;
    let Subject::Postgres(database) = &subject else {
        bail!("not Postgres");
    };
    let role = database.server().create_role("").await;
    database.give_to(role.name()).await;
    let url = database.url_as(role.name(), role.password());
    assert!(url.contains("%40%3A%2F%3F%23%2525@"), "{url}");
    let ended = Xtask::at("rotate-dcr", &url).secret(role.password()).run();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    // The same password in the query, where it goes before the other.
    let (before, after) = url.split_once('@').unwrap_or_default();
    let (user, password) = before.rsplit_once(':').unwrap_or_default();
    let in_query = format!("{user}:wr0ng-password@{after}?password={password}");
    let run = Xtask::at("survey-dcr", &in_query)
        .secret(role.password())
        .secret(password);
    let ended = run.arg("--verbose").run();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    Ok(())
}
