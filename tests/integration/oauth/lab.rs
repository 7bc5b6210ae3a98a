//! An issuer with one client, and what asks it.
use std::time::Duration;

use integration_tests::issuer::TestIssuer;
use platform::{
    CertificateAuthorities, Error, HttpOauthChecks, OauthChecks as _, OauthClient, OauthError,
    OauthLimits, Proof, Verdict,
};
use secret::SecretValue;

pub(super) const CLIENT: &str = "agent";
pub(super) const RIGHT: &str = "hunter2-right";
pub(super) const WRONG: &str = "hunter2-wrong";

/// Long, for a busy machine, with short pauses.
pub(super) const LIMITS: OauthLimits = OauthLimits {
    connect: Duration::from_secs(10),
    whole: Duration::from_secs(30),
    attempts: 3,
    first_pause: Duration::from_millis(10),
};

/// An issuer that accepts [`RIGHT`].
pub(super) async fn issuer() -> TestIssuer {
    let issuer = TestIssuer::start().await;
    issuer.accept(CLIENT, RIGHT);
    issuer
}

/// The client, once for each proof.
pub(super) fn clients_of(url: &str, id: &str) -> [OauthClient; 2] {
    let scope = TestIssuer::SCOPE.to_owned();
    let proofs = [Proof::Introspection, Proof::ClientCredentials { scope }];
    proofs.map(|proof| OauthClient {
        issuer: url.parse().expect("an issuer"),
        id: id.to_owned(),
        proof,
    })
}

pub(super) fn clients(issuer: &TestIssuer) -> [OauthClient; 2] {
    clients_of(&issuer.url(), CLIENT)
}

pub(super) fn checks(issuer: &TestIssuer) -> HttpOauthChecks {
    checks_within(issuer, LIMITS)
}

pub(super) fn checks_within(issuer: &TestIssuer, limits: OauthLimits) -> HttpOauthChecks {
    HttpOauthChecks::new(CertificateAuthorities::File(issuer.authority_pem()), limits)
}

pub(super) async fn check(
    issuer: &TestIssuer,
    client: &OauthClient,
    secret: &str,
) -> Result<Verdict, Error> {
    let secret = SecretValue::from(secret.as_bytes());
    checks(issuer).check(client, &secret).await
}

/// What is said where there is no verdict on the right secret.
pub(super) async fn no_verdict(issuer: &TestIssuer, client: &OauthClient) -> OauthError {
    match check(issuer, client, RIGHT).await {
        Err(Error::Oauth(error)) => error,
        Err(error) => panic!("another error: {error:?}"),
        Ok(verdict) => panic!("{verdict:?} by {:?}", client.proof),
    }
}
