//! Where keys come from: files, standard input, the environment, a prompt.

use std::fmt;
use std::path::{Path, PathBuf};

use secret::FernetKey;
use zeroize::Zeroizing;

use super::secret_text::{self, Source, Wanted, is_standard_input};
use crate::cli;
use crate::failure::Failure;
use crate::settings::Surroundings;

/// What a key is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum KeyRole {
    /// One that tokens are under.
    Old,
    /// The one that they are to be under.
    New,
}

impl KeyRole {
    fn wanted(self) -> Wanted<'static> {
        let (what, flag) = match self {
            KeyRole::Old => ("old key", "--old-key-file"),
            KeyRole::New => ("new key", "--new-key-file"),
        };
        Wanted { what, flag }
    }

    fn variable(self) -> &'static str {
        match self {
            KeyRole::Old => "DCR_OLD_KEY",
            KeyRole::New => "DCR_NEW_KEY",
        }
    }
}

/// `old key`, `new key`.
impl fmt::Display for KeyRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.wanted().what)
    }
}

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
        read_variable(KeyRole::Old, surroundings)?
            .into_iter()
            .collect()
    } else {
        let read = |file: &PathBuf| read_file(KeyRole::Old, file, surroundings);
        files
            .old_key_file
            .iter()
            .map(read)
            .collect::<Result<_, _>>()?
    };
    let new = match &files.new_key_file {
        None => read_variable(KeyRole::New, surroundings)?,
        Some(file) => Some(read_file(KeyRole::New, file, surroundings)?),
    };
    Ok(Given { old, new })
}

/// Whether files or the environment give a key, without a look at it.
pub(crate) fn are_given(files: &cli::Keys, surroundings: &Surroundings<'_>) -> bool {
    let is_set = |role: KeyRole| surroundings.variable(role.variable()).is_some();
    files.files().next().is_some() || is_set(KeyRole::Old) || is_set(KeyRole::New)
}

/// Asks for a key that wasn't given.
///
/// # Errors
///
/// When nobody is there to be asked, or nothing sensible is answered.
pub(crate) fn ask_for(
    role: KeyRole,
    surroundings: &Surroundings<'_>,
) -> Result<FernetKey, Failure> {
    let Some(terminal) = &surroundings.terminal else {
        return Err(Failure::check(format!("there is no {role}"))
            .nothing_changed()
            .hint(format!(
                "set {}, or name a file with `{}` (`-` is standard input)",
                role.variable(),
                role.wanted().flag,
            )));
    };
    let text = secret_text::from_prompt(&role.wanted(), "", terminal, surroundings)?;
    parse(role, &Source::Prompt, &text, surroundings)
}

fn read_variable(
    role: KeyRole,
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
    role: KeyRole,
    path: &Path,
    surroundings: &Surroundings<'_>,
) -> Result<FernetKey, Failure> {
    let (source, text) = secret_text::from_file(&role.wanted(), path, surroundings)?;
    parse(role, &source, &text, surroundings)
}

fn parse(
    role: KeyRole,
    source: &Source<'_>,
    text: &Zeroizing<Vec<u8>>,
    surroundings: &Surroundings<'_>,
) -> Result<FernetKey, Failure> {
    let parsed = FernetKey::parse(text).map_err(|error| {
        Failure::check(format!("the {role} from {source} can't be used: {error}"))
            .nothing_changed()
            .hint_if_any(error.hint())
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
