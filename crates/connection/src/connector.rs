//! Opening a connection: addresses, passwords, TLS, and what each refusal means.

use std::error::Error as _;
use std::fmt::Display;
use std::time::Duration;

use secrecy::ExposeSecret;
use secret::{Host, PostgresTarget, SslMode};
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{CancelToken, Client, Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::Error;
use crate::message::DatabaseMessage;
use crate::tls;

/// How long a server may take to answer a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Whether TLS is demanded where the URL doesn't speak of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// As the URL says; without a word, TLS is used where the server offers it.
    AsUrlSays,
    /// Demanded over TCP, as the service does with `DATABASE_REQUIRE_SSL=true`.
    Required,
}

/// The connection behind a [`Client`]: a future that has to be polled for the client
/// to get answers.
pub type ServerConnection =
    Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// Everything needed to connect, and to connect again.
pub struct Connector {
    config: tokio_postgres::Config,
    tls: MakeRustlsConnect,
    demands_tls: bool,
    server: String,
    user: String,
    database: String,
}

impl Connector {
    /// Prepares to connect, under a name that the server shows beside the session.
    ///
    /// # Errors
    ///
    /// [`Error::RootCertificates`], where the URL names a file of authorities.
    pub fn new(
        target: &PostgresTarget,
        tls: Tls,
        application_name: &str,
    ) -> Result<Connector, Error> {
        let over_tcp = matches!(target.host, Host::Tcp(_));
        let ssl_mode = target
            .ssl_mode
            .or((tls == Tls::Required).then_some(SslMode::Require))
            // A socket is plain: the proxy behind it does the encryption.
            .filter(|_| over_tcp);
        Ok(Connector {
            config: config(target, ssl_mode, application_name),
            tls: MakeRustlsConnect::new(tls::client_config(
                ssl_mode,
                target.ssl_root_cert.as_deref(),
            )?),
            demands_tls: demands_tls(ssl_mode),
            server: match &target.host {
                Host::Tcp(name) => format!("{name}:{}", target.port),
                Host::UnixSocket(path) => path.display().to_string(),
            },
            user: target.user.clone(),
            database: target.database.clone(),
        })
    }

    /// Host and port, or the folder of the socket, for messages.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The role that logs in.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Connects, logs in, and hands both halves of the connection over. What
    /// `take_over` does has to be done in time as well.
    ///
    /// # Errors
    ///
    /// All of [`Error`]; [`Error::Connect`] where `take_over` fails.
    pub async fn connect<T, E: Display>(
        &self,
        take_over: impl AsyncFnOnce(Client, ServerConnection) -> Result<T, E>,
    ) -> Result<T, Error> {
        // The driver's own limit ends with the socket: a server that accepts and
        // then says nothing would be waited for in vain.
        let connecting = tokio::time::timeout(CONNECT_TIMEOUT, self.log_in(take_over));
        connecting
            .await
            .unwrap_or_else(|_| Err(self.no_connection("it does not answer")))
    }

    async fn log_in<T, E: Display>(
        &self,
        take_over: impl AsyncFnOnce(Client, ServerConnection) -> Result<T, E>,
    ) -> Result<T, Error> {
        let (client, connection) = self
            .config
            .connect(self.tls.clone())
            .await
            .map_err(|error| self.explain(&error))?;
        take_over(client, connection)
            .await
            .map_err(|error| self.no_connection(&error.to_string()))
    }

    fn no_connection(&self, message: &str) -> Error {
        Error::Connect {
            server: self.server.clone(),
            source: DatabaseMessage::new(message),
        }
    }

    /// Asks the server, over a connection of its own, to stop a statement.
    pub async fn cancel(&self, token: &CancelToken) {
        // Best effort: a server that can't be reached stops by itself.
        let _ = tokio::time::timeout(CONNECT_TIMEOUT, token.cancel_query(self.tls.clone())).await;
    }

    fn explain(&self, error: &tokio_postgres::Error) -> Error {
        let (server, user) = (self.server.clone(), self.user.clone());
        let Some(refusal) = error.as_db_error() else {
            return self.explain_handshake(error);
        };
        let source = DatabaseMessage::new(refusal.message());
        match *refusal.code() {
            SqlState::INVALID_CATALOG_NAME => Error::NoSuchDatabase {
                server,
                database: self.database.clone(),
            },
            SqlState::INVALID_AUTHORIZATION_SPECIFICATION
                if refused_for_want_of_tls(refusal.message()) =>
            {
                Error::TlsDemanded { server, source }
            }
            SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
                Error::Login {
                    server,
                    user,
                    source,
                }
            }
            _ => Error::Refused { server, source },
        }
    }

    /// What went wrong before the server could say anything in its own protocol.
    fn explain_handshake(&self, error: &tokio_postgres::Error) -> Error {
        let server = self.server.clone();
        let source = DatabaseMessage::new(&innermost(error));
        if let Some(failure) = rustls_error(error) {
            return match failure {
                failure if tls::is_wrong_name(failure) => Error::TlsWrongName { server },
                failure if tls::is_wrong_authority(failure) => Error::TlsWrongAuthority { server },
                _ => Error::Tls { server, source },
            };
        }
        match source.to_string() {
            text if text.contains("server does not support TLS") => Error::TlsRefused { server },
            _ if error.to_string().contains("TLS") && self.demands_tls => {
                Error::Tls { server, source }
            }
            text if text.contains("password missing") => Error::NoPassword {
                server,
                user: self.user.clone(),
            },
            _ => Error::Connect { server, source },
        }
    }
}

fn demands_tls(mode: Option<SslMode>) -> bool {
    matches!(
        mode,
        Some(SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull)
    )
}

#[expect(
    clippy::disallowed_methods,
    reason = "the driver logs in with the password"
)]
fn config(
    target: &PostgresTarget,
    ssl_mode: Option<SslMode>,
    application_name: &str,
) -> tokio_postgres::Config {
    let mut config = tokio_postgres::Config::new();
    match &target.host {
        Host::Tcp(name) => config.host(name),
        Host::UnixSocket(path) => config.host_path(target.socket_folder.as_ref().unwrap_or(path)),
    };
    if let Some(password) = &target.password {
        config.password(password.expose_secret());
    }
    config
        .port(target.port)
        .user(&target.user)
        .dbname(&target.database)
        .application_name(application_name)
        .connect_timeout(CONNECT_TIMEOUT)
        // A network that goes away without a word is noticed within a minute.
        .keepalives_idle(Duration::from_secs(30))
        .tcp_user_timeout(Duration::from_secs(30))
        .ssl_mode(match ssl_mode {
            Some(SslMode::Disable) => tokio_postgres::config::SslMode::Disable,
            mode if demands_tls(mode) => tokio_postgres::config::SslMode::Require,
            _ => tokio_postgres::config::SslMode::Prefer,
        });
    config
}

/// Both ways to refuse a plain connection share the code of a bad user name.
fn refused_for_want_of_tls(message: &str) -> bool {
    message.contains("pg_hba.conf")
        && (message.contains("no encryption") || message.contains("SSL off"))
}

fn rustls_error(error: &tokio_postgres::Error) -> Option<&rustls::Error> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<rustls::Error>() {
            return Some(found);
        }
        let inside = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        if let Some(found) = inside.and_then(|inside| inside.downcast_ref()) {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

/// The last cause says the most: "connection refused", not "error connecting".
fn innermost(error: &tokio_postgres::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
