//! A store of secrets with numbered versions.

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;
use secret::{SecretValue, VersionNumber, Versioned};

use crate::error::Error;

/// A store of named secrets, each of which has numbered, immutable versions.
///
/// What every implementation keeps to:
///
/// - Numbers begin at 1, grow by creation, and are never used twice. An addition
///   may skip numbers; nobody may compute the next one.
/// - [`Reference::Latest`] is the version created last, *whatever its state*. It
///   doesn't fall back to an older one: where the latest version is disabled or
///   destroyed, access to it fails, and so does a service that starts with it.
/// - What was added is read back byte for byte, line ends and all.
/// - Each change happens whole or not at all, and lasts once the call has returned.
/// - [`disable`](SecretStore::disable), [`enable`](SecretStore::enable) and
///   [`destroy`](SecretStore::destroy) can be repeated: where the version is in that
///   state already they succeed and change nothing. A destroyed version is gone: it
///   is neither enabled nor disabled again.
/// - An error tells nothing of a value.
#[async_trait(?Send)]
pub trait SecretStore {
    /// All versions, the newest first, the destroyed ones among them. None where
    /// the secret is unknown.
    ///
    /// # Errors
    ///
    /// When the store can't be asked.
    async fn versions(&self, secret: &str) -> Result<Vec<Version>, Error>;

    /// A version's value, with its number: one call, so that they belong together.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchVersion`], and [`Error::VersionState`] for a version that is
    /// not enabled.
    async fn access(
        &self,
        secret: &str,
        reference: Reference,
    ) -> Result<Versioned<SecretValue>, Error>;

    /// Adds a version, enabled, and gives its number. An empty value is refused.
    /// Not to be repeated without a look: every call makes a version.
    ///
    /// # Errors
    ///
    /// [`Error::EmptyValue`]; when the store can't be written.
    async fn add(&self, secret: &str, value: &SecretValue) -> Result<VersionNumber, Error>;

    /// Refuses access to a version from now on; [`enable`](SecretStore::enable) undoes it.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchVersion`]; [`Error::VersionState`] for a destroyed version.
    async fn disable(&self, secret: &str, version: VersionNumber) -> Result<(), Error>;

    /// Allows access to a version again.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchVersion`]; [`Error::VersionState`] for a destroyed version.
    async fn enable(&self, secret: &str, version: VersionNumber) -> Result<(), Error>;

    /// Removes a version's value for ever. Its number stays.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchVersion`].
    async fn destroy(&self, secret: &str, version: VersionNumber) -> Result<(), Error>;
}

/// Which version is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference {
    /// The one created last, whatever its state.
    Latest,
    /// The one with this number.
    Number(VersionNumber),
}

/// What a store tells about a version; never its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its number.
    pub number: VersionNumber,
    /// Its state.
    pub state: VersionState,
    /// When it was created.
    pub created_at: Timestamp,
}

/// Whether a version can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionState {
    /// It can.
    Enabled,
    /// It can't, but may be enabled again.
    Disabled,
    /// Its value is gone.
    Destroyed,
}

/// `enabled`, `disabled`, `destroyed`.
impl fmt::Display for VersionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            VersionState::Enabled => "enabled",
            VersionState::Disabled => "disabled",
            VersionState::Destroyed => "destroyed",
        })
    }
}

/// `latest`, or the number.
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reference::Latest => f.write_str("latest"),
            Reference::Number(number) => number.fmt(f),
        }
    }
}
