//! Answers as Keycloak gives them.
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Request, TestIssuer, World};

/// The path of the issuer.
pub(super) const REALM: &str = "/auth/realms/test";

const TOKEN: &str = "/auth/realms/test/protocol/openid-connect/token";
const INTROSPECT: &str = "/auth/realms/test/protocol/openid-connect/token/introspect";
const FORM: &str = "application/x-www-form-urlencoded";

/// A status and a body.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) location: Option<String>,
    pub(super) body: String,
}

impl Answer {
    fn json(status: u16, body: &Value) -> Answer {
        Answer {
            content_type: "application/json",
            ..Answer::page(status, &body.to_string())
        }
    }

    fn error(status: u16, code: &str, description: &str) -> Answer {
        let body = json!({"error": code, "error_description": description});
        Answer::json(status, &body)
    }

    pub(super) fn page(status: u16, body: &str) -> Answer {
        Answer {
            status,
            content_type: "text/html; charset=utf-8",
            location: None,
            body: body.to_owned(),
        }
    }

    pub(super) fn redirect(to: &str) -> Answer {
        let location = Some(to.to_owned());
        Answer {
            location,
            ..Answer::page(307, "")
        }
    }

    /// What a careless server might do: quote what it was sent.
    pub(super) fn echo(status: u16, request: &Request) -> Answer {
        let authorization = request.headers.get("authorization");
        let sent = format!("{} {authorization:?}", request.body);
        Answer::error(status, &sent, &sent)
    }
}

/// The answer to a request; with `refuse`, every secret is a wrong one.
pub(super) fn answer(world: &World, request: &Request, refuse: bool) -> Answer {
    match request.target.as_str() {
        TOKEN | INTROSPECT if request.method != "POST" => {
            Answer::error(405, "unsupported_method", "HTTP 405 Method Not Allowed")
        }
        TOKEN | INTROSPECT if !is_form(request) => {
            Answer::error(415, "unsupported_type", "HTTP 415 Unsupported Media Type")
        }
        TOKEN => token(world, request, refuse),
        INTROSPECT => introspect(world, request, refuse),
        _ => Answer::error(404, "not_found", "Unable to find matching target resource"),
    }
}

fn is_form(request: &Request) -> bool {
    request.headers.get("content-type").map(String::as_str) == Some(FORM)
}

fn introspect(world: &World, request: &Request, refuse: bool) -> Answer {
    let pair = request.headers.get("authorization");
    let is_known = pair
        .and_then(|header| basic(header))
        .is_some_and(|(id, secret)| works(world, &id, &secret));
    if refuse || !is_known {
        return Answer::error(401, "invalid_request", "Authentication failed.");
    }
    match field(&request.body, "token") {
        Some(_) => Answer::json(200, &json!({"active": false})),
        None => Answer::error(400, "invalid_request", "Token not provided."),
    }
}

fn token(world: &World, request: &Request, refuse: bool) -> Answer {
    let sent = |name| field(&request.body, name).unwrap_or_default();
    if sent("grant_type") != "client_credentials" {
        return Answer::error(400, "unsupported_grant_type", "Unsupported grant_type");
    }
    if refuse || !works(world, &sent("client_id"), &sent("client_secret")) {
        let description = "Invalid client or Invalid client credentials";
        return Answer::error(401, "invalid_client", description);
    }
    if sent("scope") != TestIssuer::SCOPE {
        return Answer::error(400, "invalid_scope", "Invalid scopes");
    }
    let body = json!({
        "access_token": TestIssuer::ACCESS_TOKEN,
        "expires_in": 300,
        "refresh_expires_in": 0,
        "token_type": "Bearer",
        "not-before-policy": 0,
        "scope": TestIssuer::SCOPE,
    });
    Answer::json(200, &body)
}

fn works(world: &World, id: &str, secret: &str) -> bool {
    let secrets = world.secrets.get(id);
    secrets.is_some_and(|secrets| secrets.iter().any(|known| known == secret))
}

/// Id and secret, each of them encoded as in a form: RFC 6749, section 2.3.1.
fn basic(header: &str) -> Option<(String, String)> {
    let pair = STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
    let (id, secret) = std::str::from_utf8(&pair).ok()?.split_once(':')?;
    Some((decoded(id), decoded(secret)))
}

fn decoded(text: &str) -> String {
    field(&format!("x={text}"), "x").unwrap_or_default()
}

fn field(form: &str, name: &str) -> Option<String> {
    form_urlencoded::parse(form.as_bytes())
        .find(|(found, _)| found == name)
        .map(|(_, value)| value.into_owned())
}
