//! Wrong usage, explained without quoting what may be a secret.

use std::error::Error as _;
use std::ffi::OsString;

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use rotation::Secret;
use secret::FernetKey;

use crate::failure::Failure;

const NOT_SHOWN: &str = "not shown here, since it may be a secret";

/// Says in own words what is wrong, for clap would quote what was typed.
pub(super) fn explain(error: &Error, typed: &[OsString]) -> Failure {
    // These are names out of our own help.
    let flag = || text(error, ContextKind::InvalidArg).unwrap_or_else(|| "a flag".to_owned());
    let failure = match error.kind() {
        // The text is the help; the usage error is that there was nothing to do.
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            return Failure::usage(format!(
                "no command was given\n\n{}",
                error.to_string().trim_end()
            ));
        }
        ErrorKind::UnknownArgument => {
            Failure::usage(format!("unexpected argument: {}", shown(&flag(), typed)))
        }
        ErrorKind::InvalidSubcommand => Failure::usage(format!("unknown command: {NOT_SHOWN}")),
        ErrorKind::InvalidValue
            if text(error, ContextKind::InvalidValue).is_none_or(|value| value.is_empty()) =>
        {
            Failure::usage(format!("`{}` needs a value", flag()))
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let reason = error
                .source()
                .map(|reason| format!(": {reason}"))
                .unwrap_or_default();
            Failure::usage(format!("the value of `{}` is not valid{reason}", flag()))
        }
        ErrorKind::ArgumentConflict => {
            let other = text(error, ContextKind::PriorArg);
            match other.filter(|other| *other != flag()) {
                Some(other) => {
                    Failure::usage(format!("`{}` and `{other}` exclude each other", flag()))
                }
                None => Failure::usage(format!("`{}` was given more than once", flag())),
            }
        }
        ErrorKind::MissingRequiredArgument => Failure::usage(format!("`{}` is missing", flag())),
        ErrorKind::InvalidUtf8 => Failure::usage("an argument is not UTF-8"),
        ErrorKind::TooManyValues => Failure::usage(format!("`{}` takes no value", flag())),
        _ => Failure::usage("these arguments can't be understood"),
    };
    failure.nothing_changed().hint(hint(error, typed))
}

/// The typed flag without its value. Not what only begins with a dash: a key or
/// a password may.
fn shown(flag: &str, typed: &[OsString]) -> String {
    let name = flag.split('=').next().unwrap_or_default();
    let is_word = |text: &str| {
        text.len() <= 24
            && text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
            && text.bytes().any(|byte| byte.is_ascii_lowercase())
    };
    let is_flag = match name.strip_prefix("--") {
        Some(word) => is_word(word) && !FernetKey::looks_like_key(word.as_bytes()),
        // Clap splits `-abc` up; show a letter only if it stood alone.
        None => name.len() == 2 && name.starts_with('-') && typed.iter().any(|typed| typed == name),
    };
    if is_flag {
        format!("`{name}`")
    } else {
        NOT_SHOWN.to_owned()
    }
}

/// What might have been meant, out of our own words.
fn hint(error: &Error, typed: &[OsString]) -> String {
    let meant = match error.kind() {
        ErrorKind::InvalidSubcommand => commands_meant(error, typed),
        _ => [ContextKind::SuggestedArg, ContextKind::SuggestedValue]
            .into_iter()
            .flat_map(|kind| texts(error, kind))
            .collect(),
    };
    let allowed = texts(error, ContextKind::ValidValue);
    if !meant.is_empty() {
        let meant: Vec<String> = meant.iter().map(|name| format!("`{name}`")).collect();
        format!("did you mean {}?", meant.join(" or "))
    } else if !allowed.is_empty() {
        format!("allowed: {}", allowed.join(", "))
    } else if let Some(hint) = flag_of_others(error) {
        hint
    } else if error.kind() == ErrorKind::UnknownArgument {
        "keys come from files, the environment or a prompt, the database from DATABASE_URL; \
         `--help` lists the flags"
            .to_owned()
    } else {
        "`cargo xtask --help` lists the commands, and `--help` after a command its flags".to_owned()
    }
}

/// The commands that have a flag which this one doesn't have.
fn flag_of_others(error: &Error) -> Option<String> {
    let typed = text(error, ContextKind::InvalidArg)?;
    let typed = typed.split(['=', ' ']).next()?.strip_prefix("--")?;
    let all = super::command();
    let with_it: Vec<String> = all
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
        .filter(|command| {
            let mut arguments = command.get_arguments();
            arguments.any(|argument| argument.get_long() == Some(typed))
        })
        .map(|command| format!("`cargo xtask {}`", command.get_name()))
        .collect();
    (!with_it.is_empty()).then(|| format!("`--{typed}` is a flag of {}", with_it.join(", ")))
}

/// The command whose name was typed in two words, or that rotates the secret whose name
/// was typed alone; else those whose names are similar.
fn commands_meant(error: &Error, typed: &[OsString]) -> Vec<String> {
    let all = super::command();
    let is_shown = |name: &str| {
        all.find_subcommand(name)
            .is_some_and(|command| !command.is_hide_set())
    };
    let words: Vec<&str> = typed
        .iter()
        .skip(1)
        .map_while(|word| word.to_str())
        .collect();
    if let [one, two, ..] = words.as_slice() {
        let joined = format!("{one}-{two}");
        if is_shown(&joined) {
            return vec![joined];
        }
    }
    if let Some(secret) = words.first().and_then(|word| Secret::named(word)) {
        return vec![format!("rotate-secret {}", secret.name)];
    }
    let mut similar = texts(error, ContextKind::SuggestedSubcommand);
    similar.retain(|name| is_shown(name));
    similar
}

