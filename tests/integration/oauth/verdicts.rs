//! What the issuer says is what is said.
use std::time::Duration;

use anyhow::Result;
use integration_tests::issuer::{Effect, Fault};
use platform::{OauthChecks as _, Verdict};
use secret::SecretValue;

use super::lab::{self, CLIENT, RIGHT, WRONG};

#[tokio::test]
async fn a_right_secret_is_accepted_and_a_wrong_one_refused() -> Result<()> {
    let issuer = lab::issuer().await;
    for client in lab::clients(&issuer) {
        let right = lab::check(&issuer, &client, RIGHT).await?;
        assert_eq!(right, Verdict::Accepted, "{:?}", client.proof);
        let wrong = lab::check(&issuer, &client, WRONG).await?;
        assert_eq!(wrong, Verdict::Refused, "{:?}", client.proof);
    }
    Ok(())
}

#[tokio::test]
async fn each_of_two_secrets_is_accepted_until_it_is_withdrawn() -> Result<()> {
    let issuer = lab::issuer().await;
    issuer.accept(CLIENT, "hunter2-next");
    for client in lab::clients(&issuer) {
        for secret in [RIGHT, "hunter2-next"] {
            let verdict = lab::check(&issuer, &client, secret).await?;
            assert_eq!(verdict, Verdict::Accepted);
        }
    }
    issuer.refuse(CLIENT);
    for client in lab::clients(&issuer) {
        let verdict = lab::check(&issuer, &client, RIGHT).await?;
        assert_eq!(verdict, Verdict::Refused);
    }
    Ok(())
}

#[tokio::test]
async fn an_unknown_client_is_refused() -> Result<()> {
    let issuer = lab::issuer().await;
    for client in lab::clients_of(&issuer.url(), "stranger") {
        let verdict = lab::check(&issuer, &client, RIGHT).await?;
        assert_eq!(verdict, Verdict::Refused);
    }
    Ok(())
}

#[tokio::test]
async fn a_slash_after_the_issuer_makes_no_difference() -> Result<()> {
    let issuer = lab::issuer().await;
    for client in lab::clients_of(&format!("{}/", issuer.url()), CLIENT) {
        let verdict = lab::check(&issuer, &client, RIGHT).await?;
        assert_eq!(verdict, Verdict::Accepted);
    }
    Ok(())
}

#[tokio::test]
async fn every_character_of_a_secret_and_an_id_arrives() -> Result<()> {
    let issuer = lab::issuer().await;
    let visible: String = ('!'..='~').collect();
    let mut texts = vec![visible.as_str()];
    texts.extend(["+", "a+b", "a&b=c", "100%", "%2B", "a:b:c", "\"'", "\\"]);
    texts.extend(["a b", " a", "\u{e9}\u{20ac}", "line\n", "\u{0}", "#?/~*"]);
    for text in texts {
        issuer.accept(CLIENT, text);
        issuer.accept(text, RIGHT);
        for client in lab::clients(&issuer) {
            let verdict = lab::check(&issuer, &client, text).await?;
            assert_eq!(verdict, Verdict::Accepted, "{text:?} {:?}", client.proof);
            let other = format!("{text}x");
            let verdict = lab::check(&issuer, &client, &other).await?;
            assert_eq!(verdict, Verdict::Refused, "{text:?} {:?}", client.proof);
        }
        for client in lab::clients_of(&issuer.url(), text) {
            let verdict = lab::check(&issuer, &client, RIGHT).await?;
            assert_eq!(verdict, Verdict::Accepted, "{text:?} {:?}", client.proof);
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_longest_secret_and_one_of_any_bytes_are_sent_too() -> Result<()> {
    let issuer = lab::issuer().await;
    let longest = "%".repeat(4096);
    issuer.accept(CLIENT, &longest);
    let no_text = SecretValue::from(b"\xff\xfe".as_slice());
    for client in lab::clients(&issuer) {
        let verdict = lab::check(&issuer, &client, &longest).await?;
        assert_eq!(verdict, Verdict::Accepted, "{:?}", client.proof);
        let verdict = lab::checks(&issuer).check(&client, &no_text).await?;
        assert_eq!(verdict, Verdict::Refused, "{:?}", client.proof);
    }
    Ok(())
}

#[tokio::test]
async fn a_late_answer_is_waited_for() -> Result<()> {
    let issuer = lab::issuer().await;
    for client in lab::clients(&issuer) {
        let late = Effect::Late(Duration::from_millis(300));
        issuer.fault(Fault::once(late));
        let verdict = lab::check(&issuer, &client, RIGHT).await?;
        assert_eq!(verdict, Verdict::Accepted);
    }
    Ok(())
}

#[tokio::test]
async fn a_refusal_in_other_words_is_one_too() -> Result<()> {
    let issuer = lab::issuer().await;
    let [introspection, credentials] = lab::clients(&issuer);
    let mut answers = vec![(&introspection, 401, "")];
    for status in [400, 401] {
        answers.push((&credentials, status, r#"{"error":"unauthorized_client"}"#));
        answers.push((&credentials, status, r#"{"error":"invalid_client"}"#));
    }
    for (client, status, body) in answers {
        issuer.fault(Fault::once(Effect::Answer(status, body.to_owned())));
        let verdict = lab::check(&issuer, client, RIGHT).await?;
        assert_eq!(verdict, Verdict::Refused, "{status} {body}");
    }
    Ok(())
}
