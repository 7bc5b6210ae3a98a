//! Gives a property every input of its corpus. The crates that have properties include
//! this file in their tests.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Fails with the name of the first input that the property doesn't hold for.
pub(super) fn replay(target: &str, property: fn(&[u8])) {
    let folder = corpora().join(target);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    assert!(
        paths.len() >= 5,
        "hardly any inputs in {}",
        folder.display()
    );
    for path in paths {
        let input = std::fs::read(&path).unwrap();
        let held = catch_unwind(AssertUnwindSafe(|| property(&input)));
        assert!(held.is_ok(), "it does not hold for {}", path.display());
    }
}

fn corpora() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = package.ancestors().map(|one| one.join("tests/fuzz/corpus"));
    folders.find(|folder| folder.is_dir()).unwrap()
}
