//! `docs/cli.md`, rendered from the commands' help.

use clap_markdown::MarkdownOptions;

use crate::cli;

pub(super) fn render() -> String {
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
