//! What people read: reports, plans and help.
use anyhow::Result;

use super::snapshot::hidden;
use super::{Xtask, assert_file_snapshot};
use crate::subject::{Backend, FOREIGN, Subject};

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_for_people() -> Result<()> {
    for (backend, name) in [(Backend::Sqlite, "sqlite"), (Backend::Postgres, "postgres")] {
        let subject = Subject::with_clients(backend, 1_234).await?;
        let run = |arguments: &[&str]| {
            let ended = Xtask::on("rotate-dcr", &subject).args(arguments).run();
            hidden(&ended.streams(), &subject)
        };
        assert_file_snapshot(format!("rotate_dry_on_{name}"), run(&["--dry-run"]));
        assert_file_snapshot(format!("rotate_on_{name}"), run(&[]));
        assert_file_snapshot(format!("rotate_again_on_{name}"), run(&["--yes"]));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_survey_for_people() -> Result<()> {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let subject = Subject::with_clients(backend, 1_234).await?;
        let survey = |run: Xtask| hidden(&run.run().stdout, &subject);
        let run = Xtask::on("survey-dcr", &subject);
        assert_file_snapshot("survey_before", survey(run.clone()));
        assert_file_snapshot(
            "survey_with_one_key",
            survey(run.clone().env("DCR_NEW_KEY", "")),
        );
        assert_file_snapshot("survey_with_other_keys", {
            let other = run.clone().env("DCR_OLD_KEY", FOREIGN).run();
            hidden(
                other
                    .stdout
                    .rsplit_once("unreadable: ")
                    .unwrap_or_default()
                    .1,
                &subject,
            )
        });
        let rotated = Xtask::on("rotate-dcr", &subject).run();
        assert_eq!(rotated.code, Some(0), "{rotated:?}");
        assert_file_snapshot("survey_after", survey(run));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn unreadable_cells_for_people() -> Result<()> {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let subject = Subject::fixture(backend, "unreadable").await?;
        // A survey lists them as what it was asked for, a run as what is in its way.
        let survey = Xtask::on("survey-dcr", &subject).run();
        assert_file_snapshot(
            "survey_unreadable_for_people",
            hidden(&survey.stdout, &subject),
        );
        let run = Xtask::on("rotate-dcr", &subject).run();
        let (_, way) = run.stderr.split_once("re-encrypting\n").unwrap_or_default();
        let streams = format!("--- stdout\n{}--- stderr\n{way}", run.stdout);
        assert_file_snapshot("rotate_unreadable_for_people", hidden(&streams, &subject));
    }
    Ok(())
}

/// Order ids are anybody's: one must not clear the screen or hide another.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_id_cannot_move_the_cursor() -> Result<()> {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let subject = Subject::create(backend).await?;
        let row = crate::subject::Row::new("order\u{1b}[2J\n\u{202e}x", "damaged");
        subject.insert(&[row]).await?;
        for arguments in [&[][..], &["--format", "json"]] {
            let ended = Xtask::on("survey-dcr", &subject).args(arguments).run();
            assert_eq!(ended.code, Some(1), "{ended:?}");
            assert!(ended.stdout.contains("order\\u"), "{ended:?}");
            for raw in ["\u{1b}", "\u{202e}"] {
                assert!(!ended.stdout.contains(raw) && !ended.stderr.contains(raw));
            }
        }
    }
    Ok(())
}

#[test]
fn each_command_explains_itself() {
    for command in [
        "rotate-dcr",
        "rotate-secret",
        "survey-dcr",
        "doctor",
        "status",
        "resume",
        "rollback",
        "report",
        "runbook",
        "demo",
        "completions",
        "man",
        "tidy",
        "soak",
    ] {
        let ended = Xtask::new(command).arg("--help").run();
        assert_eq!(
            (ended.code, ended.stderr.as_str()),
            (Some(0), ""),
            "{command}"
        );
        let name = format!("help_{}", command.replace('-', "_"));
        assert_file_snapshot(name, ended.stdout);
    }
    let ended = Xtask::new("--help").run();
    assert_file_snapshot("help", ended.stdout);
}

/// Clap shows the values of variables in its help if it is not told otherwise.
#[test]
fn help_does_not_show_the_environment() {
    let url = "postgresql://insights:tell-n0body@db/agent";
    for command in ["rotate-dcr", "survey-dcr"] {
        for flag in ["--help", "-h"] {
            let ended = Xtask::at(command, url).arg(flag).run();
            assert_eq!(ended.code, Some(0), "{ended:?}");
            assert!(ended.stdout.contains("--old-key-file"), "{ended:?}");
        }
    }
}
