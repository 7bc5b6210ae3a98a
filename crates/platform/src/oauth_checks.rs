//! Whether the secret of an OAuth client works, asked of its issuer.

mod answer;
mod error;
mod form;
mod http;
mod issuer;
mod tls;

use async_trait::async_trait;
use secret::SecretValue;

pub use self::error::{CertificateFlaw, OauthError, TestedSecret};
pub use self::http::{HttpOauthChecks, OauthLimits};
pub use self::issuer::Issuer;
pub use self::tls::CertificateAuthorities;
pub(crate) use self::tls::client_config;
use crate::error::Error;

/// Tests of client secrets at the issuer of their clients.
///
/// What every implementation keeps to:
///
/// - A verdict is the issuer's own. Whatever else happens is an error: it is *not
///   known* then whether the secret works. A proxy's page, an overloaded issuer or a
///   scope that the client may not have says nothing of a secret.
/// - A check changes nothing and can be repeated. An access token that the issuer
///   gives is dropped at once, and shown to nobody.
/// - The secret goes to the issuer, over TLS that proves who that is, and to nobody
///   else: redirects are not followed. It stands in no URL.
/// - A check ends within a time that its implementation says, answer or none.
/// - An error tells nothing of the secret, nor of what the issuer answered except for
///   the status and the error code, if it is one of those that OAuth has.
#[async_trait(?Send)]
pub trait OauthChecks {
    /// Asks the issuer whether this is the client's secret. The bytes are sent as
    /// they are, a line end and all, as the service would send them.
    ///
    /// # Errors
    ///
    /// [`Error::Oauth`], when it is not known whether the secret works.
    async fn check(&self, client: &OauthClient, secret: &SecretValue) -> Result<Verdict, Error>;
}

/// An OAuth client, and how its secret is tested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OauthClient {
    /// Who has issued the secret.
    pub issuer: Issuer,
    /// The client's id, which is no secret.
    pub id: String,
    /// How the secret is tested.
    pub proof: Proof,
}

/// How a client's secret is tested. The paths are Keycloak's, below the issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// By asking about a token that nobody has issued: `POST` to
    /// `/protocol/openid-connect/token/introspect` with basic authentication.
    ///
    /// That the token isn't active is the answer to a right secret; a wrong one gets
    /// the status 401. Id and secret are encoded as RFC 6749, section 2.3.1, says,
    /// which Keycloak decodes from version 20 on. Older ones don't: there a secret
    /// with other characters than letters, digits, `-`, `.`, `_` and `*` is refused
    /// though it is right.
    Introspection,
    /// By asking for an access token of the client's own: `POST` to
    /// `/protocol/openid-connect/token` with id and secret in the body.
    ///
    /// A token is the answer to a right secret; a wrong one gets the status 400 or 401
    /// with `invalid_client` or `unauthorized_client`.
    ClientCredentials {
        /// The scope to ask for. Without it the issuer would give the client's
        /// default ones.
        scope: String,
    },
}

/// What the issuer says of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the client's.
    Accepted,
    /// It isn't.
    Refused,
}
