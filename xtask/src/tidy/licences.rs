//! Whether what this is built from may be built into it.

use std::path::Path;

use super::metadata::{self, Metadata, Packages};

/// What a licence may demand of this project, and of those who are given the
/// program: to be named, and for MPL-2.0 that changes to its own files are shown.
/// CDLA-Permissive-2.0 is the licence of a list of certificates.
const ALLOWED: &[&str] = &[
    "Apache-2.0",
    "BSD-3-Clause",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

pub(super) fn violations(root: &Path) -> anyhow::Result<Vec<String>> {
    Ok(refused(&metadata::read(root, Packages::WithDependencies)?))
}

fn refused(metadata: &Metadata) -> Vec<String> {
    let is_refused = |licence: &Option<String>| !licence.as_deref().is_some_and(is_allowed);
    metadata
        .packages
        .iter()
        .filter(|package| is_refused(&package.license))
        .map(|package| {
            let (name, version) = (&package.name, &package.version);
            let licence = package.license.as_deref().unwrap_or("no licence");
            format!("`{name}` {version} is under `{licence}`, which is not in `xtask/src/tidy/licences.rs`")
        })
        .collect()
}

/// Reads the part of SPDX that packages use: alternatives of licences that hold
/// together, and a first part in parentheses. What it can't read it refuses.
fn is_allowed(expression: &str) -> bool {
    let expression = expression.replace(" / ", " OR ").replace('/', " OR ");
    if let Some((alternatives, rest)) = expression
        .strip_prefix('(')
        .and_then(|rest| rest.split_once(") AND "))
    {
        return is_allowed(alternatives) && is_allowed(rest);
    }
    expression.split(" OR ").any(|together| {
        together
            .split(" AND ")
            .all(|licence| ALLOWED.contains(&licence))
    })
}

#[cfg(test)]
mod tests {
    use super::is_allowed;

    #[test]
    fn one_allowed_alternative_is_enough_and_all_of_what_holds_together_is_needed() {
        for (expression, allowed) in [
            ("MIT OR Apache-2.0", true),
            ("MIT/Apache-2.0", true),
            ("MIT OR LGPL-2.1-or-later", true),
            ("MIT AND BSD-3-Clause", true),
            ("(MIT OR GPL-3.0) AND Unicode-3.0", true),
            ("GPL-3.0", false),
            ("MIT AND GPL-3.0", false),
            ("(MIT OR Apache-2.0) AND GPL-3.0", false),
            ("GPL-3.0 AND (MIT OR Apache-2.0)", false),
            ("", false),
        ] {
            assert_eq!(is_allowed(expression), allowed, "{expression:?}");
        }
    }
}
