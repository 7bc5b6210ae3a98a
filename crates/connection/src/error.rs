//! Why there is no connection, each with its advice.

use std::path::PathBuf;

use crate::message::DatabaseMessage;

/// Why a server, or a login there, could not be had.
///
/// No message holds a password: see [`DatabaseMessage`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server can't be reached.
    #[error("cannot connect to `{server}`")]
    Connect {
        /// Host and port, or socket.
        server: String,
        /// What the network said.
        source: DatabaseMessage,
    },
    /// The server answered, and wants no connection now.
    #[error("`{server}` refused the connection")]
    Refused {
        /// Host and port, or socket.
        server: String,
        /// What the server said.
        source: DatabaseMessage,
    },
    /// The server wants a password and the URL has none.
    #[error("`{server}` wants a password for `{user}`, and the database URL has none")]
    NoPassword {
        /// Host and port, or socket.
        server: String,
        /// The role.
        user: String,
    },
    /// The server refused the login.
    #[error("`{server}` refused the login of `{user}`")]
    Login {
        /// Host and port, or socket.
        server: String,
        /// The role.
        user: String,
        /// What the server said.
        source: DatabaseMessage,
    },
    /// The server has no such database.
    #[error("`{server}` has no database `{database}`")]
    NoSuchDatabase {
        /// Host and port, or socket.
        server: String,
        /// The database.
        database: String,
    },
    /// The URL asks for TLS and the server has none.
    #[error("`{server}` does not speak TLS, which the database URL demands")]
    TlsRefused {
        /// Host and port.
        server: String,
    },
    /// The server accepts TLS only.
    #[error("`{server}` accepts no connection without TLS")]
    TlsDemanded {
        /// Host and port.
        server: String,
        /// What the server said.
        source: DatabaseMessage,
    },
    /// The certificate is for another name.
    #[error("the certificate of `{server}` is for another name")]
    TlsWrongName {
        /// Host and port.
        server: String,
    },
    /// The certificate is by an authority that is not trusted.
    #[error("the certificate of `{server}` is by an authority that is not trusted here")]
    TlsWrongAuthority {
        /// Host and port.
        server: String,
    },
    /// The handshake failed otherwise.
    #[error("no TLS connection to `{server}`")]
    Tls {
        /// Host and port.
        server: String,
        /// What the handshake said.
        source: DatabaseMessage,
    },
    /// The file of certificate authorities is unusable.
    #[error("`{path}` holds no usable certificate authority")]
    RootCertificates {
        /// The file that `sslrootcert` names, or a word for the system's.
        path: PathBuf,
    },
}

impl Error {
    /// What to do about it, where that isn't plain from the message.
    pub fn hint(&self) -> Option<&'static str> {
        let hint = match self {
            Error::Connect { .. } => "is the server, or the proxy to it, running?",
            Error::NoPassword { .. } | Error::Login { .. } => {
                "check the user and the password in the database URL; both are percent-encoded there"
            }
            Error::TlsRefused { .. } => {
                "add `sslmode=disable` to the URL only if the way to the server is safe without TLS"
            }
            Error::TlsDemanded { .. } => {
                "add `sslmode=require` or `sslmode=verify-full` to the database URL; or, where the lines of pg_hba.conf name roles, a line for this one"
            }
            Error::TlsWrongName { .. } => {
                "connect by the name in the certificate, or use `sslmode=verify-ca` where that name can't be reached"
            }
            Error::TlsWrongAuthority { .. } => {
                "name the authority's file with `sslrootcert=` in the database URL"
            }
            Error::NoSuchDatabase { .. } => {
                "check the name after the last slash of the database URL"
            }
            Error::Refused { .. } | Error::Tls { .. } | Error::RootCertificates { .. } => {
                return None;
            }
        };
        Some(hint)
    }
}
