//! A stand-in for an OAuth issuer, over real TLS.
//!
//! It answers as Keycloak does to the two questions that prove a client's secret, and
//! refuses as it does: what it is asked wrongly fails here too.
mod answer;
mod faults;
mod server;

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tempfile::TempDir;

pub use self::faults::{Effect, Fault};
use crate::certificates::Authority;

/// An issuer of a test's own, listening on loopback until the test process ends. Its
/// certificate is for `localhost`.
#[derive(Clone)]
pub struct TestIssuer {
    port: u16,
    folder: Arc<TempDir>,
    world: Arc<Mutex<World>>,
}

/// What an issuer knows.
#[derive(Default)]
struct World {
    /// The secrets of each client: there may be more than one.
    secrets: HashMap<String, Vec<String>>,
    faults: Vec<Fault>,
    connections: usize,
    requests: Vec<Request>,
}

/// A request that was made. It holds a secret, so it prints in part only.
#[derive(Clone)]
pub struct Request {
    /// `GET`, `POST`.
    pub method: String,
    /// Its path and query.
    pub target: String,
    /// Its headers, with their names in small letters.
    pub headers: HashMap<String, String>,
    /// Its body.
    pub body: String,
}

impl TestIssuer {
    /// The access token that it gives.
    pub const ACCESS_TOKEN: &str = "hunter2-access-token";

    /// The scope that every client has.
    pub const SCOPE: &str = "api.iam.clients.gma";

    /// Starts one that knows no client.
    ///
    /// # Panics
    ///
    /// If there is no port, or no temporary folder.
    pub async fn start() -> TestIssuer {
        let authority = Authority::new("authority of the test issuer");
        let other = Authority::new("authority of some other issuer");
        let folder = Arc::new(tempfile::tempdir().expect("a temporary folder"));
        let pems = [("authority.pem", authority), ("other.pem", other)];
        for (name, authority) in &pems {
            fs::write(folder.path().join(name), authority.pem()).expect("a file");
        }
        let certificate = pems[0].1.issue("localhost");
        let world = Arc::new(Mutex::new(World::default()));
        let port = server::listen(&certificate, Arc::clone(&world)).await;
        TestIssuer {
            port,
            folder,
            world,
        }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The issuer's address, by the name in its certificate.
    pub fn url(&self) -> String {
        self.url_by("localhost")
    }

    /// The same by a name that isn't in its certificate.
    pub fn url_by_wrong_name(&self) -> String {
        self.url_by("127.0.0.1")
    }

    fn url_by(&self, host: &str) -> String {
        format!("https://{host}:{}{}", self.port, answer::REALM)
    }

    /// The certificate of the authority to trust: for `SSL_CERT_FILE`, say. It is
    /// there as long as the issuer or a clone of it.
    pub fn authority_pem(&self) -> PathBuf {
        self.file("authority.pem")
    }

    /// The certificate of an authority that has nothing to do with the issuer.
    pub fn other_authority_pem(&self) -> PathBuf {
        self.file("other.pem")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Has a secret work for a client from now on, beside others that do.
    pub fn accept(&self, client: &str, secret: &str) {
        let mut world = self.world();
        let secrets = world.secrets.entry(client.to_owned()).or_default();
        secrets.push(secret.to_owned());
    }

    /// Has a client's secrets stop working.
    pub fn refuse(&self, client: &str) {
        self.world().secrets.remove(client);
    }

    /// Has something go wrong.
    pub fn fault(&self, fault: Fault) {
        self.world().faults.push(fault);
    }

    /// Has nothing go wrong any more.
    pub fn mend(&self) {
        self.world().faults.clear();
    }

    /// Every request, in order.
    pub fn requests(&self) -> Vec<Request> {
        self.world().requests.clone()
    }

    /// How many connections there were, those that came to nothing among them.
    pub fn connections(&self) -> usize {
        self.world().connections
    }

    fn world(&self) -> MutexGuard<'_, World> {
        locked(&self.world)
    }
}

fn locked(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `Request("POST /path")`.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Request({:?})",
            format!("{} {}", self.method, self.target)
        )
    }
}

/// `TestIssuer(<address>)`.
impl fmt::Debug for TestIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TestIssuer({})", self.url())
    }
}
