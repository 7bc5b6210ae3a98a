//! The commands that a message names, with the flags that were typed: what is pasted has to
//! find the same settings and the same runs.

use clap::CommandFactory as _;

use super::{Cli, Place};

/// How a command begins.
const PROGRAM: &str = "cargo xtask ";

impl Place {
    /// The text, with what was typed of the place after each command in it that takes that.
    /// A flag that a command has already stays as it is.
    pub(crate) fn complete(&self, text: &str) -> String {
        // What stands between two backticks is every second part.
        let parts = text.split('`').enumerate();
        let parts = parts.map(|(number, part)| match number % 2 {
            0 => part.to_owned(),
            _ => self.complete_one(part),
        });
        parts.collect::<Vec<String>>().join("`")
    }

    /// The same of one command.
    pub(crate) fn complete_one(&self, command: &str) -> String {
        let arguments = command.strip_prefix(PROGRAM).unwrap_or_default();
        if !takes_place(arguments.split(' ').next().unwrap_or_default()) {
            return command.to_owned();
        }
        let missing = self.flags().into_iter();
        let missing = missing.filter(|(flag, _)| !command.contains(&format!("--{flag}")));
        missing.fold(command.to_owned(), |command, (flag, value)| {
            format!("{command} --{flag} {value}")
        })
    }
}

fn takes_place(name: &str) -> bool {
    let known = Cli::command();
    let command = known.find_subcommand(name);
    command.is_some_and(|command| {
        let mut arguments = command.get_arguments();
        arguments.any(|argument| argument.get_long() == Some("state-dir"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::PlatformName;

    fn place() -> Place {
        Place {
            platform: Some(PlatformName::Local),
            settings: Some("my settings.toml".into()),
            state_dir: None,
        }
    }

    #[test]
    fn a_command_gets_the_flags_that_it_takes_and_lacks() {
        let flags = "--platform local --settings 'my settings.toml'";
        for (text, completed) in [
            (
                "`cargo xtask status` lists them",
                format!("`cargo xtask status {flags}` lists them"),
            ),
            (
                "`cargo xtask survey-dcr` or `cargo xtask enable-version gma 3`; `ls`",
                format!(
                    "`cargo xtask survey-dcr {flags}` or `cargo xtask enable-version gma 3 {flags}`; `ls`"
                ),
            ),
            (
                "`cargo xtask rotate-dcr --platform none` moves them",
                "`cargo xtask rotate-dcr --platform none --settings 'my settings.toml'` moves them"
                    .to_owned(),
            ),
            (
                "`cargo xtask tidy --fix` and `cargo xtask` take none of them",
                "`cargo xtask tidy --fix` and `cargo xtask` take none of them".to_owned(),
            ),
        ] {
            assert_eq!(place().complete(text), completed);
            assert_eq!(place().complete(&completed), completed, "twice");
        }
    }

    #[test]
    fn where_nothing_was_typed_a_command_stays_as_it_is() {
        let text = "`cargo xtask status` lists them";
        assert_eq!(Place::default().complete(text), text);
    }
}
