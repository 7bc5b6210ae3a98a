//! The file that takes the place of another: read by whom the other was read by.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::Path;

use crate::Error;
use crate::local::whole_file;

/// Gives a file that its owner alone can read the owner, the group and the mode of the
/// one whose place it takes, in this order: at no moment can anybody read it who could
/// not read the other.
///
/// # Errors
///
/// [`Error::NotKept`] where this user may not: who reads the file by its group could not
/// any more.
pub(super) fn adapt(file: &File, path: &Path, old: &Metadata) -> Result<(), Error> {
    give(file, old).map_err(|source| Error::NotKept {
        path: path.to_owned(),
        owner: old.uid(),
        group: old.gid(),
        source,
    })
}

fn give(file: &File, old: &Metadata) -> io::Result<()> {
    let new = file.metadata()?;
    // The group first: it takes the owner to give it.
    if new.gid() != old.gid() {
        fchown(file, None, Some(old.gid()))?;
    }
    if new.uid() != old.uid() {
        fchown(file, Some(old.uid()), None)?;
    }
    file.set_permissions(fs::Permissions::from_mode(old.mode() & 0o777))
}

/// Whether a file could be replaced now. What the system tells only by doing it is tried
/// with a file that has no name: nobody sees it, and nothing is left of it.
///
/// # Errors
///
/// [`Error::MountPoint`], [`Error::Immutable`], [`Error::HardLinked`] and [`Error::NotKept`];
/// when no file can be made beside it.
pub(super) fn check(path: &Path) -> Result<(), Error> {
    check_attributes(path)?;
    let old = fs::metadata(path).map_err(Error::file("read", path))?;
    if old.nlink() > 1 {
        return Err(Error::HardLinked {
            path: path.to_owned(),
            names: old.nlink(),
        });
    }
    let unfinished = whole_file::unfinished(path);
    if unfinished.is_dir() {
        return Err(Error::file("write", unfinished)(
            io::ErrorKind::IsADirectory.into(),
        ));
    }
    let folder = path.parent().unwrap_or(Path::new("/"));
    let tried = tempfile::tempfile_in(folder).map_err(Error::file("write beside", path))?;
    adapt(&tried, path, &old)
}

/// Refuses a file that the system lets nobody replace, root neither.
#[cfg(target_os = "linux")]
fn check_attributes(path: &Path) -> Result<(), Error> {
    use rustix::fs::{AtFlags, CWD, StatxAttributes as Attributes, StatxFlags, statx};

    let found = match statx(CWD, path, AtFlags::empty(), StatxFlags::BASIC_STATS) {
        Ok(found) => found.stx_attributes,
        // It is forbidden in some containers: there the writing finds out.
        Err(_) => return Ok(()),
    };
    let path = path.to_owned();
    if found.contains(Attributes::MOUNT_ROOT) {
        return Err(Error::MountPoint { path });
    }
    if found.intersects(Attributes::IMMUTABLE | Attributes::APPEND) {
        return Err(Error::Immutable { path });
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn check_attributes(_: &Path) -> Result<(), Error> {
    Ok(())
}