fn text(error: &Error, kind: ContextKind) -> Option<String> {
    let texts = texts(error, kind);
    (!texts.is_empty()).then(|| texts.join(", "))
}

fn texts(error: &Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Parsed, parse};
    use super::*;

    const KEY: &str = "EREREREREREREREREREREUtLS0tLS0tLS0tLS0tLS0s=";

    fn refusal(arguments: &[&str]) -> Failure {
        let arguments = ["xtask"].iter().chain(arguments).map(OsString::from);
        match parse(arguments) {
            Err(failure) => failure,
            Ok(Parsed::Command(command)) => panic!("{command:?}"),
            Ok(Parsed::Help(help)) => panic!("{help}"),
        }
    }

    #[test]
    fn wrong_usage_exits_with_64_and_never_quotes_a_value() {
        let dashed = format!("-{KEY}");
        let flag = format!("--{KEY}");
        let value = format!("--format={KEY}");
        let unknown = format!("--unknown={KEY}");
        let old_key = format!("--old-key={KEY}");
        for arguments in [
            vec![],
            vec![KEY],
            vec!["rotate-dcr", KEY],
            vec!["rotate-dcr", "--", KEY],
            vec!["rotate-dcr", &dashed],
            vec!["rotate-dcr", &flag],
            vec!["rotate-dcr", &value],
            vec!["rotate-dcr", &unknown],
            vec!["rotate-dcr", &old_key],
            vec!["rotate-dcr", "--old-key", KEY],
            vec![
                "rotate-dcr",
                "--yes=EREREREREREREREREREREUtLS0tLS0tLS0tLS0tLS0s=",
            ],
            vec!["rotate-dcr", "--lock-timeout", KEY],
            vec!["rotate-dcr", "--exclude-column", KEY],
            vec!["rotate-dcr", "--new-key-file", "a", "--new-key-file", KEY],
            vec!["survey-dcr", "--database-url", KEY],
            vec!["demo", KEY],
        ] {
            let failure = refusal(&arguments);
            assert_eq!(failure.exit_code, 64, "{failure:?}");
            for piece in ["EREREREREREREREREREREU", "hunter2", "RERERERER"] {
                assert!(!format!("{failure:?}").contains(piece), "{failure:?}");
            }
        }
    }

    #[test]
    fn a_mistyped_flag_is_shown_with_what_may_be_meant() {
        let failure = refusal(&["rotate-dcr", "--dry-rum=x"]);
        assert_eq!(failure.message, "unexpected argument: `--dry-rum`");
        assert_eq!(failure.hint.unwrap(), "did you mean `--dry-run`?");
        let failure = refusal(&["survey-dcr", "--format", "xml"]);
        assert_eq!(
            failure.message,
            "the value of `--format <FORMAT>` is not valid"
        );
        assert_eq!(failure.hint.unwrap(), "allowed: human, json");
    }

    #[test]
    fn the_name_that_was_meant_is_suggested_and_what_was_typed_is_not_shown() {
        for (arguments, meant) in [
            (&["rotate-secret", "databse-url"][..], "`database-url`"),
            (&["rotate-secret", "gma-secret"], "`gma-client-secret`"),
            (&["rotate", "dcr"], "`rotate-dcr`"),
            (&["rotate", "secret", "database-url"], "`rotate-secret`"),
            (&["survey", "dcr"], "`survey-dcr`"),
            (&["rotate-db"], "`rotate-dcr`"),
            (&["statsu"], "`status`"),
            (&["database-url"], "`rotate-secret database-url`"),
            (
                &["DCR_ENCRYPTION_KEY"],
                "`rotate-secret dcr-encryption-key`",
            ),
            (&["status", "--platform", "googlecloud"], "`google-cloud`"),
            (
                &[
                    "rotate-secret",
                    "database-url",
                    "--emergency",
                    "--contain",
                    "lockout",
                ],
                "`lock-out`",
            ),
            (&["completions", "bsh"], "`bash`"),
        ] {
            let failure = refusal(arguments);
            let hint = failure.hint.clone().unwrap();
            assert!(hint.starts_with("did you mean "), "{arguments:?}: {hint}");
            assert!(hint.contains(meant), "{arguments:?}: {hint}");
            let typo = arguments.last().unwrap_or(&"");
            assert!(!failure.message.contains(typo), "{failure:?}");
        }
    }

    #[test]
    fn what_nobody_types_is_not_suggested() {
        let hint = refusal(&["stand-in-servise"]).hint.unwrap();
        assert!(!hint.contains("stand-in-service"), "{hint}");
    }

    #[test]
    fn a_path_of_windows_is_refused_and_not_shown() {
        for arguments in [
            &["rotate-dcr", "--old-key-file", r"C:\keys\old.key"][..],
            &["survey-dcr", "--new-key-file", "c:/keys/new.key"],
            &["status", "--state-dir", r"\\server\share\state"],
            &["doctor", "--settings", r"D:\rotation.toml"],
            &["resume", "--value-file", r"C:\value"],
            &["demo", "--dir", r"C:\demo"],
        ] {
            let failure = refusal(arguments);
            assert_eq!(failure.exit_code, 64, "{failure:?}");
            assert!(failure.message.contains("a path of Windows"), "{failure:?}");
            let typed = arguments.last().unwrap_or(&"");
            assert!(!failure.message.contains(typed), "{failure:?}");
        }
    }
}
