//! Where what this is built from comes from.

use crate::tidy::metadata::{Metadata, Package};

/// Every package that is neither of this workspace nor from the registry that the first
/// one is from: what Cargo has for its own, which `.cargo/deny.toml` lets alone.
pub(super) fn refused(metadata: &Metadata) -> Vec<String> {
    let mut registries = metadata.packages.iter().filter_map(registry);
    let one = registries.next();
    let is_allowed = |package: &&Package| match package.source {
        Some(_) => registry(package).is_some_and(|registry| Some(registry) == one),
        None => metadata.workspace_members.contains(&package.id),
    };
    let refused = metadata
        .packages
        .iter()
        .filter(|package| !is_allowed(package));
    refused
        .map(|package| {
            let source = package.source.as_deref().unwrap_or("a folder");
            format!("{package} comes from {source}, and not from the registry of the others")
        })
        .collect()
}

fn registry(package: &Package) -> Option<&str> {
    package.source.as_deref()?.strip_prefix("registry+")
}

#[cfg(test)]
mod tests {
    use super::refused;
    use crate::tidy::metadata::{Metadata, Package};

    #[test]
    fn only_the_workspace_and_one_registry_are_sources() {
        for (source, is_member, is_expected) in [
            (Some("registry+https://example.com/index"), false, true),
            (Some("registry+https://example.com/other"), false, false),
            (Some("git+https://example.com/index"), false, false),
            (None, true, true),
            (None, false, false),
        ] {
            let mut usual = Package::test("base64", "0.22.1");
            usual.source = Some("registry+https://example.com/index".to_owned());
            let mut package = Package::test("hex", "0.4.3");
            package.source = source.map(str::to_owned);
            let members = is_member.then(|| package.id.clone());
            let metadata = Metadata {
                packages: vec![usual, package],
                workspace_members: members.into_iter().collect(),
            };
            let found = refused(&metadata);
            assert_eq!(found.is_empty(), is_expected, "{source:?}: {found:?}");
        }
    }
}
