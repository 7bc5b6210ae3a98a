//! A secret goes to nobody who can't prove to be the issuer.
use anyhow::Result;
use integration_tests::issuer::TestIssuer;
use platform::{
    CertificateAuthorities, CertificateFlaw, Error, HttpOauthChecks, OauthChecks as _, OauthClient,
    OauthError,
};
use secret::SecretValue;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::lab::{self, CLIENT, LIMITS, RIGHT};

async fn flaw(client: &OauthClient, authorities: CertificateAuthorities) -> CertificateFlaw {
    let secret = SecretValue::from(RIGHT.as_bytes());
    let checks = HttpOauthChecks::new(authorities, LIMITS);
    match checks.check(client, &secret).await {
        Err(Error::Oauth(OauthError::Certificate { flaw, .. })) => flaw,
        other => panic!("{other:?}"),
    }
}

/// One attempt, and no request.
fn assert_nothing_was_sent(issuer: &TestIssuer, connections: usize) {
    assert_eq!(issuer.requests().len(), 0);
    assert_eq!(issuer.connections(), connections);
}

#[tokio::test]
async fn an_authority_that_is_not_trusted_is_told() {
    let issuer = lab::issuer().await;
    let others = CertificateAuthorities::File(issuer.other_authority_pem());
    for client in lab::clients(&issuer) {
        for authorities in [others.clone(), CertificateAuthorities::Machine] {
            let flaw = flaw(&client, authorities).await;
            assert_eq!(flaw, CertificateFlaw::Authority);
        }
    }
    assert_nothing_was_sent(&issuer, 4);
}

#[tokio::test]
async fn another_host_s_certificate_is_told() {
    let issuer = lab::issuer().await;
    for client in lab::clients_of(&issuer.url_by_wrong_name(), CLIENT) {
        let authorities = CertificateAuthorities::File(issuer.authority_pem());
        let flaw = flaw(&client, authorities).await;
        assert_eq!(flaw, CertificateFlaw::Name);
    }
    assert_nothing_was_sent(&issuer, 2);
}

#[tokio::test]
async fn nothing_is_sent_to_who_speaks_no_tls() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("https://localhost:{}/auth", listener.local_addr()?.port());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await?;
        let mut first = [0; 4096];
        let length = stream.read(&mut first).await?;
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await?;
        anyhow::Ok(first[..length].to_vec())
    });
    let issuer = lab::issuer().await;
    let [client, _] = lab::clients_of(&url, CLIENT);
    let error = lab::no_verdict(&issuer, &client).await;
    assert!(matches!(error, OauthError::Tls { .. }), "{error:?}");
    // The first byte of a TLS handshake.
    assert_eq!(server.await??.first(), Some(&22));
    Ok(())
}
