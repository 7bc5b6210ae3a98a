//! Where keys come from: files, standard input, the environment, a prompt.

mod source;

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

pub(crate) use self::source::Role;
use self::source::Source;
use secret::FernetKey;
use zeroize::Zeroizing;

use crate::cli;
use crate::failure::{Failure, chain};
use crate::settings::Surroundings;
use crate::terminal::{Answer, read_secret};

/// The keys that files and the environment gave.
#[derive(Debug)]
pub(crate) struct Given {
    /// The old keys, perhaps none.
    pub(crate) old: Vec<FernetKey>,
    /// The new key.
    pub(crate) new: Option<FernetKey>,
}

impl cli::Keys {
    /// Whether one of the keys comes through standard input.
    pub(crate) fn use_standard_input(&self) -> bool {
        self.files().any(is_standard_input)
    }

    fn files(&self) -> impl Iterator<Item = &PathBuf> {
        self.old_key_file.iter().chain(&self.new_key_file)
    }
}

/// Reads the keys that were given. A file goes before its variable.
///
/// # Errors
///
/// A [`Failure`] that names the place, never what it holds.
pub(crate) fn given(files: &cli::Keys, surroundings: &Surroundings<'_>) -> Result<Given, Failure> {
    if files.files().filter(|file| is_standard_input(file)).count() > 1 {
        return Err(
            Failure::usage("only one key can come through standard input")
                .nothing_changed()
                .hint("give the other in a file or in the environment"),
        );
    }
    let old = if files.old_key_file.is_empty() {
        read_variable(Role::Old, surroundings)?
            .into_iter()
            .collect()
    } else {
        let read = |file: &PathBuf| read_file(Role::Old, file, surroundings);
        files
            .old_key_file
            .iter()
            .map(read)
            .collect::<Result<_, _>>()?
    };
    let new = match &files.new_key_file {
        None => read_variable(Role::New, surroundings)?,
        Some(file) => Some(read_file(Role::New, file, surroundings)?),
    };
    Ok(Given { old, new })
}

/// Asks for a key that wasn't given.
///
/// # Errors
///
/// When nobody is there to be asked, or nothing sensible is answered.
pub(crate) fn ask_for(role: Role, surroundings: &Surroundings<'_>) -> Result<FernetKey, Failure> {
    let Some(terminal) = &surroundings.terminal else {
        return Err(Failure::check(format!("there is no {role}"))
            .nothing_changed()
            .hint(format!(
                "set {}, or name a file with `--{}-key-file` (`-` is standard input)",
                role.variable(),
                role.word(),
            )));
    };
    let question = format!("{role}, which will not show:");
    match terminal.ask_hidden(&question, surroundings.interrupt) {
        Ok(Answer::Line(text)) => parse(role, &Source::Prompt, &text, surroundings),
        Ok(Answer::None) => Err(Failure::stopped(format!(
            "stopped before the {role} was given"
        ))),
        Err(error) => Err(unreadable(role, &Source::Prompt, &error)),
    }
}

fn read_variable(
    role: Role,
    surroundings: &Surroundings<'_>,
) -> Result<Option<FernetKey>, Failure> {
    let Some(text) = surroundings.variable(role.variable()) else {
        return Ok(None);
    };
    parse(
        role,
        &Source::Variable(role.variable()),
        &text,
        surroundings,
    )
    .map(Some)
}

fn read_file(
    role: Role,
    path: &Path,
    surroundings: &Surroundings<'_>,
) -> Result<FernetKey, Failure> {
    let (source, file) = if !is_standard_input(path) {
        let source = Source::File(path);
        let file = File::open(path).map_err(|error| cannot_open(role, path, &error))?;
        warn_if_others_can_read(role, &source, &file, surroundings);
        (source, file)
    } else if io::stdin().is_terminal() {
        return ask_for(role, surroundings);
    } else {
        // A file of its own: the one of `std::io::Stdin` has a buffer that isn't wiped.
        let file = io::stdin().as_fd().try_clone_to_owned();
        let file = file.map_err(|error| unreadable(role, &Source::StandardInput, &error))?;
        (Source::StandardInput, File::from(file))
    };
    match read_secret(&file, surroundings.interrupt) {
        Ok(Some(text)) => parse(role, &source, &text, surroundings),
        Ok(None) => Err(Failure::stopped(format!(
            "stopped before the {role} was read"
        ))),
        Err(error) => Err(unreadable(role, &source, &error)),
    }
}

fn parse(
    role: Role,
    source: &Source<'_>,
    text: &Zeroizing<Vec<u8>>,
    surroundings: &Surroundings<'_>,
) -> Result<FernetKey, Failure> {
    let parsed = FernetKey::parse(text).map_err(|error| {
        let failure = Failure::check(format!("the {role} from {source} can't be used: {error}"));
        Failure {
            hint: error.hint().map(ToOwned::to_owned),
            ..failure
        }
        .nothing_changed()
    })?;
    for warning in &parsed.warnings {
        surroundings
            .printer
            .warning(&format!("the {role} from {source}: {warning}"));
    }
    let fingerprint = parsed.key.fingerprint();
    surroundings
        .printer
        .detail(&format!("{role} {fingerprint}, from {source}"));
    Ok(parsed.key)
}

fn warn_if_others_can_read(
    role: Role,
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
            "other users of this machine may use {source}, which holds the {role} (mode {mode:04o}); \
             `chmod 600` keeps them out"
        ));
    }
}

fn cannot_open(role: Role, path: &Path, error: &io::Error) -> Failure {
    if FernetKey::looks_like_key(path.as_os_str().as_bytes())
        && error.kind() == io::ErrorKind::NotFound
    {
        return Failure::usage(format!(
            "what follows `--{}-key-file` looks like a key, not like the path of a file; it is not \
             shown here",
            role.word(),
        ))
        .nothing_changed()
        .hint(
            "keys are never arguments, because every user of the machine can see a process's \
             arguments; remove it from your shell's history, and put it in a file",
        );
    }
    unreadable(role, &Source::File(path), error)
}

fn unreadable(role: Role, source: &Source<'_>, error: &io::Error) -> Failure {
    Failure::check(format!(
        "the {role} can't be read from {source}: {}",
        chain(error)
    ))
    .nothing_changed()
    .hint("name a file that this user can read and that holds the key alone")
}

fn is_standard_input(file: impl AsRef<Path>) -> bool {
    file.as_ref() == Path::new("-")
}
