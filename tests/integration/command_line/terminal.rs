//! A person at a terminal: hidden prompts, and a question before anything is changed.
//!
//! `script`, which every Linux has, makes the terminal; what is typed comes through a
//! named pipe, when the question for it has been shown.
#![cfg(target_os = "linux")]
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Result;
use integration_tests::Program;
use tempfile::TempDir;

use super::xtask::Started;
use super::{Ended, Xtask};
use crate::subject::{Backend, NEW, OLD, Subject};

/// The program at a terminal.
struct Seated {
    started: Started,
    keyboard: PathBuf,
    _folder: TempDir,
}

impl Seated {
    /// Starts a command with nothing but the database in its environment.
    fn at(command: &str, subject: &Subject) -> Result<Seated> {
        let folder = tempfile::tempdir()?;
        let keyboard = folder.path().join("keyboard");
        let program = env!("CARGO_BIN_EXE_xtask-under-test");
        // Open for both, so that neither side waits for the other.
        let script = r#"mkfifo "$KEYBOARD" && exec 3<>"$KEYBOARD" && exec script -qefc "$COMMAND" /dev/null <&3"#;
        let shell = Program::xtask("/bin/sh").args(["-c", script]);
        let started = Xtask::by(shell)
            .env("KEYBOARD", &keyboard.display().to_string())
            .env("COMMAND", &format!("exec '{program}' {command}"))
            .env("SHELL", "/bin/sh")
            .env("TERM", "xterm")
            .env("DATABASE_URL", &subject.url())
            .spawn();
        Ok(Seated {
            started,
            keyboard,
            _folder: folder,
        })
    }

    /// Waits for a question and types the answer.
    fn answer(&mut self, question: &str, text: &str) -> Result<()> {
        self.started.running.wait_for(question);
        let mut keyboard = OpenOptions::new().write(true).open(&self.keyboard)?;
        keyboard.write_all(text.as_bytes())?;
        Ok(())
    }

    fn wait(self) -> Ended {
        self.started.wait()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_asked_for_without_being_shown() -> Result<()> {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let subject = Subject::with_clients(backend, 3).await?;
        let mut seated = Seated::at("rotate-dcr", &subject)?;
        seated.answer("old key, which will not show: ", &format!("{OLD}\n"))?;
        seated.answer("new key, which will not show: ", &format!("{NEW}\n"))?;
        seated.answer("Go on? [y/N] ", "y\n")?;
        let ended = seated.wait();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let rows = subject.rows().await?;
        assert!(rows.iter().all(|row| row.opened(NEW)[0].is_some()));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn any_answer_but_yes_changes_nothing() -> Result<()> {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        // Enter alone, the end of the input, and Ctrl-C are no answer either.
        for answer in ["n\n", "\n", "yes please\n", "\u{4}", "\u{3}"] {
            let subject = Subject::with_clients(backend, 2).await?;
            let before = subject.footprint().await?;
            let mut seated = Seated::at("rotate-dcr", &subject)?;
            seated.answer("old key, which will not show: ", &format!("{OLD}\n"))?;
            seated.answer("new key, which will not show: ", &format!("{NEW}\n"))?;
            seated.answer("Go on? [y/N] ", answer)?;
            let ended = seated.wait();
            assert_eq!(ended.code, Some(3), "{answer:?}: {ended:?}");
            assert!(
                ended.stdout.contains("nothing was changed"),
                "{answer:?}: {ended:?}"
            );
            assert!(
                subject.footprint().await? == before,
                "something was written"
            );
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_at_a_hidden_prompt_stops() -> Result<()> {
    let subject = Subject::with_clients(Backend::Sqlite, 1).await?;
    for command in ["rotate-dcr", "survey-dcr"] {
        let mut seated = Seated::at(command, &subject)?;
        seated.answer("old key, which will not show: ", "\u{3}")?;
        let ended = seated.wait();
        assert_eq!(ended.code, Some(3), "{ended:?}");
        assert!(ended.stdout.contains("nothing was changed"), "{ended:?}");
    }
    Ok(())
}

/// What is wrong with a key that was typed is told as of any other.
#[tokio::test(flavor = "multi_thread")]
async fn a_bad_key_at_a_prompt_is_explained() -> Result<()> {
    let subject = Subject::with_clients(Backend::Sqlite, 1).await?;
    let mut seated = Seated::at("survey-dcr", &subject)?;
    seated.answer("old key, which will not show: ", "tell-n0body\n")?;
    let ended = seated.wait();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let error = "the old key from the terminal can't be used: ";
    assert!(ended.stdout.contains(error), "{ended:?}");
    assert!(!ended.stdout.contains("tell-n0body"), "{ended:?}");
    Ok(())
}

/// A dry run changes nothing, so there is nothing to be asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_and_yes_do_not_ask() -> Result<()> {
    let subject = Subject::with_clients(Backend::Sqlite, 2).await?;
    for command in ["rotate-dcr --dry-run", "rotate-dcr --yes"] {
        let mut seated = Seated::at(command, &subject)?;
        seated.answer("old key, which will not show: ", &format!("{OLD}\n"))?;
        seated.answer("new key, which will not show: ", &format!("{NEW}\n"))?;
        let ended = seated.wait();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(!ended.stdout.contains("Go on?"), "{ended:?}");
    }
    Ok(())
}
