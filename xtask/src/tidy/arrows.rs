//! Which crate may depend on which: the arrows of `docs/ARCHITECTURE.md`.

use std::path::Path;

use super::metadata::{self, Metadata, Packages};

/// What a crate of the workspace may and may not depend on, in whatever kind:
/// a test's or a build's dependency counts as well.
struct Rule {
    package: &'static str,
    /// The crates of the workspace that it may use.
    may_use: &'static [&'static str],
    /// Other crates that would mean it does another crate's work.
    must_not_use: &'static [&'static str],
}

const RULES: &[Rule] = &[
    Rule {
        package: "secret",
        may_use: &[],
        must_not_use: &[
            "anyhow",
            "clap",
            "diesel",
            "diesel-async",
            "tokio",
            "tokio-postgres",
            "xshell",
        ],
    },
    // It opens a connection, and knows nothing of what is done with it.
    Rule {
        package: "connection",
        may_use: &["secret"],
        must_not_use: &[
            "anyhow",
            "clap",
            "diesel",
            "diesel-async",
            "fernet",
            "xshell",
        ],
    },
    Rule {
        package: "reencrypt",
        may_use: &["connection", "secret"],
        must_not_use: &["anyhow", "clap", "dialoguer", "indicatif", "xshell"],
    },
    // Without `secret` it can't write a secret to a journal.
    Rule {
        package: "runbook",
        may_use: &[],
        must_not_use: &[
            "anyhow",
            "clap",
            "diesel",
            "diesel-async",
            "fernet",
            "secrecy",
            "tokio-postgres",
            "xshell",
        ],
    },
    Rule {
        package: "platform",
        may_use: &["connection", "secret"],
        must_not_use: &["anyhow", "clap", "dialoguer", "fernet", "indicatif"],
    },
    // Steps only compose.
    Rule {
        package: "rotation",
        may_use: &["platform", "reencrypt", "runbook", "secret"],
        must_not_use: &[
            "anyhow",
            "clap",
            "diesel",
            "diesel-async",
            "fernet",
            "tokio-postgres",
            "xshell",
        ],
    },
    // No SQL, no cryptography.
    Rule {
        package: "xtask",
        may_use: &["platform", "reencrypt", "rotation", "runbook", "secret"],
        must_not_use: &[
            "diesel",
            "diesel-async",
            "fernet",
            "libsqlite3-sys",
            "secrecy",
            "tokio-postgres",
        ],
    },
    Rule {
        package: "integration-tests",
        may_use: &[
            "connection",
            "platform",
            "reencrypt",
            "rotation",
            "runbook",
            "secret",
            "xtask",
        ],
        must_not_use: &[],
    },
];

pub(super) fn violations(root: &Path) -> anyhow::Result<Vec<String>> {
    Ok(broken_rules(&metadata::read(
        root,
        Packages::OfTheWorkspace,
    )?))
}

fn broken_rules(metadata: &Metadata) -> Vec<String> {
    let is_ours = |name: &str| metadata.packages.iter().any(|package| package.name == name);
    let mut broken = Vec::new();
    for package in &metadata.packages {
        let name = &package.name;
        let Some(rule) = RULES.iter().find(|rule| rule.package == name) else {
            broken.push(format!(
                "`{name}` has no rule in `xtask/src/tidy/arrows.rs`"
            ));
            continue;
        };
        for dependency in package
            .dependencies
            .iter()
            .map(|dependency| dependency.name.as_str())
        {
            if is_ours(dependency) && dependency != name && !rule.may_use.contains(&dependency) {
                broken.push(format!(
                    "`{name}` may not use `{dependency}`: the arrow points the other way"
                ));
            }
            if rule.must_not_use.contains(&dependency) {
                broken.push(format!(
                    "`{name}` may not use `{dependency}`: that is another crate's work"
                ));
            }
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::metadata::{Dependency, Package};

    fn package(name: &str, dependencies: &[&str]) -> Package {
        let dependencies = dependencies
            .iter()
            .map(|name| Dependency {
                name: (*name).to_owned(),
            })
            .collect();
        Package {
            dependencies,
            ..Package::test(name, "0.1.0")
        }
    }

    #[test]
    fn every_wrong_arrow_is_named() {
        let packages = vec![
            package("secret", &["zeroize", "reencrypt"]),
            package("reencrypt", &["secret", "clap"]),
            package("xtask", &["reencrypt", "secret", "diesel"]),
            package("stranger", &[]),
        ];
        assert_eq!(
            broken_rules(&Metadata {
                packages,
                workspace_members: Vec::new(),
            }),
            [
                "`secret` may not use `reencrypt`: the arrow points the other way",
                "`reencrypt` may not use `clap`: that is another crate's work",
                "`xtask` may not use `diesel`: that is another crate's work",
                "`stranger` has no rule in `xtask/src/tidy/arrows.rs`",
            ]
        );
    }
}
