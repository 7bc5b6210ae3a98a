//! The repository's rules that a program can check, for `cargo xtask tidy` and for a test.

mod arrows;
mod cli_reference;
mod licences;
mod metadata;

use std::path::Path;

pub use self::cli_reference::write as write_cli_reference;

/// Every rule that the workspace at `root` breaks, one sentence each.
///
/// # Errors
///
/// When the rules can't be checked.
pub fn violations(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut violations = arrows::violations(root)?;
    violations.extend(licences::violations(root)?);
    violations.extend(cli_reference::violation(root)?);
    Ok(violations)
}
