//! The question over HTTPS.

use std::cell::Cell;
use std::time::Duration;

use async_trait::async_trait;
use backon::{ExponentialBuilder, Retryable};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, RequestBuilder, Response, redirect};
use secret::SecretValue;
use zeroize::Zeroizing;

use super::answer::{NoVerdict, judge};
use super::error::{OauthError, TestedSecret};
use super::form::{Field, encoded, form};
use super::tls::{self, CertificateAuthorities};
use super::{OauthChecks, OauthClient, Proof, Verdict};
use crate::error::Error;

const AGENT: &str = concat!("secret-rotation/", env!("CARGO_PKG_VERSION"));
/// An answer is a few hundred bytes, with a big token a few thousand.
const LONGEST_ANSWER_BYTES: usize = 64 * 1024;

/// Asks issuers over HTTPS, through the proxy that `HTTPS_PROXY` and `NO_PROXY` name.
///
/// The buffers of a secret that this crate fills are wiped; those of the HTTP and TLS
/// libraries are out of reach.
#[derive(Clone, Debug)]
pub struct HttpOauthChecks {
    authorities: CertificateAuthorities,
    limits: OauthLimits,
}

/// How long a check may take, and how often it asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OauthLimits {
    /// The time for a connection, TLS and all.
    pub connect: Duration,
    /// The time for the whole check, with all its attempts and pauses.
    pub whole: Duration,
    /// How often it asks, where a server or the way to it is at fault.
    pub attempts: u32,
    /// The pause before the second attempt; each further one is twice as long.
    pub first_pause: Duration,
}

/// Ten seconds to connect, thirty in all; four attempts, with 3.5 seconds of pauses.
impl Default for OauthLimits {
    fn default() -> OauthLimits {
        OauthLimits {
            connect: Duration::from_secs(10),
            whole: Duration::from_secs(30),
            attempts: 4,
            first_pause: Duration::from_millis(500),
        }
    }
}

impl HttpOauthChecks {
    /// Nothing is read or connected to before the first check.
    pub fn new(authorities: CertificateAuthorities, limits: OauthLimits) -> HttpOauthChecks {
        HttpOauthChecks {
            authorities,
            limits,
        }
    }

    /// A client for one check: it keeps no connection for another.
    fn client(&self, tested: &TestedSecret) -> Result<Client, OauthError> {
        Client::builder()
            .tls_backend_preconfigured(tls::client_config(&self.authorities)?)
            .https_only(true)
            // Or the secret would go wherever the answer says.
            .redirect(redirect::Policy::none())
            .referer(false)
            .connect_timeout(self.limits.connect)
            .user_agent(AGENT)
            .build()
            .map_err(|error| OauthError::Request {
                tested: tested.clone(),
                source: Box::new(error.without_url()),
            })
    }

    fn pauses(&self) -> ExponentialBuilder {
        ExponentialBuilder::new()
            .with_factor(2.0)
            .with_min_delay(self.limits.first_pause)
            .with_max_delay(self.limits.whole)
            .with_max_times(self.limits.attempts.saturating_sub(1) as usize)
    }
}

#[async_trait(?Send)]
impl OauthChecks for HttpOauthChecks {
    async fn check(&self, client: &OauthClient, secret: &SecretValue) -> Result<Verdict, Error> {
        let tested = TestedSecret {
            client: client.id.clone(),
            host: client.issuer.host().to_owned(),
        };
        if secret.is_empty() {
            return Err(OauthError::Empty { tested }.into());
        }
        let http = self.client(&tested)?;
        let attempts = Cell::new(0);
        let ask = || {
            attempts.set(attempts.get() + 1);
            ask_once(&http, client, secret)
        };
        let asked = ask.retry(self.pauses()).when(Failure::is_transient);
        let answer = tokio::time::timeout(self.limits.whole, asked).await;
        let limit = self.limits.whole;
        match answer {
            Ok(Ok(verdict)) => Ok(verdict),
            Ok(Err(failure)) => Err(self.told(failure, tested, attempts.get()).into()),
            Err(_) => Err(OauthError::Timeout { tested, limit }.into()),
        }
    }
}

