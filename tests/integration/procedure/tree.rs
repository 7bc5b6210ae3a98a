//! Everything in a folder: for comparing, copying and searching.
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Result;

/// Each file by its path within the folder, with its mode and its bytes.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Tree(BTreeMap<PathBuf, (u32, Vec<u8>)>);

impl Tree {
    /// Folders count by what is in them; an empty one by its name.
    pub(crate) fn read(folder: &Path) -> Result<Tree> {
        let mut files = BTreeMap::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(inner) = folders.pop() {
            for entry in fs::read_dir(&inner)? {
                let path = entry?.path();
                let mode = fs::symlink_metadata(&path)?.permissions().mode() & 0o777;
                let name = path.strip_prefix(folder)?.to_owned();
                if path.is_dir() {
                    files.insert(name.join(""), (mode, Vec::new()));
                    folders.push(path);
                } else {
                    files.insert(name, (mode, fs::read(path)?));
                }
            }
        }
        Ok(Tree(files))
    }

    pub(crate) fn write_to(&self, folder: &Path) -> Result<()> {
        for (name, (mode, bytes)) in &self.0 {
            let path = folder.join(name);
            if name.to_string_lossy().ends_with('/') {
                fs::create_dir_all(&path)?;
            } else {
                fs::write(&path, bytes)?;
            }
            fs::set_permissions(&path, fs::Permissions::from_mode(*mode))?;
        }
        Ok(())
    }

    /// What differs, by name: added, removed or changed.
    pub(crate) fn differences(&self, other: &Tree) -> Vec<String> {
        let names = self.0.keys().chain(other.0.keys());
        let mut differing: Vec<String> = names
            .filter(|name| self.0.get(*name) != other.0.get(*name))
            .map(|name| name.display().to_string())
            .collect();
        differing.sort();
        differing.dedup();
        differing
    }

    /// The files that hold a text.
    pub(crate) fn holding(&self, text: &str) -> Vec<String> {
        let holds = |bytes: &Vec<u8>| {
            bytes
                .windows(text.len())
                .any(|window| window == text.as_bytes())
        };
        let found = self.0.iter().filter(|(_, (_, bytes))| holds(bytes));
        found.map(|(name, _)| name.display().to_string()).collect()
    }

    /// The names of all files.
    pub(crate) fn names(&self) -> Vec<String> {
        self.0
            .keys()
            .map(|name| name.display().to_string())
            .collect()
    }

    /// A file's mode, if it is there.
    pub(crate) fn mode(&self, name: &str) -> Option<u32> {
        self.0.get(Path::new(name)).map(|(mode, _)| *mode)
    }
}
