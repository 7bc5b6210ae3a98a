//! Every command of the tool that is written down anywhere is one that it understands.
use anyhow::Result;

use super::commands::{code_in, quoted_in, xtask_arguments};
use super::markdown::Markdown;
use super::repository::{markdown_files, read};
use super::workflows::WORKFLOWS;

/// Files that are no Markdown and quote commands in their comments.
const QUOTING: [&str; 1] = ["docs/rotation.example.toml"];

/// What isn't understood in some texts.
fn misunderstood(path: &str, texts: impl IntoIterator<Item = String>) -> (usize, Vec<String>) {
    let calls: Vec<_> = texts
        .into_iter()
        .flat_map(|text| xtask_arguments(&text))
        .collect();
    let refused = calls.iter().filter_map(|words| {
        let error = xtask::understands(words.iter().map(Into::into)).err()?;
        Some(format!(
            "{path}: `cargo xtask {}`: {error}",
            words.join(" ")
        ))
    });
    (calls.len(), refused.collect())
}

#[test]
fn every_command_in_the_documents_is_understood() -> Result<()> {
    let (mut found, mut refused) = (0, Vec::new());
    let mut look_at = |path: &str, texts: Vec<String>| {
        let (calls, misunderstood) = misunderstood(path, texts);
        found += calls;
        refused.extend(misunderstood);
    };
    for path in markdown_files()? {
        let markdown = Markdown::read(&path)?;
        look_at(&path, code_in(&markdown).collect());
    }
    for path in QUOTING {
        look_at(path, quoted_in(path)?);
    }
    for path in WORKFLOWS {
        look_at(path, vec![read(path)?]);
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
    assert!(found > 100, "only {found} commands were found");
    Ok(())
}

#[test]
fn a_command_that_there_is_not_is_found() {
    let text = "cargo xtask rotate-dcr --dry-rum   # x";
    let (found, refused) = misunderstood("a", [text.to_owned()]);
    assert_eq!((found, refused.len()), (1, 1), "{refused:?}");
}
