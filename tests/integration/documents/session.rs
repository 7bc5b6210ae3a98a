//! The commands of a document are run, in the order in which they stand in a block, and end
//! as it says.
use std::fmt::Write as _;

use anyhow::{Result, bail, ensure};
use integration_tests::Output;

use super::commands::Command;
use super::markdown::{Block, Markdown};
use super::not_run::{ASKS_A_PERSON, NOT_RUN};
use super::stage::{SOAK_SECONDS, Stage};

/// What stands before each exit code in what a session prints.
const ENDED: &str = "== ended with ";
/// The run that was begun or taken up last.
const NEWEST_RUN: &str = "$(ls -t state/runs | head -n 1)";

/// What was done before: a run was left that waits for a value, or one is at its end.
fn before(what: &str) -> Result<String> {
    Ok(match what {
        "left" => "cargo xtask rotate-secret gma-client-secret >&2".to_owned(),
        "done" => format!(
            "cargo xtask rotate-secret session-database-url >&2; sleep {SOAK_SECONDS}; cargo xtask resume >&2"
        ),
        what => bail!("nothing is known of `{what}`"),
    })
}

/// Each command, and how it ended.
fn script(commands: &[Command]) -> String {
    let mut script = String::new();
    for command in commands {
        if command.comment.starts_with("a day later") {
            let _ = writeln!(script, "sleep {SOAK_SECONDS}");
        }
        let words = command.text.split(' ');
        let words = words.map(|word| if word == "RUN" { NEWEST_RUN } else { word });
        let text = words.collect::<Vec<_>>().join(" ");
        let _ = writeln!(script, "{text}\nprintf '\\n{ENDED}%s\\n' $?");
    }
    script
}

fn exit_codes(output: &Output) -> Vec<i32> {
    let lines = output.stdout.lines();
    let codes = lines.filter_map(|line| line.strip_prefix(ENDED));
    codes.filter_map(|code| code.parse().ok()).collect()
}

/// How a command ends where nobody answers.
fn expected(path: &str, command: &Command) -> i32 {
    match ASKS_A_PERSON.contains(&(path, command.text.as_str())) {
        true => 3,
        false => command.exit_code(),
    }
}

async fn run(path: &str, block: &Block) -> Result<()> {
    let Some((stage, what)) = block.stage() else {
        return Ok(());
    };
    let Some(stage) = Stage::named(stage).await? else {
        return Ok(());
    };
    let mut begun = String::new();
    if let Some(what) = what {
        begun = before(what)? + "\n";
    }
    let commands = block.commands();
    let output = stage.run(&(begun + &script(&commands)));
    let ended = exit_codes(&output);
    let said: Vec<i32> = commands.iter().map(|one| expected(path, one)).collect();
    assert_eq!(
        said, ended,
        "{path}: the exit codes that {commands:#?} should have\n--- output\n{}\n--- error\n{}",
        output.stdout, output.stderr
    );
    Ok(())
}

async fn run_all(path: &str, heading: &str) -> Result<()> {
    let markdown = Markdown::read(path)?;
    let is_ours = |block: &&Block| block.is_session() && block.heading == heading;
    let sessions: Vec<&Block> = markdown.blocks.iter().filter(is_ours).collect();
    ensure!(
        !sessions.is_empty(),
        "no commands under `{heading}` in {path}"
    );
    for block in sessions {
        run(path, block).await?;
    }
    Ok(())
}

/// Makes a test of each part of a document with commands that are run.
macro_rules! sessions {
    ($($test:ident: $path:literal $heading:literal)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $test() -> Result<()> {
                run_all($path, $heading).await
            }
        )*

        /// The parts that have a test.
        const TESTED: &[(&str, &str)] = &[$(($path, $heading)),*];
    };
}

sessions! {
    at_first_sight: "README.md" "Secret rotation"
    a_developer_rotates_the_key: "docs/developer.md" "The key of dcr_clients"
    a_developer_rotates_the_others: "docs/developer.md" "The other secrets"
    a_developer_takes_a_run_up_again: "docs/developer.md" "Left, failed, or not wanted any more"
    a_release_engineer_before_the_window: "docs/release-engineer.md" "Before the window"
    a_release_engineer_in_the_window: "docs/release-engineer.md" "The window"
    a_release_engineer_when_something_fails: "docs/release-engineer.md" "When something fails"
    a_release_engineer_goes_back: "docs/release-engineer.md" "Going back"
    a_release_engineer_in_an_emergency: "docs/release-engineer.md" "Emergency"
    a_release_engineer_with_the_table_alone: "docs/release-engineer.md" "The table alone"
    a_pipeline_is_set_up: "docs/ci.md" "For a CI pipeline"
    a_pipeline_looks_at_the_ages: "docs/ci.md" "A secret that is overdue"
    a_pipeline_rotates: "docs/ci.md" "A rotation in a pipeline"
    a_value_is_given: "xtask/README.md" "The value of a client secret"
    a_dry_run: "xtask/README.md" "A dry run"
}

#[test]
fn every_command_is_run_or_it_is_said_why_not() -> Result<()> {
    let (mut run, mut not_run) = (Vec::new(), Vec::new());
    for path in super::repository::markdown_files()? {
        let markdown = Markdown::read(&path)?;
        let sessions = markdown.blocks.iter().filter(|block| block.is_session());
        for block in sessions {
            let part = (path.as_str(), block.heading.as_str());
            let is_tested = block.stage().is_none() || TESTED.contains(&part);
            assert!(is_tested, "no test runs {part:?}");
            let commands = block.commands().into_iter();
            let commands = commands.map(|command| (path.clone(), command.text));
            match block.stage() {
                Some(_) => run.extend(commands),
                None => not_run.extend(commands),
            }
        }
    }
    let named = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let mut listed: Vec<_> = NOT_RUN.iter().map(|one| named(one.0, one.1)).collect();
    listed.sort();
    not_run.sort();
    assert_eq!(not_run, listed, "not run, and listed as that");
    for (path, text) in ASKS_A_PERSON {
        assert!(run.contains(&named(path, text)), "{path} has no `{text}`");
    }
    Ok(())
}
