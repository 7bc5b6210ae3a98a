//! What can go wrong with a test at an issuer, each with its advice.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why it is not known whether a client's secret works.
///
/// No message holds the secret, or what an issuer answered but for the status and an
/// error code that OAuth has.
#[derive(Debug, thiserror::Error)]
pub enum OauthError {
    /// An address that no secret is sent to. It isn't quoted: what stands in a wrong
    /// place may be a secret.
    #[error("the address of an issuer is not one that a secret may be sent to: {what}")]
    Issuer {
        /// What is wrong with it.
        what: &'static str,
    },
    /// No certificate authority to believe.
    #[error("no certificate authority can be read from {}", place(.path.as_deref()))]
    NoAuthorities {
        /// The file that was named; none where they are the machine's own.
        path: Option<PathBuf>,
    },
    /// There is nothing to test.
    #[error("cannot {tested}: it is empty")]
    Empty {
        /// What was to be tested, where.
        tested: TestedSecret,
    },
    /// No answer, however often it was asked.
    #[error("cannot {tested}: no answer in {attempts} attempts")]
    NoAnswer {
        /// What was to be tested, where.
        tested: TestedSecret,
        /// How often it was asked.
        attempts: u32,
        /// What went wrong the last time.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Whoever answers can't prove to be the issuer.
    #[error("cannot {tested}: its certificate {flaw}")]
    Certificate {
        /// What was to be tested, where.
        tested: TestedSecret,
        /// What is wrong with the certificate.
        flaw: CertificateFlaw,
        /// What the TLS library says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Whoever answers doesn't speak TLS, or not so that it is understood.
    #[error("cannot {tested}: no TLS with it")]
    Tls {
        /// What was to be tested, where.
        tested: TestedSecret,
        /// What the TLS library says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It took too long.
    #[error("cannot {tested}: no answer in {} s", .limit.as_secs_f32())]
    Timeout {
        /// What was to be tested, where.
        tested: TestedSecret,
        /// How long it may take: to connect, or in all.
        limit: Duration,
    },
    /// An answer that is no verdict.
    #[error("cannot {tested}: it answered with the status {status}{}", with_code(*.code))]
    Status {
        /// What was to be tested, where.
        tested: TestedSecret,
        /// The status of HTTP.
        status: u16,
        /// The error code, if it is one that OAuth has.
        code: Option<&'static str>,
    },
    /// An answer that looks like success, and isn't one that an issuer gives.
    #[error("cannot {tested}: it answered with the status 200, but not as an issuer does")]
    Unexpected {
        /// What was to be tested, where.
        tested: TestedSecret,
    },
    /// The library that asks can't be set up.
    #[error("cannot {tested}: the request cannot be made")]
    Request {
        /// What was to be tested, where.
        tested: TestedSecret,
        /// What the library says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Which client's secret was tested, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestedSecret {
    /// The client's id.
    pub client: String,
    /// The issuer's host.
    pub host: String,
}

/// What is wrong with an issuer's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateFlaw {
    /// No trusted authority vouches for it.
    Authority,
    /// It is somebody else's.
    Name,
    /// It has ended, or hasn't begun.
    Time,
    /// Something else.
    Other,
}

/// `test the secret of the client … at …`.
impl fmt::Display for TestedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TestedSecret { client, host } = self;
        write!(f, "test the secret of the client `{client}` at `{host}`")
    }
}

impl fmt::Display for CertificateFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CertificateFlaw::Authority => "is of no authority that is trusted here",
            CertificateFlaw::Name => "is for another host",
            CertificateFlaw::Time => "is not valid today",
            CertificateFlaw::Other => "is not one to trust",
        })
    }
}

fn place(path: Option<&Path>) -> String {
    path.map_or_else(
        || "this machine's certificate store".to_owned(),
        |path| format!("`{}`", path.display()),
    )
}

fn with_code(code: Option<&str>) -> String {
    code.map_or_else(String::new, |code| format!(" and `{code}`"))
}

impl OauthError {
    /// What to do about it, where that isn't plain from the message.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            OauthError::Issuer { .. } => {
                "an issuer is like `https://sso.redhat.com/auth/realms/redhat-external`"
            }
            OauthError::NoAuthorities { path: None } => {
                "install the system's `ca-certificates`, or name a PEM file that is there in \
                 `SSL_CERT_FILE`"
            }
            OauthError::NoAuthorities { .. } => "it has to be certificates in PEM, and readable",
            OauthError::Empty { .. } => "give the secret that the issuer has made for this client",
            OauthError::NoAnswer { .. } | OauthError::Timeout { .. } => {
                "look at the network; where a proxy is needed, `HTTPS_PROXY` names it and \
                 `NO_PROXY` the exceptions; trying again is safe"
            }
            OauthError::Certificate { flaw, .. } => match flaw {
                CertificateFlaw::Authority => {
                    "is there a proxy that opens TLS? Name its authority in `SSL_CERT_FILE`, \
                     if the secret may pass through it"
                }
                CertificateFlaw::Name => "check the issuer in the settings",
                CertificateFlaw::Time => "is the clock of this machine right?",
                CertificateFlaw::Other => "ask those who run the issuer",
            },
            OauthError::Tls { .. } => "check the issuer's host and port in the settings",
            OauthError::Status { status, code, .. } => return status_hint(*status, *code),
            OauthError::Unexpected { .. } => {
                "check the issuer in the settings; a proxy's page would look so, too"
            }
            OauthError::Request { .. } => "check the issuer in the settings",
        };
        Some(hint.to_owned())
    }

    /// The same in a few fixed words, for a journal.
    pub fn what(&self) -> &'static str {
        match self {
            OauthError::Issuer { .. } => "an issuer's address was refused",
            OauthError::NoAuthorities { .. } => "no certificate authority could be read",
            OauthError::Empty { .. } => "a client secret was empty",
            OauthError::NoAnswer { .. } => "an issuer could not be reached",
            OauthError::Certificate { .. } => "an issuer's certificate was not trusted",
            OauthError::Tls { .. } => "an issuer did not speak TLS",
            OauthError::Timeout { .. } => "an issuer took too long",
            OauthError::Status { .. } => "an issuer answered with an error",
            OauthError::Unexpected { .. } => "an issuer answered something unexpected",
            OauthError::Request { .. } => "an issuer could not be asked",
        }
    }
}

fn status_hint(status: u16, code: Option<&str>) -> Option<String> {
    let hint = match (status, code) {
        (_, Some("invalid_scope")) => "check the scope in the settings: the client may not have it",
        (300..=399, _) => {
            "redirects are not followed, for the secret would go elsewhere: \
             correct the issuer in the settings"
        }
        (400 | 401, None) => {
            "an issuer says so in other words when a secret is wrong: is there a proxy in between?"
        }
        (403, _) => "may this client do that? Ask those who run the issuer",
        (404 | 405, _) => "check the issuer in the settings",
        (429 | 500.., _) => "the issuer is in trouble, or busy; trying again is safe",
        _ => return None,
    };
    Some(hint.to_owned())
}
