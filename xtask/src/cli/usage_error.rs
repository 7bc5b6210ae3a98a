//! Wrong usage, explained without quoting what may be a secret.

use std::error::Error as _;
use std::ffi::OsString;

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};
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
    failure.nothing_changed().hint(hint(error))
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
fn hint(error: &Error) -> String {
    let suggestion = [
        ContextKind::SuggestedArg,
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedValue,
    ]
    .into_iter()
    .find_map(|kind| text(error, kind));
    let allowed = text(error, ContextKind::ValidValue);
    match (suggestion, allowed, error.kind()) {
        (Some(suggestion), ..) => format!("did you mean `{suggestion}`?"),
        (None, Some(allowed), _) => format!("allowed: {allowed}"),
        (None, None, ErrorKind::UnknownArgument) => {
            "keys come from files, the environment or a prompt, the database from DATABASE_URL; \
             `--help` lists the flags"
                .to_owned()
        }
        _ => "`cargo xtask --help` lists the commands, and `--help` after a command its flags"
            .to_owned(),
    }
}

fn text(error: &Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) if !texts.is_empty() => Some(texts.join(", ")),
        _ => None,
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
}
