//! What keeps two processes from the same secret. The system lets go of it when the
//! process ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use super::error::{RunsError, error};

/// Longer than anybody holds the lock only to see whether it is held.
const LOOK: Duration = Duration::from_millis(500);

/// Takes the lock for a rotation; it is held until the file is dropped.
pub(super) fn take(path: &Path, rotation: &str) -> Result<File, RunsError> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
        .map_err(|source| error("open", path, source))?;
    let began = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            // Somebody may only be looking whether it is held.
            Err(TryLockError::WouldBlock) if began.elapsed() < LOOK => {
                std::thread::sleep(LOOK / 20);
            }
            Err(TryLockError::WouldBlock) => {
                return Err(RunsError::Busy {
                    rotation: rotation.to_owned(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(error("lock", path, source)),
        }
    }
}

/// Whether somebody holds it. A lock that nobody ever took is no file.
pub(super) fn is_taken(path: &Path) -> bool {
    File::open(path)
        .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}
