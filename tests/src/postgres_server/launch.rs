//! Starting a server: in a container, or else with the machine's own binaries.
use std::env;

use super::{container, local};
use crate::certificates::ServerCertificate;
use crate::runtime::say;

/// The superuser of every server that is started here.
pub(super) const ROLE: &str = "harness";

/// Its password, made of what breaks a URL that isn't percent-encoded.
pub(super) const PASSWORD: &str = "p@ss:w/rd%1";

/// Settings of every server that is started here: quick, and forgetful if the
/// machine fails, but with commits that outlast the death of one backend.
pub(super) const SETTINGS: [&str; 3] = ["fsync=off", "full_page_writes=off", "max_connections=200"];

/// Where a server listens, and who logs in there.
#[derive(Clone)]
pub(crate) struct Launched {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) role: String,
    pub(crate) password: String,
    pub(crate) database: String,
    pub(crate) is_external: bool,
}

impl Launched {
    /// A server that was started here.
    pub(super) fn at(host: String, port: u16) -> Self {
        Self {
            host,
            port,
            role: ROLE.to_owned(),
            password: PASSWORD.to_owned(),
            database: "postgres".to_owned(),
            is_external: false,
        }
    }
}

/// What a server is to be like.
#[derive(Clone, Default)]
pub(crate) struct ServerOptions {
    /// Makes the server insist on TLS.
    pub(crate) certificate: Option<ServerCertificate>,
    /// Starts the server again, on the same port, whatever ended it.
    pub(crate) is_restarted: bool,
}

/// Starts a server that ends with this process.
pub(crate) async fn launch(options: ServerOptions) -> Result<Launched, String> {
    let required = env::var("TEST_POSTGRES_REQUIRE").unwrap_or_default();
    if !["", "docker", "local"].contains(&required.as_str()) {
        return Err(format!(
            "TEST_POSTGRES_REQUIRE is `{required}`: it may be `docker` or `local`"
        ));
    }
    let no_container = if required == "local" {
        "TEST_POSTGRES_REQUIRE asks for local binaries".to_owned()
    } else {
        match container::start(&options).await {
            Ok(launched) => return Ok(launched),
            Err(error) => error,
        }
    };
    if required == "docker" {
        return Err(format!(
            "TEST_POSTGRES_REQUIRE asks for Docker: {no_container}"
        ));
    }
    // Another version than the one asked for would be tested without a word.
    if let Ok(image) = env::var("TEST_POSTGRES_IMAGE") {
        return Err(format!(
            "TEST_POSTGRES_IMAGE asks for `{image}`: {no_container}"
        ));
    }
    let local = tokio::task::spawn_blocking(move || local::start(&options));
    match local.await.unwrap_or_else(|error| Err(error.to_string())) {
        Ok((launched, said)) => {
            say(&format!("{said} (no container: {no_container})"));
            Ok(launched)
        }
        Err(no_binaries) => Err(format!(
            "no Postgres for the tests. One of these is needed:\n  \
             1. TEST_DATABASE_URL, a server that runs already (not for tests of TLS): not set\n  \
             2. Docker, with an image that TEST_POSTGRES_IMAGE may name: {no_container}\n  \
             3. local binaries, in a folder that PG_BIN may name: {no_binaries}"
        )),
    }
}
