//! Where the repository is.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// The folder that holds this workspace: `start` or the nearest one above it.
///
/// # Errors
///
/// When there is none.
pub(crate) fn root_from(start: &Path) -> anyhow::Result<PathBuf> {
    start
        .ancestors()
        .find(|folder| {
            folder.join("Cargo.lock").is_file() && folder.join("xtask/Cargo.toml").is_file()
        })
        .map(Path::to_owned)
        .with_context(|| format!("`{}` is not inside this repository", start.display()))
}

/// The workspace around the current directory.
///
/// # Errors
///
/// When there is none.
pub(crate) fn root() -> anyhow::Result<PathBuf> {
    let here = std::env::current_dir().context("the current directory can't be found out")?;
    root_from(&here)
}
