//! What `.cargo/deny.toml` allows: cargo-deny's own file, so that every list stands once.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use semver::VersionReq;
use serde::Deserialize;

/// Where it is, for messages as well.
pub(super) const FILE: &str = ".cargo/deny.toml";

/// The part of the file that is checked here.
#[derive(Deserialize)]
pub(super) struct Deny {
    pub(super) licenses: Licenses,
    pub(super) bans: Bans,
}

#[derive(Deserialize)]
pub(super) struct Licenses {
    pub(super) allow: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct Bans {
    pub(super) skip: Vec<Skipped>,
}

/// Versions of a package that may stand beside another.
#[derive(Deserialize)]
#[serde(try_from = "WrittenDown")]
pub(super) struct Skipped {
    pub(super) name: String,
    pub(super) versions: VersionReq,
}

/// As cargo-deny has it; without a reason it isn't accepted here.
#[derive(Deserialize)]
struct WrittenDown {
    #[serde(rename = "crate")]
    package: String,
    reason: String,
}

impl TryFrom<WrittenDown> for Skipped {
    type Error = String;

    fn try_from(WrittenDown { package, reason }: WrittenDown) -> Result<Self, String> {
        let (name, versions) = package
            .split_once('@')
            .ok_or_else(|| format!("`{package}` names no version: write `name@1.2`"))?;
        let versions = VersionReq::parse(versions)
            .map_err(|error| format!("the version of `{package}`: {error}"))?;
        if reason.trim().is_empty() {
            return Err(format!("`{package}` has no reason"));
        }
        Ok(Self {
            name: name.to_owned(),
            versions,
        })
    }
}

pub(super) fn read(root: &Path) -> anyhow::Result<Deny> {
    let text =
        fs::read_to_string(root.join(FILE)).with_context(|| format!("can't read `{FILE}`"))?;
    toml::from_str(&text).with_context(|| format!("can't understand `{FILE}`"))
}

#[cfg(test)]
mod tests {
    use super::Bans;

    #[test]
    fn a_second_version_is_written_down_with_its_number_and_a_reason() {
        for (written, error) in [
            (r#"crate = "sha2@0.10", reason = "fernet""#, None),
            (r#"crate = "sha2@0.10""#, Some("missing field `reason`")),
            (
                r#"crate = "sha2@0.10", reason = " ""#,
                Some("has no reason"),
            ),
            (
                r#"crate = "sha2", reason = "fernet""#,
                Some("names no version"),
            ),
            (
                r#"crate = "sha2@old", reason = "fernet""#,
                Some("the version of `sha2@old`"),
            ),
        ] {
            let read = toml::from_str::<Bans>(&format!("skip = [{{ {written} }}]"));
            match (read, error) {
                (Ok(bans), None) => assert_eq!(bans.skip[0].name, "sha2"),
                (Err(found), Some(error)) => {
                    assert!(found.to_string().contains(error), "{written}: {found}");
                }
                (read, error) => panic!("{written}: {:?}, not {error:?}", read.err()),
            }
        }
    }
}
