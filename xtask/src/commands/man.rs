//! `cargo xtask man`: the help as manual pages.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use super::fail;
use crate::failure::Failure;
use crate::output::Printer;
use crate::{cli, exit_code, workspace};

/// What the pages are called after, and what `man` is told.
const NAME: &str = "cargo-xtask";

/// Runs the command and gives its exit code.
pub(super) fn run(typed: &cli::Man) -> u8 {
    let printer = Printer::default();
    match write(typed.dir.as_deref()) {
        Ok(message) => {
            printer.data(&message);
            exit_code::DONE
        }
        Err(error) => {
            let failure = Failure::from_anyhow(&error).hint("name another folder");
            fail(&failure, &printer)
        }
    }
}

fn write(folder: Option<&Path>) -> anyhow::Result<String> {
    let folder = match folder {
        Some(folder) => folder.to_owned(),
        None => workspace::root()?.join("target/man"),
    };
    let section = folder.join("man1");
    fs::create_dir_all(&section).with_context(|| format!("can't make `{}`", section.display()))?;
    let pages = pages()?;
    for (name, page) in &pages {
        let path = section.join(format!("{name}.1"));
        fs::write(&path, page).with_context(|| format!("can't write `{}`", path.display()))?;
    }
    Ok(format!(
        "Wrote {} manual pages into {}.\nRead one: man -M {} {NAME}",
        pages.len(),
        section.display(),
        cli::quoted(&folder.display().to_string()),
    ))
}

/// Each page by its name.
fn pages() -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let mut all = cli::command_named(NAME).bin_name("cargo xtask");
    all.build();
    let mut pages = vec![page(&all)?];
    for command in all.get_subcommands() {
        pages.push(page(command)?);
    }
    Ok(pages)
}

fn page(command: &clap::Command) -> anyhow::Result<(String, Vec<u8>)> {
    let name = command.get_display_name().unwrap_or(NAME).to_owned();
    let man = Man::new(command.clone());
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    } else {
        man.render_options_section(&mut page)?;
    }
    let after = command.get_after_long_help().map(ToString::to_string);
    sections(&after.unwrap_or_default()).to_writer(&mut page)?;
    Ok((name, page))
}

/// What stands after the flags: titles that end in a colon with indented lines below,
/// which are kept as they are, and paragraphs.
fn sections(text: &str) -> Roff {
    let mut roff = Roff::new();
    for line in text.lines() {
        match (line.strip_suffix(':'), line.strip_prefix("    ")) {
            (Some(title), None) => {
                roff.control("SH", [title.to_uppercase().as_str()]);
            }
            (_, Some(kept)) => {
                roff.control("nf", []);
                roff.text([roman(kept)]);
                roff.control("fi", []);
            }
            (None, None) if line.is_empty() => {
                roff.control("PP", []);
            }
            (None, None) => {
                roff.text([roman(line)]);
            }
        }
    }
    roff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_has_a_page_with_its_flags_and_its_exit_codes() {
        let pages = pages().unwrap();
        for command in cli::command().get_subcommands() {
            let name = format!("{NAME}-{}", command.get_name());
            let page = pages.iter().find(|(found, _)| *found == name);
            assert_eq!(page.is_none(), command.is_hide_set(), "{name}");
            let Some((_, page)) = page else { continue };
            let page = String::from_utf8_lossy(page).replace('\\', "");
            for flag in command.get_arguments().filter_map(|flag| flag.get_long()) {
                assert!(page.contains(&format!("--{flag}")), "{name}: {flag}");
            }
        }
    }

    #[test]
    fn a_table_keeps_its_lines_and_a_sentence_does_not() {
        let page = sections("Exit codes:\n    0   done\n\nOne sentence\nin two lines.").to_roff();
        assert_eq!(
            page,
            ".SH \"EXIT CODES\"\n.nf\n0   done\n.fi\n.PP\nOne sentence\nin two lines.\n"
        );
    }
}
