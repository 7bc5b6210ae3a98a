//! The stand-in for an issuer refuses what Keycloak refuses.
use std::sync::Arc;

use anyhow::Result;
use integration_tests::client_settings;
use integration_tests::issuer::{Effect, Fault, TestIssuer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::lab::{self, CLIENT};

const TOKEN: &str = "/auth/realms/test/protocol/openid-connect/token";
const INTROSPECT: &str = "/auth/realms/test/protocol/openid-connect/token/introspect";
const FORM: &str = "content-type: application/x-www-form-urlencoded\r\n";
/// `agent:hunter2-right`.
const RIGHT: &str = "authorization: Basic YWdlbnQ6aHVudGVyMi1yaWdodA==\r\n";
const GRANT: &str = "grant_type=client_credentials&client_id=agent&client_secret=hunter2-right";

/// The status and the body of the answer.
async fn ask(
    issuer: &TestIssuer,
    start: &str,
    headers: &str,
    body: &str,
) -> Result<(String, String)> {
    let connector = TlsConnector::from(Arc::new(client_settings(&issuer.authority_pem())));
    let stream = TcpStream::connect(("127.0.0.1", issuer.port())).await?;
    let mut stream = connector.connect("localhost".try_into()?, stream).await?;
    let length = body.len();
    let request = format!(
        "{start} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    let status = head.split(' ').nth(1).unwrap_or_default();
    Ok((status.to_owned(), body.to_owned()))
}

#[tokio::test]
async fn it_answers_what_is_asked_rightly() -> Result<()> {
    let issuer = lab::issuer().await;
    let start = format!("POST {INTROSPECT}");
    let answer = ask(&issuer, &start, &format!("{FORM}{RIGHT}"), "token=test").await?;
    assert_eq!(answer, ("200".to_owned(), r#"{"active":false}"#.to_owned()));
    let body = format!("{GRANT}&scope={}", TestIssuer::SCOPE);
    let (status, body) = ask(&issuer, &format!("POST {TOKEN}"), FORM, &body).await?;
    assert_eq!(status, "200");
    assert!(body.contains(TestIssuer::ACCESS_TOKEN));
    assert_eq!(issuer.requests().len(), 2);
    Ok(())
}

#[tokio::test]
async fn it_refuses_what_is_asked_wrongly() -> Result<()> {
    let issuer = lab::issuer().await;
    issuer.accept(CLIENT, "a+b");
    let both = format!("{FORM}{RIGHT}");
    // `agent:a+b`, which is not encoded: it is read as `a b`.
    let plain = format!("{FORM}authorization: Basic YWdlbnQ6YSti\r\n");
    let introspect = format!("POST {INTROSPECT}");
    let token = format!("POST {TOKEN}");
    for (start, headers, body, status, code) in [
        (
            introspect.as_str(),
            FORM,
            "token=test",
            "401",
            "invalid_request",
        ),
        (&introspect, &plain, "token=test", "401", "invalid_request"),
        (&introspect, &both, "", "400", "invalid_request"),
        (&introspect, RIGHT, "token=test", "415", "unsupported_type"),
        (
            &format!("GET {INTROSPECT}"),
            &both,
            "",
            "405",
            "unsupported_method",
        ),
        (&token, FORM, "", "400", "unsupported_grant_type"),
        (&token, FORM, GRANT, "400", "invalid_scope"),
        (
            &token,
            FORM,
            "grant_type=client_credentials",
            "401",
            "invalid_client",
        ),
        ("POST /elsewhere", &both, "", "404", "not_found"),
    ] {
        let (given, answer) = ask(&issuer, start, headers, body).await?;
        assert_eq!(given, status, "{start} {body}");
        assert!(answer.contains(code), "{start} {body}: {answer}");
    }
    Ok(())
}

#[tokio::test]
async fn its_faults_come_in_order_and_are_used_up() -> Result<()> {
    let issuer = lab::issuer().await;
    for effect in [Effect::Unavailable, Effect::Reset, Effect::Refuse] {
        issuer.fault(Fault::once(effect));
    }
    let start = format!("POST {INTROSPECT}");
    let headers = format!("{FORM}{RIGHT}");
    let mut statuses = Vec::new();
    for _ in 0..4 {
        let answer = ask(&issuer, &start, &headers, "token=test").await;
        statuses.push(answer.map_or_else(|_| "none".to_owned(), |(status, _)| status));
    }
    assert_eq!(statuses, ["503", "none", "401", "200"]);
    Ok(())
}
