//! What cargo says of this workspace.

use std::fmt;
use std::path::Path;

use anyhow::Context as _;
use platform::SECRET_VARIABLES;
use semver::Version;
use serde::Deserialize;
use xshell::{Shell, cmd};

/// The packages of the workspace, or those that it is built from as well.
#[derive(Deserialize)]
pub(super) struct Metadata {
    pub(super) packages: Vec<Package>,
    /// The ids of those that are no dependencies.
    pub(super) workspace_members: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct Package {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) version: Version,
    pub(super) license: Option<String>,
    /// Nothing for what lies in a folder of this machine.
    pub(super) source: Option<String>,
    pub(super) dependencies: Vec<Dependency>,
}

impl fmt::Display for Package {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` {}", self.name, self.version)
    }
}

#[cfg(test)]
impl Package {
    pub(super) fn test(name: &str, version: &str) -> Self {
        Self {
            id: format!("{name}@{version}"),
            name: name.to_owned(),
            version: version.parse().unwrap(),
            license: None,
            source: None,
            dependencies: Vec::new(),
        }
    }
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
    let mut metadata = cmd!(
        shell,
        "{cargo} metadata --format-version 1 --locked {no_deps...}"
    )
    .quiet();
    for name in SECRET_VARIABLES {
        metadata = metadata.env_remove(name);
    }
    let metadata = metadata
        .read()
        .context("can't find out what depends on what")?;
    serde_json::from_str(&metadata).context("can't read what `cargo metadata` wrote")
}
