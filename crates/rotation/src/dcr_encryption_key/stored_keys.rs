//! The keys that an installation has, to count its tokens by.

use platform::{Platform, Reference, VersionState};
use secret::{FernetKey, Fingerprint, VersionNumber};

use crate::context::{Consumer, Store};
use crate::error::Error;
use crate::material::Found;

/// Where a key of an installation was found.
#[derive(Clone, Debug)]
pub struct StoredKey {
    /// Which key.
    pub key: Fingerprint,
    /// The enabled versions that hold it, the newest first; none where it stands in a
    /// service's own configuration alone.
    pub versions: Vec<VersionNumber>,
    /// The services that read it.
    pub readers: Vec<String>,
}

/// The keys of an installation, and what kept others from being read.
#[derive(Debug, Default)]
pub struct StoredKeys {
    /// Each key once, that of the newest version first.
    pub keys: Vec<FernetKey>,
    /// Where each of them was found, in the same order.
    pub found_at: Vec<StoredKey>,
    /// The versions that are disabled, whose keys are not among these.
    pub disabled: Vec<VersionNumber>,
    /// Of versions that hold no key, why.
    pub no_keys: Vec<Error>,
    /// Of services whose key could not be found out, why.
    pub unknown_readers: Vec<Error>,
}

/// Reads the key of each enabled version, and what services have of their own. Changes nothing.
///
/// # Errors
///
/// When the store can't be asked for its versions.
pub async fn stored_keys(
    platform: &Platform,
    store: &Store,
    consumers: &[Consumer],
) -> Result<StoredKeys, Error> {
    let mut found = StoredKeys::default();
    for version in platform.store.versions(&store.name).await? {
        match version.state {
            VersionState::Destroyed => {}
            VersionState::Disabled => found.disabled.push(version.number),
            VersionState::Enabled => match key_of_version(platform, store, version.number).await {
                Ok(key) => found.note(key, Some(version.number), None),
                Err(error) => found.no_keys.push(error),
            },
        }
    }
    for consumer in consumers {
        match key_in_use(platform, store, &consumer.service).await {
            Ok(key) => found.note(key, None, Some(&consumer.service)),
            Err(error) => found.unknown_readers.push(error),
        }
    }
    Ok(found)
}

impl StoredKeys {
    /// Notes where a key was found, beside where it was found before.
    fn note(&mut self, key: FernetKey, version: Option<VersionNumber>, reader: Option<&str>) {
        let (versions, readers) = (version.into_iter(), reader.into_iter().map(str::to_owned));
        let fingerprint = key.fingerprint();
        let mut known = self.found_at.iter_mut();
        if let Some(known) = known.find(|known| known.key == fingerprint) {
            known.versions.extend(versions);
            known.readers.extend(readers);
            return;
        }
        self.keys.push(key);
        self.found_at.push(StoredKey {
            key: fingerprint,
            versions: versions.collect(),
            readers: readers.collect(),
        });
    }
}

async fn key_of_version(
    platform: &Platform,
    store: &Store,
    version: VersionNumber,
) -> Result<FernetKey, Error> {
    let reference = Reference::Number(version);
    let stored = platform.store.access(&store.name, reference).await?;
    let found = Found {
        value: &stored.value,
        secret: &store.name,
        place: &format!("version {version}"),
    };
    found.key()
}

/// The key that a service reads, be it from the store or from its own configuration.
pub(super) async fn key_in_use(
    platform: &Platform,
    store: &Store,
    service: &str,
) -> Result<FernetKey, Error> {
    let binding = store.binding();
    let bound = platform.services.describe(service, &binding).await?.bound;
    let value = store.value_in_use(platform, service, bound).await?;
    let found = Found {
        value: &value,
        secret: &store.name,
        place: &format!("what `{service}` reads"),
    };
    found.key()
}