async fn ask_once(
    http: &Client,
    client: &OauthClient,
    secret: &SecretValue,
) -> Result<Verdict, Failure> {
    let response = request(http, client, secret)
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .send()
        .await
        .map_err(Failure::sending)?;
    let status = response.status().as_u16();
    let body = read(response).await?;
    judge(&client.proof, status, &body).map_err(Failure::NoVerdict)
}

fn request(http: &Client, client: &OauthClient, secret: &SecretValue) -> RequestBuilder {
    const PATH: &[&str] = &["protocol", "openid-connect", "token"];
    match &client.proof {
        Proof::Introspection => http
            .post(client.issuer.endpoint(&[PATH, &["introspect"]].concat()))
            .basic_auth(
                encoded(Field::Text(&client.id)).as_str(),
                Some(encoded(Field::Secret(secret)).as_str()),
            )
            .body(form(&[("token", Field::Text("test"))])),
        Proof::ClientCredentials { scope } => {
            http.post(client.issuer.endpoint(PATH)).body(form(&[
                ("grant_type", Field::Text("client_credentials")),
                ("client_id", Field::Text(&client.id)),
                ("client_secret", Field::Secret(secret)),
                ("scope", Field::Text(scope)),
            ]))
        }
    }
}

/// The answer, or as much of it as an issuer's may be: the rest isn't waited for.
async fn read(mut response: Response) -> Result<Zeroizing<Vec<u8>>, Failure> {
    // A vector that grew would leave copies of a token behind.
    let mut body = Zeroizing::new(Vec::with_capacity(LONGEST_ANSWER_BYTES));
    while let Some(piece) = response.chunk().await.map_err(Failure::sending)? {
        let room = LONGEST_ANSWER_BYTES - body.len();
        body.extend_from_slice(piece.get(..room).unwrap_or(&piece));
        if piece.len() >= room {
            break;
        }
    }
    Ok(body)
}

/// Why one attempt gave no verdict.
enum Failure {
    /// The library's error, without the address.
    Sending(reqwest::Error),
    NoVerdict(NoVerdict),
}

impl Failure {
    fn sending(error: reqwest::Error) -> Failure {
        Failure::Sending(error.without_url())
    }

    /// Whether it may go away by itself in a few seconds. What has taken its whole
    /// time isn't tried again.
    fn is_transient(&self) -> bool {
        match self {
            Failure::Sending(error) => !error.is_timeout() && tls::cause(error).is_none(),
            Failure::NoVerdict(NoVerdict::Status { status, .. }) => {
                matches!(status, 429 | 502 | 503 | 504)
            }
            Failure::NoVerdict(NoVerdict::Unexpected) => false,
        }
    }
}

impl HttpOauthChecks {
    fn told(&self, failure: Failure, tested: TestedSecret, attempts: u32) -> OauthError {
        let error = match failure {
            Failure::NoVerdict(NoVerdict::Status { status, code }) => {
                return OauthError::Status {
                    tested,
                    status,
                    code,
                };
            }
            Failure::NoVerdict(NoVerdict::Unexpected) => return OauthError::Unexpected { tested },
            Failure::Sending(error) => error,
        };
        if error.is_timeout() {
            let limit = self.limits.connect;
            return OauthError::Timeout { tested, limit };
        }
        let source = Box::new(error);
        match tls::cause(&*source).map(tls::certificate_flaw) {
            Some(Some(flaw)) => OauthError::Certificate {
                tested,
                flaw,
                source,
            },
            Some(None) => OauthError::Tls { tested, source },
            None => OauthError::NoAnswer {
                tested,
                attempts,
                source,
            },
        }
    }
}
