//! Secrets typed as arguments: refused, and never shown again.
use anyhow::Result;

use super::{Ended, Xtask, assert_file_snapshot};
use crate::subject::{Backend, FOREIGN, NEW, OLD, OLDER, Subject};

/// A URL with a password that is in [`assert_refused`]'s list of secrets.
const URL: &str = "postgresql+asyncpg://insights:tell-n0body%2F@db.example.com:5432/agent";

/// Refused as wrong usage, without the table being touched; what was typed is in
/// none of the streams, for the keys are looked for in every test.
async fn assert_refused(arguments: &[&str]) -> Result<Ended> {
    let subject = Subject::with_clients(Backend::Sqlite, 2).await?;
    let before = subject.footprint().await?;
    let run = Xtask::on("rotate-dcr", &subject)
        .secret("tell-n0body%2F")
        .secret("tell-n0body/")
        .secret("tell-n0body")
        .args(arguments);
    let ended = run.run();
    assert_eq!(ended.code, Some(64), "{ended:?}");
    assert_eq!(ended.stdout, "", "{ended:?}");
    assert!(
        subject.footprint().await? == before,
        "something was written"
    );
    Ok(ended)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_as_the_value_of_a_flag_is_refused_with_the_reason() -> Result<()> {
    for flag in [
        "--old-key",
        "--new-key",
        "--key",
        "--dcr-old-key",
        "--dcr-new-key",
    ] {
        let joined = format!("{flag}={OLDER}");
        for arguments in [
            &[flag, OLDER][..],
            &[&joined],
            &["--dry-run", flag, FOREIGN, "--yes"],
        ] {
            let ended = assert_refused(arguments).await?;
            let reason = format!("error: `{flag}` does not exist: secrets are never arguments");
            assert!(ended.stderr.starts_with(&reason), "{ended:?}");
            assert!(
                ended.stderr.contains("\nstate: nothing was changed\n"),
                "{ended:?}"
            );
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_url_as_an_argument_is_refused_with_the_reason() -> Result<()> {
    for flag in ["--database-url", "--url"] {
        let joined = format!("{flag}={URL}");
        for arguments in [&[flag, URL][..], &[&joined]] {
            let ended = assert_refused(arguments).await?;
            let reason = format!("error: `{flag}` does not exist: secrets are never arguments");
            assert!(ended.stderr.starts_with(&reason), "{ended:?}");
            assert!(ended.stderr.contains("DATABASE_URL"), "{ended:?}");
        }
    }
    let ended = assert_refused(&["--password", "tell-n0body"]).await?;
    assert!(
        ended.stderr.contains("secrets are never arguments"),
        "{ended:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_for_a_secret_explains_itself() -> Result<()> {
    let ended = assert_refused(&["--old-key", OLD]).await?;
    assert_file_snapshot("old_key_as_an_argument", ended.streams());
    let ended = assert_refused(&["--old-key-file", OLD]).await?;
    assert_file_snapshot("old_key_as_a_path", ended.streams());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_stray_argument_is_quoted() -> Result<()> {
    let unpadded = OLDER.trim_end_matches('=');
    let dashed = format!("-{OLDER}");
    let double_dashed = format!("--{OLDER}");
    let unknown = format!("--unknown={OLDER}");
    let format = format!("--format={OLDER}");
    let switch = format!("--yes={OLDER}");
    let short = format!("-y{OLDER}");
    let column = format!("clients.{OLDER}.{NEW}.{FOREIGN}");
    for arguments in [
        &[OLDER][..],
        &[unpadded],
        &[OLD, NEW],
        &["--", OLDER],
        &[&dashed],
        &[&double_dashed],
        &[&unknown],
        &[&format],
        &[&switch],
        &[&short],
        &["--lock-timeout", OLDER],
        &["--statement-timeout", "tell-n0body"],
        &["--exclude-column", OLDER],
        &["--exclude-column", &column],
        &["--new-key-file", "a", "--new-key-file", OLDER],
        &[URL],
        &["--yes", URL],
        &["tell-n0body"],
        &["--tell-n0body"],
        &["--tell-n0body=x"],
    ] {
        assert_refused(arguments).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_in_the_place_of_the_command_is_not_quoted() -> Result<()> {
    for stray in [OLDER, URL, "tell-n0body"] {
        let ended = Xtask::new(stray).secret("tell-n0body").run();
        assert_eq!(ended.code, Some(64), "{ended:?}");
        assert_eq!(ended.stdout, "", "{ended:?}");
    }
    Ok(())
}

/// A path is shown when it is wrong, unless it may be a key or hold a password.
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_in_the_place_of_a_path_is_not_quoted() -> Result<()> {
    let subject = Subject::with_clients(Backend::Sqlite, 1).await?;
    let unpadded = OLDER.trim_end_matches('=');
    let standard_alphabet = "ab+/ab+/ab+/ab+/ab+/ab+/ab+/ab+/ab+/ab+/ab8=";
    let joined = format!("--old-key-file={OLDER}");
    for (arguments, code) in [
        (&["--old-key-file", OLDER][..], 64),
        (&["--new-key-file", OLDER], 64),
        (&[&joined], 64),
        (&["--old-key-file", unpadded], 64),
        (&["--old-key-file", standard_alphabet], 64),
        (&["--old-key-file", URL], 64),
        (&["--settings", URL], 1),
        // What an issuer makes has no form by which it could be told.
        (&["--new-key-file", "tell-n0body-3f2b8c1e77aa4c1d"], 64),
    ] {
        let run = Xtask::on("rotate-dcr", &subject)
            .secret("tell-n0body")
            .secret(unpadded)
            .secret(standard_alphabet)
            .args(arguments);
        let ended = run.run();
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(ended.stderr.contains("not shown"), "{ended:?}");
    }
    let ended = Xtask::on("rotate-dcr", &subject)
        .args(&["--old-key-file", "no/such.key"])
        .run();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("`no/such.key`"), "{ended:?}");
    Ok(())
}
