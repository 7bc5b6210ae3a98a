//! `docs/troubleshooting.md`, rendered from the error types and their hints as they stand
//! in the code: a message without an entry can't be.

mod source;

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::ensure;

use self::source::{Entry, Source};

/// An error type, and where its hints are.
struct ErrorType {
    file: &'static str,
    name: &'static str,
    /// The file and the function with a `match` over its variants.
    hints: (&'static str, &'static str),
}

const fn with_hints(file: &'static str, name: &'static str) -> ErrorType {
    let hints = (file, "hint");
    ErrorType { file, name, hints }
}

/// What people may see, by what they were about to do.
const SECTIONS: &[(&str, &[ErrorType])] = &[
    (
        "A key, a client secret or a database URL",
        &[
            with_hints("crates/secret/src/fernet_key/error.rs", "FernetKeyError"),
            ErrorType {
                file: "crates/reencrypt/src/keyring.rs",
                name: "KeyringError",
                hints: ("xtask/src/settings.rs", "no_keyring"),
            },
            with_hints(
                "crates/secret/src/client_secret/error.rs",
                "ClientSecretError",
            ),
            with_hints(
                "crates/secret/src/database_url/error.rs",
                "DatabaseUrlError",
            ),
            with_hints("crates/secret/src/database_url/login.rs", "LoginError"),
        ],
    ),
    (
        "The connection to a database",
        &[with_hints("crates/connection/src/error.rs", "Error")],
    ),
    (
        "The table and its tokens",
        &[with_hints("crates/reencrypt/src/error.rs", "Error")],
    ),
    (
        "The store, the services and backups",
        &[with_hints("crates/platform/src/error.rs", "Error")],
    ),
    (
        "Google Cloud",
        &[with_hints(
            "crates/platform/src/google_cloud/error.rs",
            "CloudError",
        )],
    ),
    (
        "An issuer of client secrets",
        &[with_hints(
            "crates/platform/src/oauth_checks/error.rs",
            "OauthError",
        )],
    ),
    (
        "The roles of a database",
        &[with_hints(
            "crates/platform/src/database_roles/error.rs",
            "RolesError",
        )],
    ),
    (
        "The steps of a rotation",
        &[ErrorType {
            file: "crates/rotation/src/error.rs",
            name: "Error",
            hints: ("crates/rotation/src/error/hint.rs", "hint"),
        }],
    ),
    (
        "Runs and their journals",
        &[
            ErrorType {
                file: "crates/runbook/src/stopped.rs",
                name: "Stopped",
                hints: ("xtask/src/procedure/failures.rs", "from_stopped"),
            },
            ErrorType {
                file: "crates/runbook/src/runs/error.rs",
                name: "RunsError",
                hints: ("xtask/src/procedure/failures.rs", "from_runs"),
            },
            with_hints("crates/runbook/src/journal/error.rs", "JournalError"),
        ],
    ),
];

/// Reasons behind another message, which says what to do.
const WITHIN_OTHERS: &[&str] = &["Base64Error", "Impossible"];

const INTRODUCTION: &str = "\
<!-- Rendered from the error types and their hints by `cargo xtask tidy --fix`. -->

# Messages, and what to do

A failure is an `error:` line, then `state:` with what things are like now, then `hint:` with the
next command. Here is every message by its words: search this page for those that aren't in quotes.
What differs from case to case stands in capitals, or is a `…`. A message may be the cause of
another one: the part after a colon is found by itself. Where there is no next step, the message
says all: put right what it names, and do what the `hint:` says.

Whatever it is, `cargo xtask status` shows where a run stands with the command that goes on and the
one that undoes it, and `cargo xtask doctor` what a rotation would fail at. What an exit code means
is in [exit-codes.md](exit-codes.md).
";

/// The document.
///
/// # Errors
///
/// When a type or its hints can't be read, or a message would be left out.
pub(super) fn render(root: &Path) -> anyhow::Result<String> {
    refuse_unlisted(root)?;
    let mut text = INTRODUCTION.to_owned();
    for (title, types) in SECTIONS {
        text.push_str(&format!("\n## {title}\n\n"));
        for error_type in *types {
            let messages = Source::read(root, error_type.file)?;
            let (file, function) = error_type.hints;
            let hints = Source::read(root, file)?.hints(function, error_type.name)?;
            for entry in messages.entries(error_type.name, &hints)? {
                text.push_str(&lines(&entry));
            }
        }
    }
    text.push_str("\n## What was typed, and the settings\n\n");
    for entry in own_failures(root)? {
        text.push_str(&lines(&entry));
    }
    Ok(text)
}

fn lines(entry: &Entry) -> String {
    let next = match entry.next.as_slice() {
        [] => String::new(),
        ways => format!(" **Next:** {}", ways.join(" · ")),
    };
    format!("- `` {} ``\\\n  {}{next}\n", entry.message, entry.meaning)
}

/// What the command line itself says, in the order of its words.
fn own_failures(root: &Path) -> anyhow::Result<BTreeSet<Entry>> {
    let mut entries = BTreeSet::new();
    for file in source::files(root, "xtask/src")? {
        entries.extend(Source::read(root, &file)?.failures());
    }
    Ok(entries)
}

/// Fails when an error type is in no section.
fn refuse_unlisted(root: &Path) -> anyhow::Result<()> {
    let listed = SECTIONS.iter().flat_map(|(_, types)| *types);
    let listed: Vec<(&str, &str)> = listed.map(|listed| (listed.file, listed.name)).collect();
    for file in source::files(root, "crates")? {
        for name in Source::read(root, &file)?.error_types() {
            let is_listed = listed.contains(&(file.as_str(), name.as_str()));
            ensure!(
                is_listed || WITHIN_OTHERS.contains(&name.as_str()),
                "`{name}` of `{file}` is in no section of `xtask/src/tidy/troubleshooting.rs`"
            );
        }
    }
    Ok(())
}
