//! A package in two versions is code twice, and one of them is the older one: it is written
//! down why.

use std::collections::BTreeMap;

use semver::Version;

use super::deny::{self, Skipped};
use crate::tidy::metadata::Metadata;

/// Every package in more than one version that isn't `skipped`, and what is skipped in vain.
pub(super) fn unexplained(metadata: &Metadata, skipped: &[Skipped]) -> Vec<String> {
    let mut versions = BTreeMap::<&str, Vec<&Version>>::new();
    for package in &metadata.packages {
        versions
            .entry(&package.name)
            .or_default()
            .push(&package.version);
    }
    versions.retain(|_, versions| versions.len() > 1);
    let unexplained = versions.iter().filter_map(|(name, versions)| {
        let mut others = versions.iter().filter(|version| {
            !skipped
                .iter()
                .any(|skipped| skipped.name == *name && skipped.versions.matches(version))
        });
        let (one, another) = (others.next()?, others.next()?);
        Some(format!(
            "`{name}` is there as {one} and as {another}, and `{}` doesn't say why",
            deny::FILE
        ))
    });
    let is_in_vain = |skipped: &&Skipped| {
        let versions = versions.get(skipped.name.as_str());
        !versions.is_some_and(|versions| versions.iter().any(|v| skipped.versions.matches(v)))
    };
    let in_vain = skipped.iter().filter(is_in_vain).map(|skipped| {
        format!(
            "`{}` skips `{}@{}`, which is no second version any more",
            deny::FILE,
            skipped.name,
            skipped.versions
        )
    });
    unexplained.chain(in_vain).collect()
}

#[cfg(test)]
mod tests {
    use super::{Skipped, unexplained};
    use crate::tidy::metadata::{Metadata, Package};

    fn with(packages: &[(&str, &str)]) -> Metadata {
        let package = |(name, version): &(&str, &str)| Package::test(name, version);
        Metadata {
            packages: packages.iter().map(package).collect(),
            workspace_members: Vec::new(),
        }
    }

    fn skip(name: &str, versions: &str) -> Skipped {
        Skipped {
            name: name.to_owned(),
            versions: versions.parse().unwrap(),
        }
    }

    #[test]
    fn a_second_version_is_named_unless_it_is_skipped() {
        let packages = with(&[("sha2", "0.10.9"), ("sha2", "0.11.1"), ("hex", "0.4.3")]);
        let found = unexplained(&packages, &[]);
        assert_eq!(
            found,
            ["`sha2` is there as 0.10.9 and as 0.11.1, and `.cargo/deny.toml` doesn't say why"]
        );
        assert!(unexplained(&packages, &[skip("sha2", "0.10")]).is_empty());
    }

    #[test]
    fn what_is_skipped_is_there_and_beside_another() {
        let packages = with(&[("sha2", "0.11.1")]);
        for versions in ["0.10", "0.11"] {
            let found = unexplained(&packages, &[skip("sha2", versions)]);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].contains("no second version"), "{found:?}");
        }
    }

    #[test]
    fn of_three_versions_two_are_skipped() {
        let packages = with(&[("syn", "1.0.1"), ("syn", "2.0.1"), ("syn", "3.0.1")]);
        assert_eq!(unexplained(&packages, &[skip("syn", "1")]).len(), 1);
        assert!(unexplained(&packages, &[skip("syn", "1"), skip("syn", "2")]).is_empty());
    }
}
