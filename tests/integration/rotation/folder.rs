//! The folders of worlds: in memory, where there is a choice, for thousands of journals
//! are synced.
use std::fs;
use std::path::Path;

use anyhow::Result;
use tempfile::TempDir;

pub(super) fn new() -> Result<TempDir> {
    let memory = Path::new("/dev/shm");
    Ok(match memory.is_dir() {
        true => TempDir::new_in(memory)?,
        false => TempDir::new()?,
    })
}

/// Copies what is in a folder, with the permissions that it has.
pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir(&to)?;
            fs::set_permissions(&to, entry.metadata()?.permissions())?;
            copy(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), &to)?;
        }
    }
    Ok(())
}
