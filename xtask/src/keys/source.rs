//! What a key is for and where it comes from, in words that can be shown.

use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use secret::FernetKey;

use crate::printer::plain;

/// What a key is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Role {
    /// One that tokens are under.
    Old,
    /// The one that they are to be under.
    New,
}

/// A place with a key.
pub(super) enum Source<'a> {
    /// A file.
    File(&'a Path),
    /// Standard input.
    StandardInput,
    /// An environment variable.
    Variable(&'static str),
    /// A person.
    Prompt,
}

impl Role {
    pub(super) fn word(self) -> &'static str {
        match self {
            Role::Old => "old",
            Role::New => "new",
        }
    }

    pub(super) fn variable(self) -> &'static str {
        match self {
            Role::Old => "DCR_OLD_KEY",
            Role::New => "DCR_NEW_KEY",
        }
    }
}

/// `old key`, `new key`.
impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} key", self.word())
    }
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
