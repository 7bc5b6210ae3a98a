//! `cargo xtask completions`: what lets a shell complete the command line.

use clap_complete::{Shell, generate};

use crate::cli;
use crate::exit_code;
use crate::output::Printer;

/// Hands `cargo xtask …` over to the script for `xtask …`.
const AFTER_CARGO_IN_BASH: &str = include_str!("completions/cargo.bash");

/// Prints the script and gives the exit code.
pub(super) fn run(typed: &cli::Completions) -> u8 {
    Printer::default().script(&script(typed.shell));
    exit_code::DONE
}

/// Shells complete by the first word, and here that is `cargo`. The script of bash
/// would take the place of Cargo's own, so it is one for `xtask` that is handed the
/// words after `cargo`. Cargo's own of zsh looks for one that is called as the plugin is.
/// The others have none of Cargo's, or add to it.
fn script(shell: Shell) -> String {
    match shell {
        Shell::Bash => rendered(shell, cli::command_named("xtask"), "xtask") + AFTER_CARGO_IN_BASH,
        Shell::Zsh => rendered(shell, cli::command_named("cargo-xtask"), "cargo-xtask"),
        _ => {
            let cargo = clap::Command::new("cargo")
                .disable_help_flag(true)
                .disable_help_subcommand(true)
                .subcommand(cli::command_named("xtask"));
            rendered(shell, cargo, "cargo")
        }
    }
}

fn rendered(shell: Shell, mut command: clap::Command, name: &str) -> String {
    let mut script = Vec::new();
    generate(shell, &mut command, name, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn every_shell_learns_each_command_that_is_typed_and_no_other() {
        for shell in Shell::value_variants() {
            let script = script(*shell);
            for command in cli::command().get_subcommands() {
                let is_known = script.contains(command.get_name());
                assert_eq!(is_known, !command.is_hide_set(), "{shell}: {command}");
            }
        }
    }
}
