//! Where a secret comes from, in words that can be shown.

use std::fmt;
use std::path::Path;

use crate::input::shown_path;

/// A place with a secret.
pub(crate) enum Source<'a> {
    /// A file.
    File(&'a Path),
    /// Standard input.
    StandardInput,
    /// An environment variable.
    Variable(&'static str),
    /// A person.
    Prompt,
}

/// The place's name, unless it may be a secret that was typed for one.
impl fmt::Display for Source<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::File(path) => f.write_str(&shown_path(path)),
            Source::StandardInput => f.write_str("standard input"),
            Source::Variable(name) => f.write_str(name),
            Source::Prompt => f.write_str("the terminal"),
        }
    }
}
