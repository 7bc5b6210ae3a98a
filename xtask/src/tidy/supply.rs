//! What this is built from: the part of cargo-deny's checks that needs neither cargo-deny
//! nor a list of advisories.

mod deny;
mod duplicates;
mod licences;
mod sources;

use std::path::Path;

use super::metadata::{self, Packages};

pub(super) fn violations(root: &Path) -> anyhow::Result<Vec<String>> {
    let deny = deny::read(root)?;
    let metadata = metadata::read(root, Packages::WithDependencies)?;
    let mut violations = licences::refused(&metadata, &deny.licenses.allow)?;
    violations.extend(duplicates::unexplained(&metadata, &deny.bans.skip));
    violations.extend(sources::refused(&metadata));
    Ok(violations)
}
