//! Documents that are rendered from the code are what the code says now.

use std::fs;
use std::path::Path;

use anyhow::Context as _;

use super::{cli_reference, troubleshooting};
use crate::cli::exit_codes;

/// A document and what renders it.
struct Document {
    path: &'static str,
    /// What it is rendered from, in words.
    from: &'static str,
    render: fn(&Path) -> anyhow::Result<String>,
}

const DOCUMENTS: [Document; 4] = [
    Document {
        path: "docs/cli.md",
        from: "the commands' help",
        render: |_| Ok(cli_reference::render()),
    },
    Document {
        path: "docs/exit-codes.md",
        from: "the commands' exit codes",
        render: |_| Ok(exit_codes::document()),
    },
    Document {
        path: "docs/runbook.md",
        from: "the rotations' steps",
        render: |_| Ok(rotation::runbook_document()),
    },
    Document {
        path: "docs/troubleshooting.md",
        from: "the error types and their hints",
        render: troubleshooting::render,
    },
];

/// Writes the documents anew that are behind, and gives their paths.
///
/// # Errors
///
/// When a file can't be read or written.
pub fn write(root: &Path) -> anyhow::Result<Vec<&'static str>> {
    let mut written = Vec::new();
    for document in &DOCUMENTS {
        if !document.is_up_to_date(root)? {
            fs::write(root.join(document.path), (document.render)(root)?)
                .with_context(|| format!("can't write `{}`", document.path))?;
            written.push(document.path);
        }
    }
    Ok(written)
}

pub(super) fn violations(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut violations = Vec::new();
    for document in &DOCUMENTS {
        if !document.is_up_to_date(root)? {
            violations.push(format!(
                "`{}` is not what {} say now: `cargo xtask tidy --fix` writes it",
                document.path, document.from
            ));
        }
    }
    Ok(violations)
}

impl Document {
    fn is_up_to_date(&self, root: &Path) -> anyhow::Result<bool> {
        match fs::read_to_string(root.join(self.path)) {
            Ok(found) => Ok(found == (self.render)(root)?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error).with_context(|| format!("can't read `{}`", self.path)),
        }
    }
}
