//! What other processes of the machine can learn of a run.
use std::fs;

use anyhow::Result;
use integration_tests::Program;
use platform::SECRET_VARIABLES;

use super::Xtask;
use super::xtask::key_file;
use crate::subject::{Backend, NEW, OLD, OLDER, Subject, Writer};

/// While it waits for a lock, with all keys read.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn no_core_files_and_no_secret_among_the_arguments() -> Result<()> {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let subject = Subject::with_clients(backend, 2).await?;
        let folder = tempfile::tempdir()?;
        let older = key_file(folder.path(), "older.key", OLDER)?;
        let writer = Writer::inserting(&subject, "never committed").await?;
        let url = subject.url();
        let run = Xtask::at("rotate-dcr", &url)
            .arg("--old-key-file")
            .arg(older);
        let run = run.args(&["--old-key-file", "-"]).stdin(OLD);
        let mut started = run.spawn();
        started.running.wait_for("waiting for the lock");
        let of_process = |name: &str| {
            fs::read(format!("/proc/{}/{name}", started.running.pid()))
                .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        };
        let (limits, arguments) = (of_process("limits")?, of_process("cmdline")?);
        writer.finish("ROLLBACK").await?;
        let ended = started.wait();
        assert_eq!(ended.code, Some(0), "{ended:?}");

        let core = limits
            .lines()
            .find(|line| line.starts_with("Max core file size"));
        let words: Vec<&str> = core.unwrap_or_default().split_whitespace().collect();
        // Soft and hard: nothing in the process can raise it again.
        assert_eq!(
            words,
            ["Max", "core", "file", "size", "0", "0", "bytes"],
            "{limits}"
        );

        assert!(arguments.contains("rotate-dcr"), "{arguments}");
        let password = url
            .rsplit_once('@')
            .and_then(|(login, _)| login.rsplit_once(':'));
        for secret in [
            OLD,
            NEW,
            OLDER,
            password.map_or(OLD, |(_, password)| password),
        ] {
            assert!(
                !arguments.contains(secret),
                "a secret is among the arguments"
            );
        }
    }
    Ok(())
}

/// A panic, whose message may quote anything, prints its place and nothing else;
/// this only shows that nothing in a run's environment turns more on.
#[tokio::test(flavor = "multi_thread")]
async fn variables_for_debugging_print_no_secret() -> Result<()> {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let subject = Subject::fixture(backend, "unreadable").await?;
        let run = Xtask::on("rotate-dcr", &subject)
            .env("RUST_BACKTRACE", "full")
            .env("RUST_LOG", "trace")
            .env("PGPASSWORD", "tell-n0body")
            .secret("tell-n0body");
        let ended = run.arg("--verbose").run();
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(!ended.stderr.contains("stack backtrace"), "{ended:?}");
    }
    Ok(())
}

/// A reader that goes away, such as `head`, is no reason to stop a rotation.
#[tokio::test(flavor = "multi_thread")]
async fn a_closed_pipe_does_not_stop_a_rotation() -> Result<()> {
    let subject = Subject::with_clients(Backend::Sqlite, 2).await?;
    let program = env!("CARGO_BIN_EXE_xtask-under-test");
    let line = format!("{{ '{program}' rotate-dcr; echo $? >&3; }} 3>&2 2>&1 | true; wait");
    let shell = Program::xtask("/bin/sh").args(["-c", &line]);
    let run = Xtask::by(shell).with_keys();
    let ended = run.env("DATABASE_URL", &subject.url()).run();
    assert_eq!(ended.stderr.trim(), "0", "{ended:?}");
    let rows = subject.rows().await?;
    assert!(rows.iter().all(|row| row.opened(NEW)[0].is_some()));
    Ok(())
}

/// What takes cargo's place tells all that it is given.
#[test]
fn a_soak_hands_no_secret_to_the_tests() -> Result<()> {
    let folder = tempfile::tempdir()?;
    // Not written by this process: a child of another test might hold it open for writing.
    let write = "printf '#!/bin/sh\\nenv\\n' > cargo && chmod u+x cargo";
    let written = Program::xtask("sh").args(["-c", write]);
    assert_eq!(written.current_dir(folder.path()).run().code, Some(0));
    let cargo = folder.path().join("cargo");
    let run = Xtask::new("soak").args(&["--runs", "7", "--seed", "3"]);
    let run = run.current_dir(env!("CARGO_MANIFEST_DIR").as_ref());
    let run = run.env("CARGO", &cargo.to_string_lossy());
    // Of what another shell may have set, nothing counts.
    let run = run.env("SOAK_CASE", "9").env("SOAK_POWER_CUTS", "1");
    let run = SECRET_VARIABLES
        .iter()
        .fold(run, |run, name| run.env(name, "tell-n0body"));
    let ended = run.secret("tell-n0body").run();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for told in ["SOAK_RUNS=7", "SOAK_SEED=3"] {
        assert!(ended.stdout.contains(told), "{ended:?}");
    }
    for untold in ["SOAK_CASE", "SOAK_POWER_CUTS"] {
        assert!(!ended.stdout.contains(untold), "{ended:?}");
    }
    Ok(())
}
