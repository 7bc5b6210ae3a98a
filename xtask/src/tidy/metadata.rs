//! What cargo says of this workspace.

use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;
use xshell::{Shell, cmd};

/// The packages of the workspace, or those that it is built from as well.
#[derive(Deserialize)]
pub(super) struct Metadata {
    pub(super) packages: Vec<Package>,
}

#[derive(Deserialize)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) license: Option<String>,
    pub(super) dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
pub(super) struct Dependency {
    pub(super) name: String,
}

/// Which packages to ask for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Packages {
    OfTheWorkspace,
    WithDependencies,
}

pub(super) fn read(root: &Path, packages: Packages) -> anyhow::Result<Metadata> {
    let shell = Shell::new().context("can't set up a shell")?;
    shell.change_dir(root);
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // Not offline: crates for other systems may not have been fetched yet, and their
    // licences count too.
    let no_deps = (packages == Packages::OfTheWorkspace).then_some("--no-deps");
    let metadata = cmd!(
        shell,
        "{cargo} metadata --format-version 1 --locked {no_deps...}"
    )
    .quiet()
    // A child has no use for them.
    .env_remove("DCR_OLD_KEY")
    .env_remove("DCR_NEW_KEY")
    .env_remove("DATABASE_URL")
    .read()
    .context("can't find out what depends on what")?;
    serde_json::from_str(&metadata).context("can't read what `cargo metadata` wrote")
}
