//! Secrets that somebody gives: in a file, through standard input, at a hidden prompt.

mod source;

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use zeroize::Zeroizing;

pub(crate) use self::source::Source;
use super::terminal::{Answer, Terminal, read_secret};
use super::typed_secret::may_be_secret;
use crate::failure::{Failure, chain};
use crate::settings::Surroundings;

/// What is to be given.
pub(crate) struct Wanted<'a> {
    /// What it is called: `old key`.
    pub(crate) what: &'a str,
    /// The flag that names its file: `--old-key-file`.
    pub(crate) flag: &'a str,
}

/// The text of a file, or of standard input, where the path is `-`: on a terminal
/// that is a hidden prompt.
///
/// # Errors
///
/// A [`Failure`] that names the place, never what it holds.
pub(crate) fn from_file<'a>(
    wanted: &Wanted<'_>,
    path: &'a Path,
    surroundings: &Surroundings<'_>,
) -> Result<(Source<'a>, Zeroizing<Vec<u8>>), Failure> {
    let (source, file) = if !is_standard_input(path) {
        let source = Source::File(path);
        let file = File::open(path).map_err(|error| cannot_open(wanted, path, &error))?;
        warn_if_others_can_read(wanted, &source, &file, surroundings);
        (source, file)
    } else if io::stdin().is_terminal() {
        let terminal = surroundings.terminal.as_ref().ok_or_else(|| {
            Failure::check(format!("nobody can be asked for the {}", wanted.what))
                .nothing_changed()
                .hint("leave standard error on the terminal: the question is asked there")
        })?;
        let text = from_prompt(wanted, "", terminal, surroundings)?;
        return Ok((Source::Prompt, text));
    } else {
        // A file of its own: the one of `std::io::Stdin` has a buffer that isn't wiped.
        let file = io::stdin().as_fd().try_clone_to_owned();
        let file = file.map_err(|error| unreadable(wanted, &Source::StandardInput, &error))?;
        (Source::StandardInput, File::from(file))
    };
    match read_secret(&file, surroundings.interrupt) {
        Ok(Some(text)) => Ok((source, text)),
        Ok(None) => Err(Failure::stopped(format!(
            "stopped before the {} was read",
            wanted.what
        ))),
        Err(error) => Err(unreadable(wanted, &source, &error)),
    }
}

/// What somebody types in answer to a hidden prompt. The remark stands behind the
/// question.
///
/// # Errors
///
/// When the question was not answered.
pub(crate) fn from_prompt(
    wanted: &Wanted<'_>,
    remark: &str,
    terminal: &Terminal,
    surroundings: &Surroundings<'_>,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let what = wanted.what;
    let question = format!("{what}, which will not show{remark}:");
    match terminal.ask_hidden(&question, surroundings.interrupt) {
        Ok(Answer::Line(text)) => Ok(text),
        Ok(Answer::None) => Err(Failure::stopped(format!(
            "stopped before the {what} was given"
        ))),
        Err(error) => Err(unreadable(wanted, &Source::Prompt, &error)),
    }
}

/// Whether the path means standard input.
pub(crate) fn is_standard_input(path: impl AsRef<Path>) -> bool {
    path.as_ref() == Path::new("-")
}

fn warn_if_others_can_read(
    wanted: &Wanted<'_>,
    source: &Source<'_>,
    file: &File,
    surroundings: &Surroundings<'_>,
) {
    let Ok(metadata) = file.metadata() else {
        return;
    };
    let mode = metadata.permissions().mode() & 0o7777;
    if metadata.is_file() && mode & 0o077 != 0 {
        surroundings.printer.warning(&format!(
            "other users of this machine may use {source}, which holds the {} (mode {mode:04o}); \
             `chmod 600` keeps them out",
            wanted.what
        ));
    }
}

fn cannot_open(wanted: &Wanted<'_>, path: &Path, error: &io::Error) -> Failure {
    let is_nowhere = matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::InvalidFilename
    );
    if is_nowhere && may_be_secret(path.as_os_str().as_encoded_bytes()) {
        return Failure::usage(format!(
            "what follows `{}` is no file, and may be the {} itself; it is not shown here",
            wanted.flag, wanted.what,
        ))
        .nothing_changed()
        .hint(
            "secrets are never arguments, because every user of the machine can see a process's \
             arguments; remove it from your shell's history, and put it in a file",
        );
    }
    unreadable(wanted, &Source::File(path), error)
}

fn unreadable(wanted: &Wanted<'_>, source: &Source<'_>, error: &io::Error) -> Failure {
    let what = wanted.what;
    Failure::check(format!(
        "the {what} can't be read from {source}: {}",
        chain(error)
    ))
    .nothing_changed()
    .hint(format!(
        "name a file that this user can read and that holds the {what} alone"
    ))
}
