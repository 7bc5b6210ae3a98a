//! A stand-in for Google's servers, which the real `gcloud` talks to.
//!
//! It keeps state as they do and refuses as they do: what it is told wrongly fails
//! here too. It is reached as a proxy, since Cloud Run's regional host names can't be
//! pointed at a port.
mod answer;
mod faults;
mod gcloud;
mod hold;
mod loaded;
mod policies;
mod run;
mod secrets;
mod server;
mod sql;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use self::faults::{Effect, Fault};
pub use self::gcloud::{GcloudConfig, require_gcloud};
pub use self::hold::Hold;
pub use self::loaded::run_loaded_gcloud;
pub use self::run::{CloudRunState, Fate, PolicyState, RevisionState, ServiceState};
pub use self::secrets::{SecretState, SecretVersion};
pub use self::server::Recorded;
pub use self::sql::{BackupState, SqlState};
use crate::runtime;

/// The project that it has, by its id.
pub const PROJECT: &str = "p1";
/// The same project by its number, as it stands in answers.
pub const PROJECT_NUMBER: &str = "123456789";
/// The region that its services are in.
pub const REGION: &str = "us-central1";
/// Its instance of Cloud SQL.
pub const INSTANCE: &str = "db1";

/// Everything that Google's servers know.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// Secret Manager.
    pub secrets: SecretState,
    /// Cloud Run.
    pub run: CloudRunState,
    /// Cloud SQL.
    pub sql: SqlState,
    /// Permissions that are missing on everything.
    pub denied: Vec<String>,
    /// Permissions that are missing on one thing: a piece of its path, and the
    /// permission.
    pub denied_on: Vec<(&'static str, &'static str)>,
    /// Permissions that no thing knows.
    pub unknown: Vec<&'static str>,
    /// What goes wrong next.
    pub faults: Vec<Fault>,
    /// What waits.
    pub holds: Vec<Hold>,
    /// Requests that nobody waits for any more, and that haven't come yet.
    pub strays: Vec<Recorded>,
    /// How often something did.
    pub strikes: usize,
    /// Every request, in order.
    pub requests: Vec<Recorded>,
}

impl World {
    /// Whether a permission is missing on what a path names.
    fn is_denied(&self, permission: &str, path: &str) -> bool {
        let is_it = |(piece, denied): &(&str, &str)| *denied == permission && path.contains(piece);
        self.denied.iter().any(|denied| denied == permission) || self.denied_on.iter().any(is_it)
    }
}

/// A stand-in of a test's own, listening on loopback.
#[derive(Clone, Debug)]
pub struct Google {
    port: u16,
    world: Arc<Mutex<World>>,
}

impl Google {
    /// Starts one, with an empty project.
    ///
    /// # Panics
    ///
    /// If there is no port.
    pub async fn start() -> Google {
        runtime::run(async { Google::of(World::default()) }).await
    }

    /// Another one in the same state, which was asked nothing yet.
    ///
    /// # Panics
    ///
    /// If there is no port.
    #[must_use]
    pub fn copy(&self) -> Google {
        let mut world = self.world().clone();
        world.requests.clear();
        world.strikes = 0;
        Google::of(world)
    }

    fn of(world: World) -> Google {
        let world = Arc::new(Mutex::new(world));
        let port = server::listen(Arc::clone(&world));
        Google { port, world }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it knows, to be looked at and changed.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has something go wrong.
    pub fn fault(&self, fault: Fault) {
        self.world().faults.push(fault);
    }

    /// Lets all that strayed come to the servers now; tells how much was carried out, and how
    /// much was refused.
    pub fn deliver(&self) -> (usize, usize) {
        let mut world = self.world();
        let strays = std::mem::take(&mut world.strays);
        let answers = strays
            .iter()
            .map(|one| server::route(&mut world, one).status);
        let carried_out = answers.filter(|status| *status == 200).count();
        (carried_out, strays.len() - carried_out)
    }

    /// Every request that could have changed something.
    pub fn changes(&self) -> Vec<String> {
        let world = self.world();
        let is_question =
            |one: &&Recorded| one.method == "GET" || one.path().ends_with(":testIamPermissions");
        let changes = world.requests.iter().filter(|one| !is_question(one));
        changes
            .map(|one| format!("{} {}", one.method, one.target))
            .collect()
    }

    /// How often `gcloud` was run.
    pub fn calls(&self) -> usize {
        let world = self.world();
        let calls = world.requests.iter().filter_map(|one| one.call.as_ref());
        calls.collect::<BTreeSet<_>>().len()
    }

    /// How many requests had this method and this in their path.
    pub fn count(&self, method: &str, piece: &str) -> usize {
        let world = self.world();
        let requests = world.requests.iter();
        requests
            .filter(|one| one.method == method && one.target.contains(piece))
            .count()
    }
}
