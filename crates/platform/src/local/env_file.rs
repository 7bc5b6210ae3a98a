//! One variable of a `.env` file, read and replaced; all else stays byte for byte.
#![expect(
    clippy::indexing_slicing,
    reason = "positions are those that were found in the same text"
)]

mod quote;
mod stand_in;
mod statement;
#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret;
use secret::SecretValue;
use zeroize::Zeroizing;

use self::statement::{Assignment, assignments};
use super::whole_file;
use crate::Error;

/// A `.env` file as python-dotenv and docker compose read it.
///
/// A value keeps the quotes that it has, if the new value can be written in them,
/// so that putting the old value back gives the old file. A variable that is set
/// more than once is read as its readers do, the last one counts, but not
/// replaced: nobody could put back what the others held.
pub(super) struct EnvFile {
    /// With symbolic links followed: the file is replaced, and not a link to it.
    path: PathBuf,
    text: Zeroizing<Vec<u8>>,
}

impl EnvFile {
    pub(super) fn read(path: &Path) -> Result<EnvFile, Error> {
        let missing = || Error::NoEnvFile {
            path: std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
        };
        let found = path.canonicalize().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => missing(),
            _ => Error::file("read", path)(error),
        })?;
        let text = whole_file::read(&found)?.ok_or_else(missing)?;
        Ok(EnvFile { path: found, text })
    }

    /// The value of a variable.
    pub(super) fn value(&self, variable: &str) -> Result<SecretValue, Error> {
        let found = self.assignments_of(variable)?;
        let last = found.last().ok_or_else(|| self.not_set(variable))?;
        let value = last.read(&self.text);
        if is_interpolated(&value) {
            return Err(Error::Interpolated {
                path: self.path.clone(),
                variable: variable.to_owned(),
                line: last.line,
            });
        }
        Ok(SecretValue::new(value))
    }

    /// The file with another value for a variable; not written yet.
    #[expect(
        clippy::disallowed_methods,
        reason = "the `.env` file is where the service reads the value"
    )]
    pub(super) fn with(&self, variable: &str, value: &SecretValue) -> Result<EnvFile, Error> {
        let assignment = &self.only_assignment_of(variable)?;
        let unwritable = || Error::Unwritable {
            path: self.path.clone(),
            variable: variable.to_owned(),
        };
        let quoted = quote::write(value.expose_secret(), assignment.quotes);
        let edited = EnvFile {
            path: self.path.clone(),
            text: self.splice(assignment, &quoted.ok_or_else(unwritable)?),
        };
        // A quote further down may pair with one of the value's.
        let kept = edited.value(variable).is_ok_and(|read| read == *value)
            && self.differs_at_most_in(variable, &edited);
        if kept { Ok(edited) } else { Err(unwritable()) }
    }

    /// Puts an edited file in the place of this one, unless somebody else changed
    /// it meanwhile.
    pub(super) fn replace_with(&self, edited: &EnvFile) -> Result<(), Error> {
        let there = whole_file::read(&self.path)?;
        if there.is_none_or(|text| *text != *self.text) {
            let path = self.path.clone();
            return Err(Error::EnvFileChanged { path });
        }
        let metadata = fs::metadata(&self.path).map_err(Error::file("read", &self.path))?;
        whole_file::replace(&self.path, &edited.text, |file| {
            stand_in::adapt(file, &self.path, &metadata)
        })
    }

    /// Removes what a replacement that was cut off left beside it: that holds a value which
    /// nobody asks for any more.
    pub(super) fn remove_unfinished(&self) -> Result<(), Error> {
        whole_file::remove(&whole_file::unfinished(&self.path))
    }

    /// Whether a variable could be given another value, as far as the file's text goes.
    pub(super) fn check_replaceable(&self, variable: &str) -> Result<(), Error> {
        self.only_assignment_of(variable).map(drop)
    }

    /// Whether the file could be replaced now; nothing is left of the attempt.
    pub(super) fn check_writable(&self) -> Result<(), Error> {
        stand_in::check(&self.path)
    }

    fn assignments(&self) -> Result<Vec<Assignment>, Error> {
        assignments(&self.text).map_err(|line| Error::OpenQuote {
            path: self.path.clone(),
            line,
        })
    }

    fn assignments_of(&self, variable: &str) -> Result<Vec<Assignment>, Error> {
        let mut found = self.assignments()?;
        found.retain(|assignment| self.text[assignment.name.clone()] == *variable.as_bytes());
        Ok(found)
    }

    fn only_assignment_of(&self, variable: &str) -> Result<Assignment, Error> {
        let mut found = self.assignments_of(variable)?;
        if found.len() > 1 {
            return Err(Error::RepeatedVariable {
                path: self.path.clone(),
                variable: variable.to_owned(),
                lines: found.iter().map(|one| one.line).collect(),
            });
        }
        found.pop().ok_or_else(|| self.not_set(variable))
    }

    fn not_set(&self, variable: &str) -> Error {
        Error::NoVariable {
            path: self.path.clone(),
            variable: variable.to_owned(),
        }
    }

    fn splice(&self, assignment: &Assignment, value: &[u8]) -> Zeroizing<Vec<u8>> {
        let (before, after) = (assignment.value.start, assignment.value.end);
        let parts = [&self.text[..before], value, &self.text[after..]];
        // As large as needed: a buffer that grew would leave a copy behind.
        let mut text = Zeroizing::new(Vec::with_capacity(
            parts.iter().map(|part| part.len()).sum(),
        ));
        for part in parts {
            text.extend_from_slice(part);
        }
        text
    }

    fn differs_at_most_in(&self, variable: &str, edited: &EnvFile) -> bool {
        let (Ok(old), Ok(new)) = (self.assignments(), edited.assignments()) else {
            return false;
        };
        old.len() == new.len()
            && old.iter().zip(&new).all(|(old, new)| {
                let name = &self.text[old.name.clone()];
                *name == edited.text[new.name.clone()]
                    && (name == variable.as_bytes()
                        || old.read(&self.text) == new.read(&edited.text))
            })
    }
}

/// Whether python-dotenv puts other variables' values into it, whatever its quotes are.
fn is_interpolated(value: &[u8]) -> bool {
    let opening = value.windows(2).position(|pair| pair == b"${");
    opening.is_some_and(|at| value[at..].contains(&b'}'))
}
