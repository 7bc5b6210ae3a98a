#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod backups;
mod callers;
mod deviation;
mod error;
mod examination;
mod oauth_checks;
mod rehearsal;
mod secret_store;
mod services;

pub mod database_roles;
pub mod google_cloud;
pub mod local;

use std::path::PathBuf;

pub use backups::{Backup, Backups};
pub use callers::Callers;
pub use deviation::Expected;
pub use error::Error;
pub use examination::{Examination, Finding, Installation, Level, Rotated};
pub use oauth_checks::{
    CertificateAuthorities, CertificateFlaw, HttpOauthChecks, Issuer, OauthChecks, OauthClient,
    OauthError, OauthLimits, Proof, TestedSecret, Verdict,
};
pub use rehearsal::{Change, Rehearsal, Rehearsed, Which};
pub use secret_store::{Reference, SecretStore, Version, VersionState};
pub use services::{Binding, Bound, Kept, Revision, Service, Services};

/// The variables of this program's environment that may hold a secret: no child's business.
pub const SECRET_VARIABLES: [&str; 7] = [
    "DCR_OLD_KEY",
    "DCR_NEW_KEY",
    "DCR_ENCRYPTION_KEY",
    "DATABASE_URL",
    "SESSION_DATABASE_URL",
    "RED_HAT_SSO_CLIENT_SECRET",
    "GMA_CLIENT_SECRET",
];

/// Everything that a rotation needs of the place where secrets and services live.
pub struct Platform {
    /// Its name in settings and journals: `local`, `google-cloud`.
    pub name: &'static str,
    /// Where it is, to tell it from others of its kind: a folder, a project.
    pub place: String,
    /// The file that the services' configuration is, where it is one that settings name.
    pub configuration: Option<PathBuf>,
    /// The store of versions.
    pub store: Box<dyn SecretStore>,
    /// The services.
    pub services: Box<dyn Services>,
    /// The backups of the database; `None` where the platform can't make one, so
    /// that a person has to.
    pub backups: Option<Box<dyn Backups>>,
    /// Who may call the services; `None` where the platform has no such list.
    pub callers: Option<Box<dyn Callers>>,
    /// What changes would come to, told and not made.
    pub rehearsal: Box<dyn Rehearsal>,
}
