//! One re-encryption of a database at a time.

use connection::DatabaseMessage;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// A locked file beside the database, gone with the lock. The system lets go of
/// it when the process dies, however it dies.
///
/// It isn't the database itself: SQLite's own locks on that file are lost as
/// soon as anything else in the process opens and closes it
/// (<https://www.sqlite.org/howtocorrupt.html>, section 2.2).
#[derive(Debug)]
pub(super) struct RunLock {
    path: PathBuf,
    _file: File,
}

impl RunLock {
    /// Takes the lock, or fails at once with [`Error::AlreadyRunning`].
    pub(super) fn acquire(database: &Path) -> Result<RunLock, Error> {
        let mut path = database.as_os_str().to_owned();
        path.push(".rotation-lock");
        let path = PathBuf::from(path);
        loop {
            let file = open(&path).map_err(|error| failed(&error))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(Error::AlreadyRunning),
                Err(TryLockError::Error(error)) => return Err(failed(&error)),
            }
            // Whoever held the lock may have removed the file after it was opened
            // here; then this lock is on a file that nobody else will find.
            if is_at(&file, &path) {
                return Ok(RunLock { path, _file: file });
            }
        }
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // Still locked: the next run either finds no file or waits for the lock
        // on this one and sees that it is gone. If it can't be removed, an empty
        // file stays, which the next run locks.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn open(path: &Path) -> io::Result<File> {
    let created = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path);
    match created {
        // Left behind by somebody else, who was killed. To lock it is enough to
        // read it.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => File::open(path),
        created => created,
    }
}

fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), path.metadata()) {
        (Ok(open), Ok(there)) => (open.dev(), open.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

fn failed(error: &io::Error) -> Error {
    Error::Statement {
        operation: "lock the database against a second run",
        source: DatabaseMessage::new(&error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_run_is_refused_and_a_later_one_finds_nothing_in_its_way() {
        let folder = std::env::temp_dir().join(format!("run-lock-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let database = folder.join("clients.sqlite");
        let first = RunLock::acquire(&database).unwrap();
        assert!(matches!(
            RunLock::acquire(&database),
            Err(Error::AlreadyRunning)
        ));
        drop(first);
        drop(RunLock::acquire(&database).unwrap());
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_lock_on_a_file_that_was_removed_or_replaced_is_none() {
        let folder = std::env::temp_dir().join(format!("run-lock-at-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("lock");
        let file = open(&path).unwrap();
        assert!(is_at(&file, &path));
        std::fs::remove_file(&path).unwrap();
        assert!(!is_at(&file, &path));
        let another = open(&path).unwrap();
        assert!(!is_at(&file, &path));
        assert!(is_at(&another, &path));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_folder_in_the_place_of_the_lock_is_an_error_and_no_lock() {
        let folder = std::env::temp_dir().join(format!("run-lock-in-{}", std::process::id()));
        let database = folder.join("clients.sqlite");
        std::fs::create_dir_all(folder.join("clients.sqlite.rotation-lock")).unwrap();
        let locked = RunLock::acquire(&database);
        assert!(matches!(locked, Err(Error::Statement { .. })), "{locked:?}");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
