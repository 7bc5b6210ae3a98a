//! The picture in the README is the demonstration as it runs now.
//!
//! What is drawn is a recording of one run, kept beside the other fixtures;
//! `TEST_RECORD_DEMO=1` records it anew and draws it.
use std::fs;
use std::path::PathBuf;

use anstyle::{Color, RgbColor};
use anstyle_svg::Term;
use anyhow::{Context as _, Result};
use integration_tests::Program;

use super::repository::{read, root};
use crate::command_line::hidden_in_demo;

const RECORDING: &str = "tests/fixtures/demo.txt";
const PICTURE: &str = "docs/demo.svg";

/// Where the recorded run was: a default that is another folder on every machine.
const FOLDER: &str = "target/rotation-demo";

/// Columns of the terminal that is drawn.
const COLUMNS: usize = 100;

/// Colours that stand out from a light page and from a dark one.
const TEXT: Color = Color::Rgb(RgbColor(0xd1, 0xd7, 0xe0));
const BACKGROUND: Color = Color::Rgb(RgbColor(0x26, 0x2c, 0x36));
const PROMPT: &str = "\u{1b}[38;2;120;200;130m";
const LEFT_OUT: &str = "\u{1b}[38;2;145;152;161m";
const PLAIN: &str = "\u{1b}[0m";

/// Both streams of the demonstration, as a terminal shows them.
fn demonstrated() -> Result<String> {
    let parent = tempfile::tempdir()?;
    let folder = parent.path().join("demo");
    let program = env!("CARGO_BIN_EXE_xtask-under-test");
    let line = format!("'{program}' demo --dir '{}' 2>&1", folder.display());
    let output = Program::xtask("/bin/sh").args(["-c", &line]).run();
    assert_eq!(output.code, Some(0), "{output:?}");
    Ok(output.stdout.replace(&folder.display().to_string(), FOLDER))
}

/// What is the same in every run. How much the service does between two steps is chance.
fn lasting(recording: &str) -> Result<String> {
    let parent = PathBuf::from(FOLDER);
    let is_chance = |line: &&str| {
        line.contains("tokens swept: ")
            || line.contains("can't answer known orders") && !line.contains("outage:")
    };
    let lines = recording.lines().filter(|line| !is_chance(line));
    let lines = lines.map(|line| {
        line.split(' ')
            .map(word_hidden)
            .collect::<Vec<_>>()
            .join(" ")
    });
    let text = hidden_in_demo(&lines.collect::<Vec<_>>().join("\n"), &parent);
    let (before, swept) = text.split_once(" swept").context("no sweep")?;
    let (before, number) = before.rsplit_once(' ').context("no number")?;
    assert!(number.parse::<u32>()? < 100, "{number} swept");
    Ok(format!("{before} [some] swept{swept}")
        .replace("the old key: it is so already", "the old key"))
}

/// What only this recording has, beside what the demonstration prints to standard output.
fn word_hidden(word: &str) -> &str {
    let clients = word.parse::<u32>().ok();
    if word.ends_with("Z.sqlite") {
        "[backup]"
    } else if word.contains("/runs/dcr-encryption-key-2") {
        "[report]"
    } else if clients.is_some_and(|clients| (1000..1100).contains(&clients)) {
        "[1,000 and some]"
    } else {
        word
    }
}

/// The terminal: the command, what it does, and what the service saw.
fn drawn(recording: &str) -> Result<String> {
    let (start, steps) = recording.split_once("  1/").context("no first step")?;
    let start = start.split_once("Plan:").context("no plan")?;
    let (steps, rest) = steps.split_once("\n\n").context("no end of the steps")?;
    let (_, saw) = rest.split_once("\n3. ").context("no third part")?;
    let (saw, _) = saw.split_once("\n\n").context("no end")?;
    let text = format!(
        "{PROMPT}${PLAIN} cargo xtask demo\n{}{LEFT_OUT}… the plan{PLAIN}\n  1/{steps}\n\n\
         {LEFT_OUT}… 2. The status after it{PLAIN}\n\n3. {saw}",
        start.0
    );
    let text: Vec<String> = text.lines().map(wrapped).collect();
    let terminal = Term::new().fg_color(TEXT).bg_color(BACKGROUND);
    Ok(terminal.render_svg(&text.join("\n")))
}

/// As a terminal breaks a line that is too long; only plain ones are.
fn wrapped(line: &str) -> String {
    let characters: Vec<char> = line.chars().collect();
    let rows = characters.chunks(COLUMNS).map(|row| row.iter().collect());
    rows.collect::<Vec<String>>().join("\n")
}

#[test]
fn the_picture_shows_what_the_demonstration_does_now() -> Result<()> {
    let now = demonstrated()?;
    if std::env::var_os("TEST_RECORD_DEMO").is_some_and(|value| value == "1") {
        fs::write(root()?.join(RECORDING), &now)?;
        fs::write(root()?.join(PICTURE), drawn(&now)?)?;
    }
    let recorded = read(RECORDING)?;
    let how = "TEST_RECORD_DEMO=1 records it anew";
    assert_eq!(lasting(&recorded)?, lasting(&now)?, "{RECORDING}: {how}");
    assert_eq!(read(PICTURE)?, drawn(&recorded)?, "{PICTURE}: {how}");
    Ok(())
}
