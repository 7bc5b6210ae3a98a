//! `docs/cli.md` is what the commands' help says.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use clap_markdown::MarkdownOptions;

use crate::cli;

const PATH: &str = "docs/cli.md";

/// Writes the document anew; false when it was up to date.
///
/// # Errors
///
/// When the file can't be read or written.
pub fn write(root: &Path) -> anyhow::Result<bool> {
    if violation(root)?.is_none() {
        return Ok(false);
    }
    fs::write(root.join(PATH), render()).with_context(|| format!("can't write `{PATH}`"))?;
    Ok(true)
}

pub(super) fn violation(root: &Path) -> anyhow::Result<Option<String>> {
    let found = match fs::read_to_string(root.join(PATH)) {
        Ok(found) => Some(found),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(|| format!("can't read `{PATH}`")),
    };
    let up_to_date = found.is_some_and(|found| found == render());
    Ok((!up_to_date).then(|| {
        format!(
            "`{PATH}` is not what the commands' help says now: `cargo xtask tidy --fix` writes it"
        )
    }))
}

fn render() -> String {
    // Its table of contents has links with spaces in them, which lead nowhere.
    let options = MarkdownOptions::new()
        .title("The command line".to_owned())
        .show_footer(false)
        .show_table_of_contents(false);
    let help = clap_markdown::help_markdown_command_custom(&cli::command(), &options);
    let mut text =
        "<!-- Rendered from xtask/src/cli.rs by `cargo xtask tidy --fix`. -->\n\n".to_owned();
    let mut after_paragraph = false;
    for line in help.trim_end().lines().map(str::trim_end) {
        let is_indented = line.starts_with("    ");
        if is_indented && after_paragraph {
            // Markdown takes an indented block for one only after an empty line.
            text.push('\n');
        }
        after_paragraph = !is_indented && !line.is_empty() && !line.starts_with([' ', '*']);
        text.push_str(line);
        text.push('\n');
    }
    text
}
