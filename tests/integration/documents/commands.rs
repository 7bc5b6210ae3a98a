//! The commands that a document tells its readers to type.
use anyhow::Result;

use super::markdown::{Block, Markdown};
use super::repository::read;

/// A command, with the lines that it takes up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) text: String,
    /// What its comment says after it.
    pub(super) comment: String,
}

impl Command {
    /// How it ends, by its comment.
    pub(super) fn exit_code(&self) -> i32 {
        let said = self.comment.split_once("exit code ");
        let digits = said.and_then(|(before, rest)| {
            // "would" tells of another day.
            before.is_empty().then(|| rest.split([':', ' ']).next())?
        });
        digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
    }
}

impl Block {
    /// Whether it is to be typed.
    pub(super) fn is_session(&self) -> bool {
        matches!(self.info.split(' ').next(), Some("sh" | "console"))
    }

    /// Where its commands are run, and what was done there before; nothing where they aren't.
    pub(super) fn stage(&self) -> Option<(&str, Option<&str>)> {
        let mut words = self.info.split(' ').skip(1);
        Some((words.next()?, words.next()))
    }

    /// What is typed. In a `console`, what is printed stands between.
    pub(super) fn commands(&self) -> Vec<Command> {
        let is_console = self.info.starts_with("console");
        let mut commands: Vec<Command> = Vec::new();
        let mut open = String::new();
        for line in self.text.lines() {
            let typed = match (is_console, line.strip_prefix("$ ")) {
                (true, None) => continue,
                (true, Some(typed)) => typed,
                (false, _) => line,
            };
            let (text, comment) = without_comment(typed);
            open.push_str(text);
            if open.ends_with('\\') || (open.starts_with("for ") && !open.contains("\ndone")) {
                open.push('\n');
            } else if !open.is_empty() {
                let text = std::mem::take(&mut open);
                let comment = comment.to_owned();
                commands.push(Command { text, comment });
            }
        }
        commands
    }
}

/// A line of a shell, and the comment in it.
fn without_comment(line: &str) -> (&str, &str) {
    if let Some(comment) = line.strip_prefix('#') {
        return ("", comment.trim());
    }
    match line.split_once(" # ") {
        Some((text, comment)) => (text.trim_end(), comment.trim()),
        None => (line.trim_end(), ""),
    }
}

/// What follows `cargo xtask` in a text, as words, as often as it stands there and
/// something follows. What may be left out is, and what stands for something is filled in.
pub(super) fn xtask_arguments(text: &str) -> Vec<Vec<String>> {
    let calls = text.split("cargo xtask").skip(1);
    let calls = calls.map(|rest| words(rest.lines().next().unwrap_or_default()));
    calls.filter(|words| !words.is_empty()).collect()
}

/// The words of a simple command, up to what a shell does with it.
fn words(rest: &str) -> Vec<String> {
    let mut words = Vec::new();
    // In a text within a block, it is between backticks.
    let rest = rest.split('`').next().unwrap_or_default();
    for word in rest.split_whitespace() {
        match word {
            "#" | "|" | "||" | "&&" | ">" | ">>" => break,
            "…" | "<COMMAND>" => {}
            optional if optional.starts_with('[') => {}
            "VERSION" | "NUMBER" | "<NUMBER>" => words.push("2".to_owned()),
            "SECRET" | "<SECRET>" => words.push("gma-client-secret".to_owned()),
            "MEANS" => words.push("close".to_owned()),
            "SHELL" | "<SHELL>" => words.push("bash".to_owned()),
            word => words.push(word.trim_matches(['\'', '"']).to_owned()),
        }
    }
    words
}

/// Every text of a Markdown file that is code.
pub(super) fn code_in(markdown: &Markdown) -> impl Iterator<Item = String> + '_ {
    let blocks = markdown.blocks.iter().map(|block| block.text.clone());
    blocks.chain(markdown.words.iter().map(|words| words.replace('\n', " ")))
}

/// The same of a file that only quotes code, between backticks.
pub(super) fn quoted_in(path: &str) -> Result<Vec<String>> {
    let text = read(path)?.replace("\n# ", " ");
    let quoted = text.split('`').skip(1).step_by(2);
    Ok(quoted.map(str::to_owned).collect())
}

#[test]
fn commands_are_told_from_comments_and_from_what_is_printed() {
    let block = |info: &str, text: &str| Block {
        heading: String::new(),
        info: info.to_owned(),
        text: text.to_owned(),
    };
    let texts = |block: &Block| {
        let commands = block.commands().into_iter();
        commands
            .map(|one| (one.text.clone(), one.exit_code()))
            .collect::<Vec<_>>()
    };
    let text = "# first\na b   # exit code 3: waits\nc \\\n  d   # no exit code 4\n\nfor x in y; do\n  z\ndone\n";
    let expected = [
        ("a b", 3),
        ("c \\\n  d", 0),
        ("for x in y; do\n  z\ndone", 0),
    ];
    let expected = expected.map(|(text, code)| (text.to_owned(), code));
    assert_eq!(texts(&block("sh local", text)), expected);
    let console = block("console", "$ a\nprinted\n$ b\n");
    assert_eq!(texts(&console), [("a".to_owned(), 0), ("b".to_owned(), 0)]);
}
