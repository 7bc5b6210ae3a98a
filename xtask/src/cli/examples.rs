//! The examples in the help are commands that this program has.
#![cfg(test)]

use std::ffi::OsString;

use super::{Parsed, command, parse};

/// The examples of a command, without `cargo`.
fn examples(command: &clap::Command) -> Vec<String> {
    let help = command.get_after_long_help().map(ToString::to_string);
    let help = help.unwrap_or_default();
    let section = help
        .split("\n\n")
        .skip_while(|part| !part.starts_with("Examples:"));
    let lines = section.flat_map(str::lines);
    let typed = lines.filter_map(|line| line.strip_prefix("    cargo "));
    typed
        .map(|line| line.split(" >").next().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn every_command_has_an_example_and_each_is_understood() {
    for command in command().get_subcommands() {
        let examples = examples(command);
        assert_eq!(examples.is_empty(), command.is_hide_set(), "{command}");
        for example in examples {
            let parsed = parse(example.split(' ').map(OsString::from));
            assert!(matches!(parsed, Ok(Parsed::Command(_))), "{example}");
            let of_this_command = format!("xtask {}", command.get_name());
            assert!(example.starts_with(&of_this_command), "{example}");
        }
    }
}

#[test]
fn every_flag_stands_in_an_example() {
    let command = command();
    let examples: Vec<String> = command.get_subcommands().flat_map(examples).collect();
    let shown = command
        .get_subcommands()
        .filter(|command| !command.is_hide_set());
    for flag in shown.flat_map(|command| command.get_arguments()) {
        let Some(name) = flag.get_long().filter(|name| *name != "help") else {
            continue;
        };
        let word = format!("--{name}");
        let is_shown = |example: &String| example.split(' ').any(|typed| typed == word);
        assert!(examples.iter().any(is_shown), "{word}");
    }
}

/// Help is broken into lines of that width where there is no terminal, and a command that
/// is broken can't be copied.
#[test]
fn no_line_of_the_examples_is_too_long_for_the_help() {
    for command in command().get_subcommands() {
        let help = command.get_after_long_help().map(ToString::to_string);
        for line in help.unwrap_or_default().lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }
}
