//! Arguments that somebody may expect and that must never work: secrets.

use std::ffi::OsString;

use crate::failure::Failure;

/// The flags, and what to do instead.
///
/// They are no arguments of clap's, so that it neither suggests nor documents
/// them, and that they are refused whatever else is wrong on the line.
const REFUSED: [(&str, &str); 11] = [
    (
        "--old-key",
        "put it in a file for `--old-key-file`, or in DCR_OLD_KEY, or wait to be asked",
    ),
    (
        "--new-key",
        "put it in a file for `--new-key-file`, or in DCR_NEW_KEY, or wait to be asked",
    ),
    (
        "--key",
        "use `--old-key-file` and `--new-key-file`, or DCR_OLD_KEY and DCR_NEW_KEY",
    ),
    ("--dcr-old-key", "set the environment variable DCR_OLD_KEY"),
    ("--dcr-new-key", "set the environment variable DCR_NEW_KEY"),
    (
        "--database-url",
        "set the environment variable DATABASE_URL",
    ),
    ("--url", "set the environment variable DATABASE_URL"),
    ("--value", "use `--value-file`, or wait to be asked"),
    ("--secret", "use `--value-file`, or wait to be asked"),
    ("--client-secret", "use `--value-file`, or wait to be asked"),
    (
        "--password",
        "it is a part of the environment variable DATABASE_URL",
    ),
];

/// Refuses the flags above, with or without a value, which is not shown.
pub(super) fn refuse_secrets(arguments: &[OsString]) -> Result<(), Failure> {
    for argument in arguments.iter().skip(1) {
        let typed = argument.as_encoded_bytes();
        let flag = typed.split(|&byte| byte == b'=').next().unwrap_or_default();
        if let Some((flag, instead)) = REFUSED.iter().find(|(name, _)| name.as_bytes() == flag) {
            return Err(Failure::usage(format!(
                "`{flag}` does not exist: secrets are never arguments, because every user of the \
                 machine can see a process's arguments and shells keep them"
            ))
            .nothing_changed()
            .hint(format!(
                "{instead}; remove the typed value from your shell's history"
            )));
        }
    }
    Ok(())
}
