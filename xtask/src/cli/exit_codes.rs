//! What each command's exit codes mean: for its help, and for docs/exit-codes.md.

use crate::exit_code::{ALL, CHANGE_FAILED, CHECK_FAILED, DONE, STOPPED, STUCK, UNDONE, USAGE};
use crate::output::wrapped;

/// What a command means by a code, where it means something of its own.
type Own = &'static [(u8, &'static str)];

/// What ends a rotation, in the words of [`ALL`].
const OF_A_RUN: [u8; 7] = [
    DONE,
    CHECK_FAILED,
    CHANGE_FAILED,
    STOPPED,
    UNDONE,
    STUCK,
    USAGE,
];

/// Every command by its name, with the codes that it has.
const COMMANDS: &[(&str, &[u8], Own)] = &[
    (
        "rotate-dcr",
        &OF_A_RUN,
        &[
            (
                STOPPED,
                "stopped by a signal or by the answer to the question; a run on a platform may wait here, \
                 and `cargo xtask resume` goes on",
            ),
            (UNDONE, "failed and undone (on a platform)"),
            (
                STUCK,
                "stuck: an undo failed, a person must look (on a platform)",
            ),
        ],
    ),
    ("rotate-secret", &OF_A_RUN, &[]),
    (
        "survey-dcr",
        &[DONE, CHECK_FAILED, STOPPED, USAGE],
        &[
            (DONE, "every token could be read"),
            (
                CHECK_FAILED,
                "a token could not be read, a check failed, or it can't be printed",
            ),
            (STOPPED, "stopped by a signal"),
        ],
    ),
    (
        "doctor",
        &[DONE, CHECK_FAILED, STOPPED, USAGE],
        &[
            (DONE, "no rotation would fail; there may be warnings"),
            (
                CHECK_FAILED,
                "a rotation would fail, or something could not be found out or printed",
            ),
            (STOPPED, "stopped by a signal"),
        ],
    ),
    (
        "status",
        &[DONE, CHECK_FAILED, USAGE],
        &[
            (
                DONE,
                "no secret is overdue, and every service reads what the runs bound it to",
            ),
            (
                CHECK_FAILED,
                "a secret is overdue, a service was changed, a contact is missing, or something could not \
                 be found out or printed",
            ),
        ],
    ),
    (
        "resume",
        &OF_A_RUN,
        &[
            (DONE, "the run is at its end"),
            (
                CHECK_FAILED,
                "there is nothing to resume, or a check failed before anything was changed",
            ),
        ],
    ),
    (
        "rollback",
        &[DONE, CHECK_FAILED, CHANGE_FAILED, STOPPED, STUCK, USAGE],
        &[
            (DONE, "everything is as it was before the run"),
            (
                CHECK_FAILED,
                "there is nothing to roll back, or it can't be",
            ),
            (STOPPED, "stopped; the same command goes on"),
        ],
    ),
    (
        "abandon",
        &[DONE, CHECK_FAILED, STOPPED, USAGE],
        &[
            (DONE, "the run is left as it is, for good"),
            (
                CHECK_FAILED,
                "there is nothing to abandon, or something depends on the run",
            ),
            (
                STOPPED,
                "stopped by a signal or by the answer to the question",
            ),
        ],
    ),
    (
        "disable-version",
        &[DONE, CHECK_FAILED, CHANGE_FAILED, STOPPED, USAGE],
        &[
            (DONE, "it is disabled, or was so already"),
            (CHECK_FAILED, "something needs it, or it can't be disabled"),
            (CHANGE_FAILED, "it failed, and may be disabled or not"),
            (
                STOPPED,
                "stopped by a signal or by the answer to the question",
            ),
        ],
    ),
    (
        "enable-version",
        &[DONE, CHECK_FAILED, CHANGE_FAILED, STOPPED, USAGE],
        &[
            (DONE, "it is enabled, or was so already"),
            (CHECK_FAILED, "it can't be enabled"),
            (CHANGE_FAILED, "it failed, and may be enabled or not"),
            (
                STOPPED,
                "stopped by a signal or by the answer to the question",
            ),
        ],
    ),
    (
        "report",
        &[DONE, CHECK_FAILED, USAGE],
        &[
            (DONE, "it is printed or written"),
            (
                CHECK_FAILED,
                "there is no such run, its journal can't be read, or it can't be printed or written",
            ),
        ],
    ),
    (
        "runbook",
        &[DONE, CHECK_FAILED, USAGE],
        &[
            (DONE, "it is printed"),
            (
                CHECK_FAILED,
                "the settings can't be read, or it can't be printed",
            ),
        ],
    ),
    (
        "demo",
        &OF_A_RUN,
        &[(
            CHECK_FAILED,
            "the folder can't be made, or a check of the rotation failed",
        )],
    ),
    (
        "completions",
        &[DONE, CHECK_FAILED, USAGE],
        &[(DONE, "it is printed"), (CHECK_FAILED, "it can't be")],
    ),
    (
        "man",
        &[DONE, CHECK_FAILED, USAGE],
        &[(DONE, "they are written"), (CHECK_FAILED, "they can't be")],
    ),
    (
        "tidy",
        &[DONE, CHECK_FAILED, USAGE],
        &[
            (DONE, "the repository keeps its rules"),
            (CHECK_FAILED, "it doesn't; every violation is named"),
        ],
    ),
    (
        "soak",
        &[DONE, CHECK_FAILED, USAGE],
        &[
            (DONE, "each case came to its end"),
            (
                CHECK_FAILED,
                "one did not; the command that repeats it is printed",
            ),
        ],
    ),
];

