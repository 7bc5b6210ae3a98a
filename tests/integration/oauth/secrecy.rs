//! The secret is where it has to be, and nowhere else.
use std::error::Error as _;
use std::time::Duration;

use anyhow::Result;
use integration_tests::issuer::{Effect, Fault, Request, TestIssuer};
use platform::{Error, OauthChecks as _, OauthLimits, Verdict};
use secret::SecretValue;

use super::lab::{self, CLIENT, LIMITS};

/// A secret that differs in each of its encodings.
const SECRET: &str = "hunter2+/%\u{e9}";
const PIECES: &[&str] = &[
    "hunter2",
    "aHVudGVyM", // the same in base64, wherever it begins
    "h1bnRlcj",
    "odW50ZXIy",
    TestIssuer::ACCESS_TOKEN,
];

fn told(error: &Error) -> String {
    let mut told = format!("{error} {error:?} {:?} {}", error.hint(), error.what());
    let mut cause = error.source();
    while let Some(error) = cause {
        told += &format!(" {error} {error:?}");
        cause = error.source();
    }
    told
}

fn assert_tells_nothing(text: &str) {
    for piece in PIECES {
        assert!(!text.contains(piece), "it tells a piece of the secret");
    }
}

#[tokio::test]
async fn no_error_tells_a_secret_or_an_answer() {
    let issuer = lab::issuer().await;
    issuer.accept(CLIENT, SECRET);
    let secret = SecretValue::from(SECRET.as_bytes());
    // Most of them answer at once.
    let whole = Duration::from_millis(700);
    let limits = OauthLimits { whole, ..LIMITS };
    let echoes = [200, 201, 400, 401, 403, 404, 429, 500, 503].map(Effect::Echo);
    let to = format!("{}/{SECRET}", issuer.url());
    let token = format!("{{\"access_token\":[\"{}\"]}}", TestIssuer::ACCESS_TOKEN);
    let mut effects = vec![
        Effect::Reset,
        Effect::Silent,
        Effect::CutOff,
        Effect::Hang,
        Effect::Unavailable,
        Effect::Page,
        Effect::Redirect(to),
        Effect::Answer(200, token),
    ];
    effects.extend(echoes);
    for effect in effects {
        for client in lab::clients(&issuer) {
            issuer.mend();
            issuer.fault(Fault::for_ever(effect.clone()));
            let checks = lab::checks_within(&issuer, limits);
            match checks.check(&client, &secret).await {
                Err(error) => assert_tells_nothing(&told(&error)),
                // What an introspection's 401 says besides doesn't matter.
                Ok(verdict) => assert_eq!(
                    (verdict, effect.clone()),
                    (Verdict::Refused, Effect::Echo(401)),
                    "{:?}",
                    client.proof
                ),
            }
        }
    }
}

#[tokio::test]
async fn the_secret_stands_in_one_place_of_the_request_alone() -> Result<()> {
    let issuer = lab::issuer().await;
    issuer.accept(CLIENT, SECRET);
    for client in lab::clients(&issuer) {
        let verdict = lab::check(&issuer, &client, SECRET).await?;
        assert_eq!(verdict, Verdict::Accepted);
    }
    let requests = issuer.requests();
    let [introspection, credentials]: [Request; 2] = match requests.try_into() {
        Ok(two) => two,
        Err(others) => panic!("{others:?}"),
    };
    for request in [&introspection, &credentials] {
        assert_eq!(request.method, "POST");
        assert!(!request.target.contains('?'), "{request:?}");
        assert_tells_nothing(&request.target);
        for (name, value) in &request.headers {
            if name != "authorization" {
                assert_tells_nothing(value);
            }
        }
    }
    assert_eq!(introspection.body, "token=test");
    assert!(introspection.headers.contains_key("authorization"));
    assert!(!credentials.headers.contains_key("authorization"));
    Ok(())
}
