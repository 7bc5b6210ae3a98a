//! Where a secret comes from, in words that can be shown.

use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use secret::FernetKey;

use crate::output::plain;

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
            Source::File(path) if may_be_secret(path) => {
                f.write_str("a file whose name is not shown, since it may be a secret")
            }
            Source::File(path) => write!(f, "`{}`", plain(&path.to_string_lossy())),
            Source::StandardInput => f.write_str("standard input"),
            Source::Variable(name) => f.write_str(name),
            Source::Prompt => f.write_str("the terminal"),
        }
    }
}

/// A key, or a database URL with its password.
fn may_be_secret(path: &Path) -> bool {
    let text = path.as_os_str().as_bytes();
    FernetKey::looks_like_key(text) || text.windows(3).any(|window| window == b"://")
}
