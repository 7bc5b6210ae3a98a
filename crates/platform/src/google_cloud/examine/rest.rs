//! The one question that `gcloud` has no command for: which permissions an account has.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url};
use secret::SecretValue;
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::login::Login;
use super::resources::Resource;
use crate::CertificateAuthorities;
use crate::error::with_causes;
use crate::google_cloud::Settings;
use crate::google_cloud::failure::one_line;
use crate::google_cloud::gcloud::ATTEMPTS;
use crate::oauth_checks::client_config;

/// A test of permissions is answered in a fraction of a second.
const LONGEST_ANSWER: Duration = Duration::from_secs(20);

/// A client with the token of a login. It goes through the proxy of this process's
/// environment, and trusts the authorities that `gcloud` was told of, else the machine's.
pub(super) struct Rest {
    client: Client,
    settings: Settings,
}

/// Why a question has no answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// One of the permissions isn't known there.
    Unknown,
    /// The thing isn't there, or the account may not know.
    NotFound,
    /// The API isn't switched on in the project.
    Disabled,
    /// Anything else, in words.
    Other(String),
}

#[derive(Default, Deserialize)]
struct Granted {
    #[serde(default)]
    permissions: Vec<String>,
}

#[derive(Deserialize)]
struct ErrorAnswer {
    error: ErrorDetail,
}

#[derive(Deserialize)]
struct ErrorDetail {
    #[serde(default)]
    message: String,
}

impl Rest {
    /// # Errors
    ///
    /// In words, where no client can be made.
    pub(super) fn new(login: &Login, settings: &Settings) -> Result<Rest, String> {
        let mut headers = HeaderMap::new();
        let token = bearer(&login.token).ok_or("the access token is none")?;
        headers.insert(AUTHORIZATION, token);
        let tls = client_config(&authorities(login)).map_err(|error| error.to_string())?;
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .default_headers(headers)
            // The token is for Google alone.
            .redirect(Policy::none())
            .timeout(settings.timeouts.call.min(LONGEST_ANSWER))
            .build();
        Ok(Rest {
            client: client.map_err(|error| with_causes(&error))?,
            settings: settings.clone(),
        })
    }

    /// Which of these permissions the account has; once more where the way there or
    /// the server is at fault.
    pub(super) async fn granted(
        &self,
        login: &Login,
        resource: &Resource,
        permissions: &[&str],
    ) -> Result<Vec<String>, Refusal> {
        let address = address(&login.endpoint(resource.api()), resource)
            .ok_or_else(|| Refusal::Other("its endpoint is no address".to_owned()))?;
        let mut attempt = 1;
        loop {
            let asked = self.ask(address.clone(), permissions).await;
            let is_passing = match &asked {
                Ok((status, _)) => status.is_server_error(),
                Err(_) => true,
            };
            if !is_passing || attempt == ATTEMPTS {
                let (status, body) = asked.map_err(|error| Refusal::Other(with_causes(&error)))?;
                return read(status, &body);
            }
            attempt += 1;
            tokio::time::sleep(self.settings.timeouts.poll).await;
        }
    }

    async fn ask(
        &self,
        address: Url,
        permissions: &[&str],
    ) -> Result<(StatusCode, Vec<u8>), reqwest::Error> {
        let body = json!({ "permissions": permissions });
        let request = self.client.post(address).body(body.to_string());
        let request = request.header(CONTENT_TYPE, "application/json");
        let response = request.send().await?;
        let status = response.status();
        Ok((status, response.bytes().await?.to_vec()))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the header is the one way for a token to Google"
)]
fn bearer(token: &SecretValue) -> Option<HeaderValue> {
    use secrecy::ExposeSecret as _;
    let text = token.expose_secret();
    let mut header = Zeroizing::new(Vec::with_capacity(7 + text.len()));
    header.extend_from_slice(b"Bearer ");
    header.extend_from_slice(text);
    let mut header = HeaderValue::from_bytes(&header).ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// A proxy that opens connections has an authority of its own. Where `gcloud` is told of
/// authorities, it trusts no others.
fn authorities(login: &Login) -> CertificateAuthorities {
    match login.authorities() {
        Some(path) => CertificateAuthorities::File(path.into()),
        None => CertificateAuthorities::Machine,
    }
}

fn address(endpoint: &str, resource: &Resource) -> Option<Url> {
    let mut address = Url::parse(endpoint).ok()?;
    let mut path = address.path_segments_mut().ok()?;
    path.pop_if_empty().extend(resource.test_path());
    drop(path);
    Some(address)
}

fn read(status: StatusCode, body: &[u8]) -> Result<Vec<String>, Refusal> {
    if status.is_success() {
        let unreadable = || Refusal::Other("Google answered something unexpected".to_owned());
        let granted: Granted = serde_json::from_slice(body).map_err(|_| unreadable())?;
        return Ok(granted.permissions);
    }
    // What isn't Google's own answer may be anything: the status is enough then.
    let message = serde_json::from_slice::<ErrorAnswer>(body)
        .map(|answer| answer.error.message)
        .unwrap_or_default();
    Err(match status {
        StatusCode::BAD_REQUEST => Refusal::Unknown,
        StatusCode::NOT_FOUND => Refusal::NotFound,
        StatusCode::FORBIDDEN if message.contains("has not been used in project") => {
            Refusal::Disabled
        }
        _ if message.is_empty() => Refusal::Other(format!("HTTP status {}", status.as_u16())),
        _ => Refusal::Other(one_line(&message, 300)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_asked_at_its_own_method() {
        let email = "robot@p1.iam.gserviceaccount.com".to_owned();
        let project = "p1".to_owned();
        let account = Resource::Account { project, email };
        let address = |endpoint| address(endpoint, &account).map(String::from);
        assert_eq!(
            address("https://iam.googleapis.com/").as_deref(),
            Some(
                "https://iam.googleapis.com/v1/projects/-/serviceAccounts/robot@p1.iam.gserviceaccount.com:testIamPermissions"
            )
        );
        assert_eq!(address("not an address"), None);
    }

    #[test]
    fn an_answer_is_read_for_what_follows_from_it() {
        let of =
            |status: u16, body: &str| read(StatusCode::from_u16(status).unwrap(), body.as_bytes());
        assert_eq!(of(200, "{}"), Ok(Vec::new()));
        assert_eq!(
            of(200, r#"{"permissions": ["a.b.c"]}"#),
            Ok(vec!["a.b.c".to_owned()])
        );
        assert_eq!(of(400, "{}"), Err(Refusal::Unknown));
        assert_eq!(of(404, "<html>"), Err(Refusal::NotFound));
        let disabled = r#"{"error": {"message": "IAM API has not been used in project 1 before"}}"#;
        assert_eq!(of(403, disabled), Err(Refusal::Disabled));
        let words = Refusal::Other("HTTP status 502".to_owned());
        assert_eq!(of(502, "<html>hunter2</html>"), Err(words));
    }

    #[test]
    fn a_token_does_not_show_in_its_header() {
        let header = bearer(&SecretValue::from(b"hunter2".as_slice())).unwrap();
        assert!(!format!("{header:?}").contains("hunter2"));
        assert!(bearer(&SecretValue::from(b"two\nlines".as_slice())).is_none());
    }
}
