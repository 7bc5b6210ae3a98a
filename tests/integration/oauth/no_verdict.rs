//! What says nothing of a secret isn't taken for a verdict.
use std::time::{Duration, Instant};

use integration_tests::issuer::{Effect, Fault, TestIssuer};
use platform::{
    CertificateAuthorities, Error, HttpOauthChecks, OauthChecks as _, OauthError, OauthLimits,
    Proof,
};
use secret::SecretValue;
use tokio::net::TcpListener;

use super::lab::{self, CLIENT, LIMITS, RIGHT};

#[tokio::test]
async fn a_status_that_is_no_refusal_is_told() {
    let issuer = lab::issuer().await;
    for client in lab::clients(&issuer) {
        for status in [201, 204, 302, 400, 402, 403, 404, 407, 418, 429, 500, 503] {
            issuer.mend();
            issuer.fault(Fault::for_ever(Effect::Answer(status, String::new())));
            let error = lab::no_verdict(&issuer, &client).await;
            assert!(
                matches!(&error, OauthError::Status { status: told, code: None, .. } if *told == status),
                "{error:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_refusal_that_is_not_of_the_secret_is_told_with_its_code() {
    let issuer = lab::issuer().await;
    let [_, mut client] = lab::clients(&issuer);
    client.proof = Proof::ClientCredentials {
        scope: "another".to_owned(),
    };
    let error = lab::no_verdict(&issuer, &client).await;
    assert_eq!(
        error.to_string(),
        "cannot test the secret of the client `agent` at `localhost`: \
         it answered with the status 400 and `invalid_scope`"
    );
    assert!(error.hint().is_some_and(|hint| hint.contains("scope")));
}

#[tokio::test]
async fn a_page_is_no_verdict() {
    let issuer = lab::issuer().await;
    for client in lab::clients(&issuer) {
        issuer.fault(Fault::once(Effect::Page));
        let error = lab::no_verdict(&issuer, &client).await;
        assert!(
            matches!(error, OauthError::Unexpected { .. }),
            "a page: {error:?}"
        );
        let page = "<html>Sign in</html>".to_owned();
        issuer.fault(Fault::once(Effect::Answer(401, page)));
        let error = lab::no_verdict(&issuer, &client).await;
        assert!(
            matches!(error, OauthError::Status { status: 401, .. }),
            "a page that asks to sign in: {error:?}"
        );
    }
}

#[tokio::test]
async fn nonsense_is_no_verdict() {
    let issuer = lab::issuer().await;
    // Longer than an answer can be: its end isn't waited for.
    let endless = format!("{{\"active\":{}false}}", " ".repeat(10_000_000));
    let nonsense = ["", "{}", "null", "[false]", "{\"active\":\"no\"}", &endless];
    for client in lab::clients(&issuer) {
        for body in nonsense {
            issuer.fault(Fault::once(Effect::Answer(200, body.to_owned())));
            let error = lab::no_verdict(&issuer, &client).await;
            assert!(
                matches!(error, OauthError::Unexpected { .. }),
                "{} bytes: {error:?}",
                body.len()
            );
        }
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let issuer = lab::issuer().await;
    let other = lab::issuer().await;
    for (client, path) in lab::clients(&issuer)
        .iter()
        .zip(["token/introspect", "token"])
    {
        let to = format!("{}/protocol/openid-connect/{path}", other.url());
        issuer.fault(Fault::once(Effect::Redirect(to)));
        let error = lab::no_verdict(&issuer, client).await;
        assert!(
            matches!(error, OauthError::Status { status: 307, .. }),
            "{error:?}"
        );
        assert!(error.hint().is_some_and(|hint| hint.contains("redirect")));
    }
    assert_eq!(other.connections(), 0, "the secret went elsewhere");
}

#[tokio::test]
async fn who_never_answers_is_given_up_in_time() {
    let limit = Duration::from_millis(500);
    for (effect, limits) in [
        (
            Effect::Hang,
            OauthLimits {
                whole: limit,
                ..LIMITS
            },
        ),
        (
            Effect::Silent,
            OauthLimits {
                whole: limit,
                ..LIMITS
            },
        ),
        (
            Effect::Silent,
            OauthLimits {
                connect: limit,
                ..LIMITS
            },
        ),
    ] {
        let issuer = lab::issuer().await;
        issuer.fault(Fault::for_ever(effect.clone()));
        let secret = SecretValue::from(RIGHT.as_bytes());
        for client in lab::clients(&issuer) {
            let started = Instant::now();
            let checks = lab::checks_within(&issuer, limits);
            let error = checks.check(&client, &secret).await;
            let took = started.elapsed();
            assert!(
                matches!(&error, Err(Error::Oauth(OauthError::Timeout { limit: told, .. })) if *told == limit),
                "{effect:?}: {error:?}"
            );
            // Far less than the limits that weren't meant.
            assert!(took < Duration::from_secs(8), "{effect:?} took {took:?}");
        }
    }
}

#[tokio::test]
async fn who_is_not_there_is_told() -> anyhow::Result<()> {
    // A port that was free a moment ago.
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    drop(listener);
    let issuer = lab::issuer().await;
    for client in lab::clients_of(&format!("https://{address}/auth"), CLIENT) {
        let error = lab::no_verdict(&issuer, &client).await;
        assert!(
            matches!(error, OauthError::NoAnswer { attempts: 3, .. }),
            "{error:?}"
        );
        let message = error.to_string();
        assert!(message.contains("`agent` at `127.0.0.1`"), "{message}");
    }
    Ok(())
}

#[tokio::test]
async fn an_empty_secret_is_not_sent() {
    let issuer = lab::issuer().await;
    for client in lab::clients(&issuer) {
        let error = lab::check(&issuer, &client, "").await;
        assert!(
            matches!(error, Err(Error::Oauth(OauthError::Empty { .. }))),
            "{error:?}"
        );
    }
    assert_eq!(issuer.connections(), 0);
}

#[tokio::test]
async fn without_an_authority_nothing_is_sent() -> anyhow::Result<()> {
    let issuer: TestIssuer = lab::issuer().await;
    let empty = issuer.authority_pem().with_file_name("empty.pem");
    std::fs::write(&empty, "")?;
    let missing = issuer.authority_pem().with_file_name("missing.pem");
    let secret = SecretValue::from(RIGHT.as_bytes());
    for path in [empty, missing] {
        let checks = HttpOauthChecks::new(CertificateAuthorities::File(path), LIMITS);
        let error = checks.check(&lab::clients(&issuer)[0], &secret).await;
        assert!(
            matches!(error, Err(Error::Oauth(OauthError::NoAuthorities { .. }))),
            "{error:?}"
        );
    }
    assert_eq!(issuer.connections(), 0);
    Ok(())
}
