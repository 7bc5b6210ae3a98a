//! TLS as the URL and `DATABASE_REQUIRE_SSL` demand it.
use std::path::Path;

use anyhow::Result;
use integration_tests::{TestDatabase, TlsServer};

use super::{Ended, Xtask};
use crate::subject::{Backend, NEW, Subject, clients};

/// A database with two clients on the server that accepts TLS only.
struct BehindTls {
    subject: Subject,
    server: &'static TlsServer,
}

impl BehindTls {
    async fn create() -> Result<BehindTls> {
        let server = TlsServer::shared();
        let database = TestDatabase::create_on(server.postgres()).await;
        let subject = Subject::Postgres(database);
        subject.insert(&clients(2)?).await?;
        Ok(BehindTls { subject, server })
    }

    fn url(&self, host: &str, parameters: &str) -> String {
        let right = format!("@{}:", TlsServer::RIGHT_HOST);
        let url = self.subject.url().replace(&right, &format!("@{host}:"));
        format!("{url}{parameters}")
    }

    fn survey(&self, host: &str, parameters: &str) -> Ended {
        Xtask::at("survey-dcr", &self.url(host, parameters)).run()
    }
}

fn with_authority(mode: &str, authority: &Path) -> String {
    format!("?sslmode={mode}&sslrootcert={}", authority.display())
}

fn assert_surveyed(ended: &Ended) {
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.starts_with("Surveyed 2 clients "), "{ended:?}");
}

fn assert_refused(ended: &Ended, error: &str, hint: &str) {
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(ended.stdout, "", "{ended:?}");
    let error = format!("error: {error}");
    assert!(ended.stderr.contains(&error), "expected {error}: {ended:?}");
    assert!(
        ended.stderr.contains("\nstate: nothing was changed\n"),
        "{ended:?}"
    );
    assert!(ended.stderr.contains(hint), "expected {hint}: {ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_name_and_authority_are_accepted() -> Result<()> {
    let behind = BehindTls::create().await?;
    let verified = with_authority("verify-full", behind.server.authority_pem());
    let url = behind.url(TlsServer::RIGHT_HOST, &verified);
    let ended = Xtask::at("rotate-dcr", &url).run();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let rows = behind.subject.rows().await?;
    assert!(rows.iter().all(|row| row.opened(NEW)[0].is_some()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_name_is_refused_where_the_name_is_checked() -> Result<()> {
    let behind = BehindTls::create().await?;
    let (authority, port) = (behind.server.authority_pem(), behind.server.port());
    let ended = behind.survey(
        TlsServer::WRONG_HOST,
        &with_authority("verify-full", authority),
    );
    let error = format!("the certificate of `127.0.0.1:{port}` is for another name\n");
    assert_refused(&ended, &error, "sslmode=verify-ca");
    // Where only the authority is checked, or nothing, that name does.
    for mode in ["verify-ca", "require"] {
        assert_surveyed(&behind.survey(TlsServer::WRONG_HOST, &with_authority(mode, authority)));
    }
    assert_surveyed(&behind.survey(TlsServer::WRONG_HOST, "?sslmode=require"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_authority_is_refused_where_the_authority_is_checked() -> Result<()> {
    let behind = BehindTls::create().await?;
    let (wrong, port) = (behind.server.wrong_authority_pem(), behind.server.port());
    let error = format!(
        "the certificate of `localhost:{port}` is by an authority that is not trusted here\n"
    );
    for mode in ["verify-full", "verify-ca", "require"] {
        let ended = behind.survey(TlsServer::RIGHT_HOST, &with_authority(mode, wrong));
        assert_refused(&ended, &error, "sslrootcert=");
    }
    // The system's authorities don't know it either.
    let ended = behind.survey(TlsServer::RIGHT_HOST, "?sslmode=verify-full");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_holds_no_authority_is_named() -> Result<()> {
    let behind = BehindTls::create().await?;
    let folder = tempfile::tempdir()?;
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "not a certificate")?;
    for path in [empty, folder.path().join("missing.pem")] {
        let ended = behind.survey(TlsServer::RIGHT_HOST, &with_authority("verify-full", &path));
        let error = format!("`{}` holds no usable certificate authority", path.display());
        assert_refused(&ended, &error, "");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_demands_tls_gets_it_unless_the_url_forbids_it() -> Result<()> {
    let behind = BehindTls::create().await?;
    for parameters in ["", "?sslmode=prefer", "?sslmode=require", "?ssl=require"] {
        assert_surveyed(&behind.survey(TlsServer::RIGHT_HOST, parameters));
    }
    let required = Xtask::at("survey-dcr", &behind.subject.url());
    assert_surveyed(&required.env("DATABASE_REQUIRE_SSL", "true").run());
    let port = behind.server.port();
    let ended = behind.survey(TlsServer::RIGHT_HOST, "?sslmode=disable");
    let error = format!("`localhost:{port}` accepts no connection without TLS: ");
    assert_refused(&ended, &error, "sslmode=require");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_tls_is_refused_where_tls_is_demanded() -> Result<()> {
    let subject = Subject::with_clients(Backend::Postgres, 2).await?;
    let url = subject.url();
    for (parameters, required) in [
        ("?sslmode=require", ""),
        ("?sslmode=verify-full", ""),
        ("", "true"),
        ("?sslmode=require", "false"),
    ] {
        let url = format!("{url}{parameters}");
        for command in ["rotate-dcr", "survey-dcr"] {
            let run = Xtask::at(command, &url).env("DATABASE_REQUIRE_SSL", required);
            let ended = run.run();
            assert_refused(&ended, "`127.0.0.1:", "sslmode=disable");
            assert!(ended.stderr.contains("` does not speak TLS"), "{ended:?}");
        }
    }
    for (parameters, required) in [
        ("?sslmode=prefer", ""),
        ("", "no"),
        ("?sslmode=disable", ""),
    ] {
        let run = Xtask::at("survey-dcr", &format!("{url}{parameters}"));
        assert_surveyed(&run.env("DATABASE_REQUIRE_SSL", required).run());
    }
    let run = Xtask::at("rotate-dcr", &url).env("DATABASE_REQUIRE_SSL", "perhaps");
    assert_refused(
        &run.run(),
        "DATABASE_REQUIRE_SSL is neither `true` nor `false`",
        "",
    );
    Ok(())
}