/// Each code that a command has, with what it means by it; nothing for a command that
/// nobody types.
pub(crate) fn of(command: &str) -> Vec<(u8, &'static str)> {
    let Some((_, codes, own)) = COMMANDS.iter().find(|(name, ..)| *name == command) else {
        return Vec::new();
    };
    let has = |(code, _): &&(u8, &str)| codes.contains(code);
    let meaning = |(code, general): &(u8, &'static str)| {
        let own = own.iter().find(|(of, _)| of == code);
        (*code, own.map_or(*general, |(_, own)| *own))
    };
    ALL.iter().filter(has).map(meaning).collect()
}

/// The section of a command's help.
pub(super) fn section(command: &str) -> Option<String> {
    let codes = of(command);
    if codes.is_empty() {
        return None;
    }
    let line = |(code, meaning): (u8, &str)| {
        // As wide as the texts around it.
        let lines = wrapped(meaning, 92);
        format!("\n    {code:<4}{}", lines.join("\n        "))
    };
    let lines: String = codes.into_iter().map(line).collect();
    Some(format!("Exit codes:{lines}"))
}

/// `docs/exit-codes.md`.
pub(crate) fn document() -> String {
    let mut text = "<!-- Rendered from xtask/src/cli/exit_codes.rs by `cargo xtask tidy --fix`. -->\n\n\
                    # Exit codes\n\n\
                    What scripts go by. A second Ctrl-C leaves at once, with 3, or with 2 in the middle of a \
                    commit. A mistake in the tool itself is a 2.\n"
        .to_owned();
    text.push_str(&table("Any command", ALL));
    for (command, ..) in COMMANDS {
        text.push_str(&table(&format!("`cargo xtask {command}`"), &of(command)));
    }
    text
}

fn table(title: &str, codes: &[(u8, &str)]) -> String {
    let line = |(code, meaning): &(u8, &str)| format!("| {code} | {meaning} |\n");
    let lines: String = codes.iter().map(line).collect();
    format!("\n## {title}\n\n| code | meaning |\n| --- | --- |\n{lines}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_that_is_typed_says_how_it_exits_and_means_no_code_that_it_has_not() {
        for command in super::super::command().get_subcommands() {
            let codes = of(command.get_name());
            assert_eq!(codes.is_empty(), command.is_hide_set(), "{command}");
        }
        for (command, codes, own) in COMMANDS {
            assert!(
                own.iter().all(|(code, _)| codes.contains(code)),
                "{command}"
            );
        }
    }

    #[test]
    fn every_code_is_one_that_a_command_has() {
        for (code, meaning) in ALL {
            let is_had = COMMANDS.iter().any(|(_, codes, _)| codes.contains(code));
            assert!(is_had, "{code}: {meaning}");
        }
    }
}
