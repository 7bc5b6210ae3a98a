//! The repository's own rules.
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::Xtask;

fn root() -> Result<PathBuf> {
    let tests = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    Ok(tests
        .parent()
        .context("a workspace around the tests")?
        .to_owned())
}

#[test]
fn the_repository_keeps_its_rules() -> Result<()> {
    let violations = xtask::tidy::violations(&root()?)?;
    assert!(violations.is_empty(), "{}", violations.join("\n"));
    Ok(())
}

/// The program needs cargo, and cargo what is set about it.
fn tidy() -> Xtask {
    let mut run = Xtask::new("tidy");
    for name in ["CARGO", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"] {
        if let Ok(value) = std::env::var(name) {
            run = run.env(name, &value);
        }
    }
    run
}

#[test]
fn tidy_finds_the_repository_from_any_folder_in_it() -> Result<()> {
    for folder in [root()?, root()?.join("crates/secret/src")] {
        let ended = tidy().current_dir(&folder).run();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(ended.stdout, "The repository keeps its rules.\n");
    }
    Ok(())
}

#[test]
fn tidy_outside_of_the_repository_says_so() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let ended = tidy().current_dir(folder.path()).run();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stderr.contains("is not inside this repository"),
        "{ended:?}"
    );
    Ok(())
}
