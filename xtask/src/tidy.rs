//! The repository's rules that a program can check, for `cargo xtask tidy` and for a test.

mod arrows;
mod cli_reference;
mod documents;
mod metadata;
mod supply;
mod troubleshooting;

use std::path::Path;

pub use self::documents::write as write_documents;

/// Every rule that the workspace at `root` breaks, one sentence each.
///
/// # Errors
///
/// When the rules can't be checked.
pub fn violations(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut violations = arrows::violations(root)?;
    violations.extend(supply::violations(root)?);
    violations.extend(documents::violations(root)?);
    Ok(violations)
}
