//! What must be true at every moment, looked at beside the run.
use std::path::PathBuf;
use std::rc::Rc;

use platform::{Binding, Bound, Platform};
use rotation::Role;
use secret::VersionNumber;

use super::project::Project;
use super::scene::Scene;
use super::seen::Seen;

/// Looks at a world, past everything that may be hit.
#[derive(Clone)]
pub(super) struct Laws {
    pub(super) folder: PathBuf,
    pub(super) platform: Rc<Platform>,
    pub(super) project: Option<Rc<Project>>,
    pub(super) scene: Scene,
    /// Not where somebody else has just broken them.
    pub(super) are_kept: bool,
}

impl Laws {
    /// What the files tell, or the project.
    pub(super) async fn see_files(&self) -> Seen {
        let secret = self.scene.secret();
        if let Some(project) = &self.project {
            let told = project.tell(secret).expect("a project");
            return Seen::of_project(&self.folder, secret, told).expect("a world");
        }
        let binding = Binding {
            variable: secret.variable.to_owned(),
            secret: secret.store_name.to_owned(),
        };
        let mut services = Vec::new();
        for name in secret.readers.iter().copied().map(Role::default_service) {
            let described = self.platform.services.describe(name, &binding).await;
            services.push(described.expect("a service"));
        }
        Seen::of(&self.folder, secret, services).expect("a world that can be read")
    }

    /// What the files tell, and the issuer or the server.
    pub(super) async fn see(&self) -> Seen {
        let mut seen = self.see_files().await;
        seen.beside = self.scene.beside(&seen.values()).await;
        seen
    }

    /// Nothing depends on a value that can't be fetched again.
    pub(super) async fn hold(&self, change: &str) {
        if !self.are_kept {
            return;
        }
        let seen = self.see_files().await;
        match &self.scene {
            Scene::Key => hold_of_key(&seen, change),
            Scene::Client(_) => self.expect_accepted(&seen, change).await,
            Scene::Login(server) if server.is_in_place() || server.is_contained => {
                self.expect_stored_login(&seen, change).await;
            }
            // Both roles work until the traffic has moved.
            Scene::Login(_) => self.expect_accepted(&seen, change).await,
        }
    }

    /// What the services read works.
    async fn expect_accepted(&self, seen: &Seen, change: &str) {
        for value in seen.values_in_use() {
            let is_accepted = self.scene.accepts(value).await;
            assert!(is_accepted, "{change}: the value in use is refused");
        }
    }

    /// The role's password is one that the services have, or that can be fetched.
    async fn expect_stored_login(&self, seen: &Seen, change: &str) {
        let enabled = seen.values().into_iter().filter(|value| {
            let is_in_env = value == seen.value_in_use();
            is_in_env || seen.is_enabled(value)
        });
        for value in enabled {
            if self.scene.accepts(&value).await {
                return;
            }
        }
        panic!("{change}: the role's password is in no store");
    }

    /// Nothing is retired while anything needs it.
    pub(super) async fn may_be_disabled(&self, version: VersionNumber) {
        let seen = self.see_files().await;
        let (_, value) = &seen.versions[&version.get()];
        assert_eq!(seen.cells_under(value), 0, "tokens under version {version}");
        let latest = seen
            .latest()
            .and_then(|(number, _, _)| VersionNumber::new(number));
        for service in &seen.services {
            let reader = service.readers_of(version, latest).next();
            assert_eq!(reader, None, "version {version} is read");
        }
        let is_in_use = seen.values_in_use().any(|one| one == value);
        assert!(!is_in_use, "version {version} is in use");
        if let Scene::Login(_) = self.scene {
            let is_accepted = self.scene.accepts(value).await;
            assert!(!is_accepted, "version {version} still logs in");
        }
    }

    /// Traffic goes to nothing that could not start again, and takes the place of no value
    /// that could not be fetched again.
    pub(super) async fn may_serve(&self, revision: &str) {
        let seen = self.see_files().await;
        let mut values = seen.versions.values();
        let is_stored = values.any(|(_, value)| value == seen.value_in_use());
        assert!(is_stored, "the value in use is in no store");
        let mut revisions = seen.services.iter().flat_map(|service| &service.revisions);
        let found = revisions.find(|other| other.name == revision);
        let number = match found.expect("a revision").bound {
            Bound::Pinned(number) => number.get(),
            Bound::Latest => seen.latest().expect("a version").0,
            Bound::Inline => return,
        };
        let (state, value) = &seen.versions[&number];
        assert_eq!(state, "enabled", "version {number}");
        let is_accepted = self.scene.accepts(value).await;
        assert!(is_accepted, "version {number} is refused");
    }
}

/// The key of every token is an enabled version, or stands in `.env` and was never stored.
fn hold_of_key(seen: &Seen, change: &str) {
    for cell in &seen.table.cells {
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
