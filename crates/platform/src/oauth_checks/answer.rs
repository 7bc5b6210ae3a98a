//! What an issuer's answer says of a secret.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Visitor};

use super::{Proof, Verdict};

/// An answer that is no verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoVerdict {
    /// A status that says something else.
    Status {
        status: u16,
        code: Option<&'static str>,
    },
    /// The status of success, with a body that doesn't fit.
    Unexpected,
}

/// The answer about a token: whether it is active doesn't matter here.
#[derive(Deserialize)]
struct Introspection {
    #[serde(rename = "active")]
    _active: bool,
}

/// The answer with a token.
#[derive(Deserialize)]
struct Token {
    #[serde(rename = "access_token")]
    _access_token: SomeText,
}

#[derive(Deserialize)]
struct Failure<'a> {
    error: &'a str,
}

/// The codes of RFC 6749, sections 4.1.2.1 and 5.2, and of RFC 6750.
const CODES: &[&str] = &[
    "access_denied",
    "insufficient_scope",
    "invalid_client",
    "invalid_grant",
    "invalid_request",
    "invalid_scope",
    "invalid_token",
    "server_error",
    "temporarily_unavailable",
    "unauthorized_client",
    "unsupported_grant_type",
];

/// What the issuer says of the secret.
///
/// What the parser says of an answer that doesn't fit is dropped: it may quote it.
pub(super) fn judge(proof: &Proof, status: u16, body: &[u8]) -> Result<Verdict, NoVerdict> {
    let code = code(body);
    match (proof, status, code) {
        (Proof::Introspection, 200, _) => accepted::<Introspection>(body),
        (Proof::ClientCredentials { .. }, 200, _) => accepted::<Token>(body),
        (Proof::Introspection, 401, _) if !is_page(body) => Ok(Verdict::Refused),
        (
            Proof::ClientCredentials { .. },
            400 | 401,
            Some("invalid_client" | "unauthorized_client"),
        ) => Ok(Verdict::Refused),
        _ => Err(NoVerdict::Status { status, code }),
    }
}

fn accepted<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<Verdict, NoVerdict> {
    // serde would take a list for an object, too.
    let is_object = body.trim_ascii_start().starts_with(b"{");
    if is_object && serde_json::from_slice::<T>(body).is_ok() {
        return Ok(Verdict::Accepted);
    }
    Err(NoVerdict::Unexpected)
}

/// The error code, if it is one that OAuth has: anything else may be an echo of the
/// secret.
fn code(body: &[u8]) -> Option<&'static str> {
    let failure: Failure<'_> = serde_json::from_slice(body).ok()?;
    CODES.iter().copied().find(|code| *code == failure.error)
}

/// Whether it is a page for people, as proxies and portals give.
fn is_page(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"<")
}

/// A text of at least one character, which isn't kept: it is an access token.
struct SomeText;

impl<'de> Deserialize<'de> for SomeText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SomeText, D::Error> {
        deserializer.deserialize_str(SomeTextVisitor)
    }
}

struct SomeTextVisitor;

impl Visitor<'_> for SomeTextVisitor {
    type Value = SomeText;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text that is not empty")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<SomeText, E> {
        if text.is_empty() {
            return Err(E::custom("an empty text"));
        }
        Ok(SomeText)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn introspection(status: u16, body: &str) -> Result<Verdict, NoVerdict> {
        judge(&Proof::Introspection, status, body.as_bytes())
    }

    fn credentials(status: u16, body: &str) -> Result<Verdict, NoVerdict> {
        let scope = "s".to_owned();
        let proof = Proof::ClientCredentials { scope };
        judge(&proof, status, body.as_bytes())
    }

    fn no_verdict(status: u16, code: Option<&'static str>) -> Result<Verdict, NoVerdict> {
        Err(NoVerdict::Status { status, code })
    }

    #[test]
    fn introspection_accepts_whatever_the_token_is() {
        for body in [
            r#"{"active": false}"#,
            r#"{"active":true,"sub":"x"}"#,
            " {\"active\":false}\n",
        ] {
            assert_eq!(introspection(200, body), Ok(Verdict::Accepted), "{body}");
        }
    }

    #[test]
    fn introspection_refuses_with_401_unless_it_is_a_page() {
        for body in [
            "",
            r#"{"error":"invalid_request","error_description":"Authentication failed."}"#,
            r#"{"error":"invalid_client"}"#,
        ] {
            assert_eq!(introspection(401, body), Ok(Verdict::Refused), "{body}");
        }
        assert_eq!(introspection(401, "\n<html>"), no_verdict(401, None));
    }

    #[test]
    fn credentials_are_accepted_with_a_token() {
        for body in [
            r#"{"access_token":"eyJ","expires_in":300}"#,
            r#"{"access_token":"a\/b"}"#,
        ] {
            assert_eq!(credentials(200, body), Ok(Verdict::Accepted), "{body}");
        }
    }

    #[test]
    fn credentials_are_refused_with_a_code() {
        for code in ["invalid_client", "unauthorized_client"] {
            let body = format!(r#"{{"error":"{code}","error_description":"hunter2"}}"#);
            for status in [400, 401] {
                assert_eq!(credentials(status, &body), Ok(Verdict::Refused));
            }
            assert_eq!(
                credentials(403, &body).map_err(|_| ()),
                Err(()),
                "another status is no verdict"
            );
        }
        for body in ["", "<html>", r#"{"error":"hunter2"}"#, r#"{"error":5}"#] {
            assert_eq!(credentials(401, body), no_verdict(401, None), "{body}");
        }
        for code in ["invalid_scope", "invalid_request", "invalid_grant"] {
            let body = format!(r#"{{"error":"{code}"}}"#);
            assert_eq!(credentials(400, &body), no_verdict(400, Some(code)));
        }
    }

    #[test]
    fn success_with_nonsense_is_no_verdict() {
        for body in [
            "",
            "<html>",
            "{}",
            "[false]",
            r#"["eyJ"]"#,
            "null",
            r#"{"active":"false"}"#,
            r#"{"active":null}"#,
            r#"{"access_token":""}"#,
            r#"{"access_token":5}"#,
            r#"{"access_token":null}"#,
            r#"{"error":"invalid_client"}"#,
            r#"{"active":false"#,
        ] {
            assert_eq!(introspection(200, body), Err(NoVerdict::Unexpected));
            assert_eq!(credentials(200, body), Err(NoVerdict::Unexpected));
        }
        let token = r#"{"access_token":"eyJ"}"#;
        assert_eq!(introspection(200, token), Err(NoVerdict::Unexpected));
        let active = r#"{"active":true}"#;
        assert_eq!(credentials(200, active), Err(NoVerdict::Unexpected));
    }

    #[test]
    fn any_other_status_is_no_verdict() {
        let accepting = r#"{"active":true,"access_token":"eyJ"}"#;
        for status in [
            100, 201, 204, 301, 302, 307, 308, 402, 403, 404, 407, 429, 500, 503,
        ] {
            assert_eq!(introspection(status, accepting), no_verdict(status, None));
            assert_eq!(credentials(status, accepting), no_verdict(status, None));
        }
        assert_eq!(introspection(400, ""), no_verdict(400, None));
    }
}
