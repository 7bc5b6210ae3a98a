//! The network between this program and an issuer, in every trouble.
use std::time::{Duration, Instant};

use integration_tests::issuer::{Effect, Fault};
use integration_tests::{Reached, Trouble};
use platform::{Error, OauthChecks as _, OauthError, OauthLimits, Verdict};
use secret::SecretValue;

use super::lab::{self, LIMITS, RIGHT, WRONG};

const PLACES: [Reached; 4] = [
    Reached::Nothing,
    Reached::Server,
    Reached::Headers,
    Reached::Body,
];

#[tokio::test]
async fn a_question_that_is_lost_or_whose_answer_is_gets_its_verdict_all_the_same() {
    let issuer = lab::issuer().await;
    for reached in PLACES {
        for trouble in [Trouble::Closed(reached), Trouble::Reset(reached)] {
            for client in lab::clients(&issuer) {
                for (secret, verdict) in [(RIGHT, Verdict::Accepted), (WRONG, Verdict::Refused)] {
                    issuer.fault(Fault::once(Effect::Network(trouble)));
                    let given = lab::check(&issuer, &client, secret).await;
                    let is_right = given.as_ref().is_ok_and(|given| *given == verdict);
                    assert!(is_right, "{trouble:?} {:?}: {given:?}", client.proof);
                }
            }
        }
    }
}

#[tokio::test]
async fn what_is_never_answered_to_its_end_is_given_up_in_time() {
    let limit = Duration::from_millis(300);
    let limits = OauthLimits {
        whole: limit,
        ..LIMITS
    };
    let issuer = lab::issuer().await;
    let secret = SecretValue::from(RIGHT.as_bytes());
    for reached in PLACES {
        for client in lab::clients(&issuer) {
            let silent = Effect::Network(Trouble::Silent(reached));
            issuer.fault(Fault::once(silent));
            let began = Instant::now();
            let checks = lab::checks_within(&issuer, limits);
            let given = checks.check(&client, &secret).await;
            let is_timeout = matches!(given, Err(Error::Oauth(OauthError::Timeout { .. })));
            assert!(is_timeout, "{reached:?} {:?}: {given:?}", client.proof);
            assert!(began.elapsed() < Duration::from_secs(8), "{reached:?}");
        }
    }
}

#[tokio::test]
async fn half_an_answer_is_no_wrong_verdict() {
    let issuer = lab::issuer().await;
    for client in lab::clients(&issuer) {
        // A refusal is one by its status already.
        for (secret, verdict) in [(RIGHT, None), (WRONG, Some(Verdict::Refused))] {
            issuer.fault(Fault::once(Effect::Network(Trouble::Shortened)));
            let given = lab::check(&issuer, &client, secret).await;
            let is_right = given.as_ref().is_ok_and(|given| Some(*given) == verdict);
            assert!(given.is_err() || is_right, "{:?}: {given:?}", client.proof);
        }
    }
}

#[tokio::test]
async fn an_answer_in_single_bytes_is_a_verdict() {
    let issuer = lab::issuer().await;
    for client in lab::clients(&issuer) {
        let in_bytes = Trouble::InBytes(Duration::from_micros(100));
        issuer.fault(Fault::once(Effect::Network(in_bytes)));
        let given = lab::check(&issuer, &client, RIGHT).await;
        let is_accepted = matches!(given, Ok(Verdict::Accepted));
        assert!(is_accepted, "{:?}: {given:?}", client.proof);
    }
}
