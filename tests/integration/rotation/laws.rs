//! What must be true at every moment, looked at beside the run.
use std::path::PathBuf;
use std::rc::Rc;

use platform::{Binding, Bound, Platform};
use secret::VersionNumber;

use super::seen::{SECRET, SERVICE, Seen, VARIABLE};

/// Looks at a world, past everything that may be hit.
#[derive(Clone)]
pub(super) struct Laws {
    pub(super) folder: PathBuf,
    pub(super) platform: Rc<Platform>,
    /// Not where somebody else has just broken them.
    pub(super) are_kept: bool,
}

pub(super) fn binding() -> Binding {
    Binding {
        variable: VARIABLE.to_owned(),
        secret: SECRET.to_owned(),
    }
}

impl Laws {
    pub(super) async fn see(&self) -> Seen {
        let described = self.platform.services.describe(SERVICE, &binding()).await;
        Seen::of(&self.folder, described.expect("a service")).expect("a world that can be read")
    }

    /// Nothing depends on a value that can't be fetched again: the key of every token is
    /// an enabled version, or stands in `.env` and was never stored.
    pub(super) async fn hold(&self, change: &str) {
        if !self.are_kept {
            return;
        }
        let seen = self.see().await;
        for cell in &seen.cells {
            let Some(key) = &cell.key else {
                panic!("{change}: a token is under no key that is left: {cell:?}");
            };
            let is_stored = seen.versions.values().any(|(_, value)| value == key);
            assert!(
                seen.is_enabled(key) || !is_stored && seen.value_in_use() == key,
                "{change}: the key of a token is disabled: {:?}",
                seen.states()
            );
        }
    }

    /// Nothing is retired while anything needs it.
    pub(super) async fn may_be_disabled(&self, version: VersionNumber) {
        let seen = self.see().await;
        let (_, value) = &seen.versions[&version.get()];
        assert_eq!(seen.cells_under(value), 0, "tokens under version {version}");
        let latest = seen
            .latest()
            .and_then(|(number, _, _)| VersionNumber::new(number));
        let reader = seen.service.readers_of(version, latest).next();
        assert_eq!(reader, None, "version {version} is read");
        assert_ne!(seen.value_in_use(), value, "version {version} is in use");
    }

    /// Traffic goes to nothing that could not start again, and takes the place of no value
    /// that could not be fetched again.
    pub(super) async fn may_serve(&self, revision: &str) {
        let seen = self.see().await;
        let mut values = seen.versions.values();
        let is_stored = values.any(|(_, value)| value == seen.value_in_use());
        assert!(is_stored, "the value in use is in no store");
        let mut revisions = seen.service.revisions.iter();
        let found = revisions.find(|other| other.name == revision);
        let number = match found.expect("a revision").bound {
            Bound::Pinned(number) => number.get(),
            Bound::Latest => seen.latest().expect("a version").0,
            Bound::Inline => return,
        };
        assert_eq!(seen.versions[&number].0, "enabled", "version {number}");
    }
}
