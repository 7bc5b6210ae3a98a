//! Files that are written whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::Error;

/// What the name of a file that isn't whole yet ends in.
const UNFINISHED: &str = ".unfinished";

/// No file of variables, record or value comes near it. A device, which never ends,
/// would.
const LONGEST_BYTES: usize = 16 * 1024 * 1024;

/// Writes a file that its owner alone may read, whole or not at all.
///
/// # Errors
///
/// When it can't be written; what was there before is there still.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    replace(path, bytes, |_| Ok(()))
}

/// The same; `adapt` sets what else the file is to have before it takes its place.
pub(super) fn replace(
    path: &Path,
    bytes: &[u8],
    adapt: impl FnOnce(&File) -> Result<(), Error>,
) -> Result<(), Error> {
    unfinished_or_none(path, || {
        write_unfinished(path, bytes, adapt)?;
        fs::rename(unfinished(path), path).map_err(Error::file("write", path))
    })?;
    sync_folder_of(path)
}

/// Writes a file that its owner alone may read, whole, under the name of one that isn't
/// finished: [`finish`] gives it its own.
pub(super) fn stage(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    unfinished_or_none(path, || {
        write_unfinished(path, bytes, |_| Ok(()))?;
        sync_folder_of(path)
    })
}

fn write_unfinished(
    path: &Path,
    bytes: &[u8],
    adapt: impl FnOnce(&File) -> Result<(), Error>,
) -> Result<(), Error> {
    let failed = |error| Error::file("write", path)(error);
    let mut file = create(&unfinished(path)).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    adapt(&file)?;
    file.sync_all().map_err(failed)
}

/// Where the work on an unfinished file fails, nothing is left of that.
fn unfinished_or_none(path: &Path, work: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
    work().inspect_err(|_| {
        let _ = fs::remove_file(unfinished(path));
    })
}

/// Gives a file that was [staged](stage) its name; nothing where there is none.
pub(super) fn finish(path: &Path) -> Result<(), Error> {
    match fs::rename(unfinished(path), path) {
        Ok(()) => sync_folder_of(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::file("write", path)(error)),
    }
}

/// Where a file is written until it is whole. One name for each, so that what a
/// crash leaves is found and replaced by the next write.
pub(super) fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(UNFINISHED);
    PathBuf::from(name)
}

/// Whether this is the name of a file that never got whole.
pub(super) fn is_unfinished(path: &Path) -> bool {
    path.as_os_str()
        .as_encoded_bytes()
        .ends_with(UNFINISHED.as_bytes())
}

/// An empty file that nobody else can have opened, and only its owner can.
pub(super) fn create(path: &Path) -> io::Result<File> {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// All of a file, in a buffer that is wiped; nothing where there is none.
///
/// # Errors
///
/// When it can't be read, is longer than any file that is meant, or is a pipe: whoever opened
/// that might wait for ever, and nothing can be put in its place.
#[expect(
    clippy::indexing_slicing,
    reason = "no more is filled than there is room"
)]
pub(super) fn read(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    let failed = |error| Error::file("read", path)(error);
    if fs::metadata(path).is_ok_and(|found| found.file_type().is_fifo()) {
        let why = "it is a pipe, and no file";
        return Err(failed(io::Error::new(io::ErrorKind::InvalidInput, why)));
    }
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let length = file.metadata().map_err(failed)?.len();
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    // One byte more, to find the end with.
    let mut bytes = Zeroizing::new(vec![0; length.min(LONGEST_BYTES) + 1]);
    let mut filled = 0;
    loop {
        match file.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
        if filled > LONGEST_BYTES {
            return Err(failed(io::ErrorKind::FileTooLarge.into()));
        }
        if filled == bytes.len() {
            bytes = roomier(&bytes);
        }
    }
    bytes.truncate(filled);
    Ok(Some(bytes))
}

/// The same with more room after it: for a file that grew, or that doesn't tell its
/// length. A vector that grew by itself would leave a copy behind.
fn roomier(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let room = bytes.len() * 2 + 4096;
    let mut roomier = Zeroizing::new(Vec::with_capacity(room));
    roomier.extend_from_slice(bytes);
    roomier.resize(room, 0);
    roomier
}

/// Removes a file, if there is one, and makes that last.
pub(super) fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Ok(()) => sync_folder_of(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::file("remove", path)(error)),
    }
}

/// Makes what was renamed or removed in a file's folder last.
pub(super) fn sync_folder_of(path: &Path) -> Result<(), Error> {
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(Error::file("write", folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_whole_however_long_it_says_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for length in [0, 1, 4095, 4096, 4097, 100_000] {
            let text = vec![b'x'; length];
            fs::write(&path, &text).unwrap();
            assert_eq!(*read(&path).unwrap().unwrap(), text);
        }
        assert!(read(&folder.path().join("none")).unwrap().is_none());
    }

    /// It says it is empty.
    #[test]
    #[cfg(target_os = "linux")]
    fn a_file_that_does_not_tell_its_length_is_read_too() {
        let text = read(Path::new("/proc/self/status")).unwrap().unwrap();
        assert!(text.starts_with(b"Name:") && text.ends_with(b"\n"));
    }

    /// Nobody writes to it: opening it would not come back.
    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "the standard library makes no pipes"
    )]
    fn a_pipe_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        let refused = read(&path).unwrap_err().to_string();
        assert!(refused.contains("pipe"), "{refused}");
    }

    #[test]
    fn a_file_without_an_end_and_one_of_a_terabyte_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let large = folder.path().join("large");
        File::create(&large).unwrap().set_len(1 << 40).unwrap();
        for path in [Path::new("/dev/zero"), &large] {
            let refused = read(path).unwrap_err();
            let Error::File { source, .. } = &refused else {
                panic!("{refused:?}");
            };
            assert_eq!(source.kind(), io::ErrorKind::FileTooLarge);
        }
    }
}
