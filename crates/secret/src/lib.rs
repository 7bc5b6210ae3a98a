#![doc = include_str!("../README.md")]

pub mod python_base64;

mod fernet_key;
mod fingerprint;

mod database_url;

mod client_secret;
mod password;
mod secret_value;
mod version_number;
mod versioned;
mod wiping_allocator;

#[cfg(any(test, fuzzing))]
pub mod properties;

pub use client_secret::{
    ClientSecret, ClientSecretError, ClientSecretWarning, ForbiddenCharacter, ParsedClientSecret,
};
pub use database_url::{
    DatabaseTarget, DatabaseUrl, DatabaseUrlError, Host, LoginError, PostgresTarget, SqliteTarget,
    SslMode, UrlPart, is_windows_path,
};
pub use fernet_key::{FernetKey, FernetKeyError, FernetKeyWarning, ParsedFernetKey};
pub use fingerprint::Fingerprint;
pub use password::{Password, ScramVerifier};
pub use python_base64::Base64Error;
pub use secret_value::SecretValue;
pub use version_number::{VersionNumber, VersionNumberError};
pub use versioned::Versioned;
pub use wiping_allocator::WipingAllocator;
