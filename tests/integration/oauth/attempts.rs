//! What is asked again, and what isn't.
use anyhow::Result;
use integration_tests::issuer::{Effect, Fault};
use platform::{OauthError, Verdict};

use super::lab::{self, LIMITS, RIGHT, WRONG};

#[tokio::test]
async fn what_passes_by_itself_is_asked_again() -> Result<()> {
    let issuer = lab::issuer().await;
    let overloaded = Effect::Answer(429, String::new());
    for effect in [
        Effect::Unavailable,
        Effect::Reset,
        Effect::CutOff,
        overloaded,
    ] {
        for client in lab::clients(&issuer) {
            for (secret, verdict) in [(RIGHT, Verdict::Accepted), (WRONG, Verdict::Refused)] {
                issuer.fault(Fault::once(effect.clone()));
                let given = lab::check(&issuer, &client, secret).await?;
                assert_eq!(given, verdict, "{effect:?} {:?}", client.proof);
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn it_is_asked_three_times_and_no_more() {
    for status in [429, 502, 503, 504] {
        let issuer = lab::issuer().await;
        let [client, _] = lab::clients(&issuer);
        issuer.fault(Fault::for_ever(Effect::Answer(status, String::new())));
        let error = lab::no_verdict(&issuer, &client).await;
        let asked = issuer.requests().len();
        assert_eq!(asked, LIMITS.attempts as usize, "{status} {error:?}");
    }
}

#[tokio::test]
async fn an_attempt_that_came_to_nothing_counts() {
    for effect in [Effect::Reset, Effect::CutOff] {
        let issuer = lab::issuer().await;
        let [_, client] = lab::clients(&issuer);
        issuer.fault(Fault::for_ever(effect.clone()));
        let error = lab::no_verdict(&issuer, &client).await;
        assert!(
            matches!(error, OauthError::NoAnswer { attempts: 3, .. }),
            "{effect:?} {error:?}"
        );
        assert_eq!(issuer.connections(), 3, "{effect:?}");
    }
}

#[tokio::test]
async fn a_verdict_is_not_asked_for_twice() -> Result<()> {
    for secret in [RIGHT, WRONG] {
        for proof in [0, 1] {
            let issuer = lab::issuer().await;
            let client = &lab::clients(&issuer)[proof];
            lab::check(&issuer, client, secret).await?;
            assert_eq!(issuer.requests().len(), 1, "{:?}", client.proof);
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_stays_as_it_is_is_not_asked_again() {
    let statuses = [201, 301, 400, 403, 404, 500, 501];
    let mut effects: Vec<_> = statuses
        .map(|status| Effect::Answer(status, String::new()))
        .into();
    effects.push(Effect::Page);
    effects.push(Effect::Redirect("https://localhost/".to_owned()));
    for effect in effects {
        let issuer = lab::issuer().await;
        let [client, _] = lab::clients(&issuer);
        issuer.fault(Fault::for_ever(effect.clone()));
        lab::no_verdict(&issuer, &client).await;
        assert_eq!(issuer.requests().len(), 1, "{effect:?}");
    }
}
