//! What can be wrong with a key, and with two.
use std::fs;

use anyhow::Result;

use super::xtask::key_file;
use super::{Xtask, assert_file_snapshot};
use crate::subject::{Backend, NEW, OLD, Subject};

/// Each in place of the old key.
const BAD_KEYS: [(&str, &str); 15] = [
    (
        "one byte short",
        "EREREREREREREREREREREUtLS0tLS0tLS0tLS0tLSw==",
    ),
    ("cut off", "EREREREREREREREREREREUtLS0tL"),
    (
        "one byte long",
        "EREREREREREREREREREREUtLS0tLS0tLS0tLS0tLS0tL",
    ),
    ("no padding", "EREREREREREREREREREREUtLS0tLS0tLS0tLS0tLS0s"),
    (
        "encoded twice",
        "RVJFUkVSRVJFUkVSRVJFUkVSRVJFVXRMUzB0TFMwdExTMHRMUzB0TFMwcz0=",
    ),
    (
        "in quotes",
        "\"EREREREREREREREREREREUtLS0tLS0tLS0tLS0tLS0s=\"",
    ),
    (
        "as Python prints bytes",
        "b'EREREREREREREREREREREUtLS0tLS0tLS0tLS0tLS0s='",
    ),
    (
        "with its name",
        "DCR_OLD_KEY=EREREREREREREREREREREUtLS0tLS0tLS0tLS0tLS0s=",
    ),
    (
        "hexadecimal",
        "11111111111111111111111111111111 4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b",
    ),
    (
        "two keys",
        "EREREREREREREREREREREUtLS0tLS0tLS0tLS0tLS0s=IiIiIiIiIiIiIiIiIiIiInh4eHh4eHh4eHh4eHh4eHg=",
    ),
    (
        "a character of no alphabet",
        "EREREREREREREREREREREUtLS0tLS0tLS0tLS0tL!0s=",
    ),
    (
        "a token",
        "gAAAAABmONLAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    ),
    ("white space only", " \n"),
    ("a pass phrase", "correct horse battery staple"),
    (
        "a character beyond ASCII",
        "EREREREREREREREREREREUtLS0tLS0tLS0tLS0tLS0§=",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_bad_key_has_a_message_of_its_own() -> Result<()> {
    let subject = Subject::with_clients(Backend::Sqlite, 2).await?;
    let before = subject.footprint().await?;
    let mut said = String::new();
    for (name, key) in BAD_KEYS {
        let ended = Xtask::on("rotate-dcr", &subject)
            .env("DCR_OLD_KEY", key)
            .run();
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (Some(1), ""),
            "{name}: {ended:?}"
        );
        said.push_str(&format!("{name}\n{}\n", ended.stderr));
        // The same from a file, and for the new key.
        let file = key_file(tempfile::tempdir()?.keep().as_path(), "new.key", key)?;
        let run = Xtask::on("rotate-dcr", &subject).secret(key);
        let ended = run.arg("--new-key-file").arg(&file).run();
        fs::remove_dir_all(file.parent().unwrap_or(&file))?;
        assert_eq!(ended.code, Some(1), "{name}: {ended:?}");
        assert!(
            ended.stderr.starts_with("error: the new key from `"),
            "{name}: {ended:?}"
        );
    }
    assert_file_snapshot("bad_keys", said);
    assert!(
        subject.footprint().await? == before,
        "something was written"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn white_space_around_a_key_is_accepted_with_a_warning() -> Result<()> {
    for key in [
        format!("{OLD}\n"),
        format!(" {OLD}"),
        format!("{OLD}\r\n"),
        format!("{OLD}="),
    ] {
        let subject = Subject::with_clients(Backend::Sqlite, 2).await?;
        let ended = Xtask::on("rotate-dcr", &subject)
            .env("DCR_OLD_KEY", &key)
            .run();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let warning = "warning: the old key from DCR_OLD_KEY: the key ";
        assert!(ended.stderr.starts_with(warning), "{ended:?}");
        assert!(
            ended.stderr.contains("which the service accepts too"),
            "{ended:?}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_keys_are_refused_however_they_are_spelled() -> Result<()> {
    let subject = Subject::with_clients(Backend::Sqlite, 2).await?;
    let before = subject.footprint().await?;
    for new in [
        OLD.to_owned(),
        format!("{OLD}\n"),
        OLD.replace("S0s=", "S0t="),
    ] {
        for command in ["rotate-dcr", "survey-dcr"] {
            let ended = Xtask::on(command, &subject).env("DCR_NEW_KEY", &new).run();
            assert_eq!(ended.code, Some(1), "{ended:?}");
            let message =
                "error: the old key and the new key are the same key (`f584d96052b80a7e`)\n";
            assert!(ended.stderr.contains(message), "{ended:?}");
        }
    }
    assert!(
        subject.footprint().await? == before,
        "something was written"
    );
    Ok(())
}

/// Rotated already, or the keys are the wrong way round: the survey can't know.
#[tokio::test(flavor = "multi_thread")]
async fn swapped_keys_are_said_to_be_perhaps_swapped() -> Result<()> {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let subject = Subject::with_clients(backend, 2).await?;
        let before = subject.footprint().await?;
        for command in ["rotate-dcr", "survey-dcr"] {
            let run = Xtask::on(command, &subject);
            let ended = run.env("DCR_OLD_KEY", NEW).env("DCR_NEW_KEY", OLD).run();
            assert_eq!(ended.code, Some(0), "{ended:?}");
            assert!(
                ended.stdout.contains("the two keys may be swapped"),
                "{ended:?}"
            );
        }
        assert!(
            subject.footprint().await? == before,
            "something was written"
        );
    }
    Ok(())
}
