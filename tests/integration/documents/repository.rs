//! The files of this repository, by their paths from its root.
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Result};

/// Where no document of this repository lies.
const NOT_OURS: [&str; 3] = ["target", ".git", "found"];

pub(super) fn root() -> Result<PathBuf> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = tests.parent().context("a workspace around the tests")?;
    Ok(root.to_owned())
}

pub(super) fn read(path: &str) -> Result<String> {
    fs::read_to_string(root()?.join(path)).with_context(|| path.to_owned())
}

/// Every Markdown file, in the order of their paths.
pub(super) fn markdown_files() -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root()?.join(&folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            let is_ours = !NOT_OURS.iter().any(|name| entry.file_name() == *name);
            if entry.file_type()?.is_dir() && is_ours {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Where a relative link in a file leads: nowhere, if it leads out of the repository.
pub(super) fn resolved(file: &str, link: &str) -> Option<String> {
    let folder = Path::new(file).parent()?;
    let mut path = PathBuf::new();
    for component in folder.join(link).components() {
        match component {
            Component::Normal(name) => path.push(name),
            Component::ParentDir => path.pop().then_some(())?,
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(path.to_string_lossy().into_owned())
}
