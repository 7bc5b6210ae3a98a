//! A Postgres server that accepts TLS only.
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::certificates::{Authority, client_settings};
use crate::postgres_server::{PostgresServer, ServerOptions, launch};
use crate::runtime;

/// A server whose certificate is for `localhost`, so that `127.0.0.1` is a wrong name
/// for it. It refuses plain text, lets a role `trusted` in without a password if a test
/// makes one, and is never the one of `TEST_DATABASE_URL`.
pub struct TlsServer {
    postgres: PostgresServer,
    authority_pem: PathBuf,
    wrong_authority_pem: PathBuf,
}

impl TlsServer {
    /// The name in the certificate.
    pub const RIGHT_HOST: &str = "localhost";

    /// The same server by a name that isn't in the certificate.
    pub const WRONG_HOST: &str = "127.0.0.1";

    /// The server that every test of this process shares, started at first use.
    ///
    /// # Panics
    ///
    /// If neither Docker nor local binaries give one.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Result<TlsServer, String>> = OnceLock::new();
        let server = SHARED.get_or_init(|| runtime::block_on(Self::start()));
        server.as_ref().unwrap_or_else(|error| panic!("{error}"))
    }

    async fn start() -> Result<Self, String> {
        let authority = Authority::new("authority of the test server");
        let wrong_authority = Authority::new("authority of some other server");
        let folder = tempfile::tempdir().expect("a temporary folder").keep();
        let authority_pem = folder.join("authority.pem");
        let wrong_authority_pem = folder.join("wrong-authority.pem");
        fs::write(&authority_pem, authority.pem()).expect("a file");
        fs::write(&wrong_authority_pem, wrong_authority.pem()).expect("a file");
        runtime::at_exit(move || drop(fs::remove_dir_all(folder)));

        let certificate = Some(authority.issue(Self::RIGHT_HOST));
        let options = ServerOptions {
            certificate,
            ..ServerOptions::default()
        };
        let mut launched = launch(options).await?;
        Self::RIGHT_HOST.clone_into(&mut launched.host);
        let tls = Arc::new(client_settings(&authority_pem));
        Ok(Self {
            postgres: PostgresServer::connect_to(launched, Some(tls)).await?,
            authority_pem,
            wrong_authority_pem,
        })
    }

    /// The server itself, for databases and connections, which use TLS.
    pub fn postgres(&'static self) -> &'static PostgresServer {
        &self.postgres
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.postgres.port()
    }

    /// The certificate of the authority to trust.
    pub fn authority_pem(&self) -> &Path {
        &self.authority_pem
    }

    /// The certificate of an authority that has nothing to do with the server.
    pub fn wrong_authority_pem(&self) -> &Path {
        &self.wrong_authority_pem
    }
}
