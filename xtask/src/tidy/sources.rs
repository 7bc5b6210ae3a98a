//! Where what this is built from comes from.

use super::deny;
use super::metadata::{Metadata, Package};

/// Every package that is neither of this workspace nor from a registry that is `allowed`.
pub(super) fn refused(metadata: &Metadata, allowed: &[String]) -> Vec<String> {
    let is_allowed = |package: &&Package| match &package.source {
        Some(source) => source
            .strip_prefix("registry+")
            .is_some_and(|registry| allowed.iter().any(|allowed| allowed == registry)),
        None => metadata.workspace_members.contains(&package.id),
    };
    let refused = metadata
        .packages
        .iter()
        .filter(|package| !is_allowed(package));
    refused
        .map(|package| {
            let source = package.source.as_deref().unwrap_or("a folder");
            format!(
                "{package} comes from {source}, which `{}` doesn't allow",
                deny::FILE
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::metadata::{Metadata, Package};
    use super::refused;

    #[test]
    fn only_the_workspace_and_the_registries_that_are_named_are_sources() {
        let registry = "https://github.com/rust-lang/crates.io-index";
        for (source, is_member, is_expected) in [
            (
                Some("registry+https://github.com/rust-lang/crates.io-index"),
                false,
                true,
            ),
            (Some("registry+https://example.com/index"), false, false),
            (
                Some("git+https://github.com/rust-lang/crates.io-index"),
                false,
                false,
            ),
            (None, true, true),
            (None, false, false),
        ] {
            let mut package = Package::test("hex", "0.4.3");
            package.source = source.map(str::to_owned);
            let members = is_member.then(|| package.id.clone());
            let metadata = Metadata {
                packages: vec![package],
                workspace_members: members.into_iter().collect(),
            };
            let found = refused(&metadata, &[registry.to_owned()]);
            assert_eq!(found.is_empty(), is_expected, "{source:?}: {found:?}");
        }
    }
}
