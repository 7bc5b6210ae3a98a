//! The file behind a journal.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::JournalError;

/// Where lines go.
pub trait LineSink {
    /// Appends a line or several, their ends included. When this returns, they are on the disk.
    ///
    /// # Errors
    ///
    /// When they aren't, or may not be. The journal appends nothing after that.
    fn append(&mut self, lines: &[u8]) -> io::Result<()>;
}

struct Lines(File);

impl LineSink for Lines {
    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        self.0.write_all(lines)?;
        self.0.sync_data()
    }
}

pub(super) fn create(path: &Path) -> Result<impl LineSink + use<>, JournalError> {
    let file = OpenOptions::new()
        .append(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|file| path.parent().map_or(Ok(()), sync_folder).map(|()| file))
        .map_err(|source| error("create", path, source))?;
    Ok(Lines(file))
}

pub(super) fn open(path: &Path) -> Result<impl LineSink + use<>, JournalError> {
    let file = OpenOptions::new()
        .append(true)
        .open(path)
        .map_err(|source| error("open", path, source))?;
    remove_half_line(path, &file).map_err(|source| error("mend the end of", path, source))?;
    Ok(Lines(file))
}

fn remove_half_line(path: &Path, file: &File) -> io::Result<()> {
    let text = std::fs::read(path)?;
    let whole = whole_lines(&text);
    if whole < text.len() {
        file.set_len(whole as u64)?;
        file.sync_data()?;
    }
    Ok(())
}

/// The length of the lines that have an end.
pub(super) fn whole_lines(text: &[u8]) -> usize {
    text.iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |end| end + 1)
}

/// Makes the names in a folder last.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn error(operation: &'static str, path: &Path, source: io::Error) -> JournalError {
    JournalError::Io {
        operation,
        path: path.to_owned(),
        source,
    }
}
