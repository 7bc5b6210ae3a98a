//! Which platform is meant.

use clap::ValueEnum;
use serde::Deserialize;

use super::file;
use crate::cli;
use crate::failure::Failure;

/// Where secrets and services live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PlatformName {
    /// Nowhere that is known: keys are given, and the table alone is re-encrypted
    #[default]
    None,
    /// On this machine: a `.env` file, and a store in a folder
    Local,
    /// On Google Cloud, through gcloud: Secret Manager, Cloud Run, Cloud SQL
    GoogleCloud,
}

/// The name as it is typed.
impl std::fmt::Display for PlatformName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            PlatformName::None => "none",
            PlatformName::Local => "local",
            PlatformName::GoogleCloud => "google-cloud",
        })
    }
}

/// The platform that flags or settings name.
///
/// # Errors
///
/// Settings that can't be understood.
pub(crate) fn platform_of(typed: &cli::Place) -> Result<PlatformName, Failure> {
    match typed.platform {
        Some(platform) => Ok(platform),
        None => Ok(file::read(typed.settings.as_deref())?
            .platform
            .unwrap_or_default()),
    }
}
