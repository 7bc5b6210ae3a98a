//! What `gcloud` says when it fails, read from the one line that says it.

use std::path::Path;
use std::time::Duration;

use super::error::CloudError;
use crate::Error;

/// A call of `gcloud` that failed.
#[derive(Debug)]
pub(super) struct Failure {
    /// Of which kind.
    pub(super) kind: Kind,
    /// What `gcloud` said: one line of plain characters.
    pub(super) message: String,
    /// What was tried.
    pub(super) action: String,
}

/// What follows from a failure.
#[derive(Debug)]
pub(super) enum Kind {
    /// The thing isn't there.
    NotFound,
    /// The state that the thing is in forbids it.
    Precondition,
    /// A permission is missing: its name, where it is told.
    Denied(Option<String>),
    /// Somebody changed it in the same moment.
    Conflict,
    /// A server or the way to it is broken: whether a change happened is unknown.
    Unavailable,
    /// It was killed: whether a change happened is unknown.
    TimedOut(Duration),
    /// Nobody is logged in.
    LoggedOut,
    /// The program didn't start.
    NotStarted(std::io::Error),
    /// It answered something that isn't its answer. A change has happened.
    Unreadable,
    /// Anything else: it was refused, and nothing has changed.
    Refused,
}

impl Failure {
    /// Whether a change may have happened all the same.
    pub(super) fn is_unsettled(&self) -> bool {
        matches!(
            self.kind,
            Kind::Unavailable | Kind::TimedOut(_) | Kind::Unreadable
        )
    }

    /// Whether a question is worth asking again.
    pub(super) fn is_passing(&self) -> bool {
        matches!(self.kind, Kind::Unavailable | Kind::TimedOut(_))
    }

    pub(super) fn is_not_found(&self) -> bool {
        matches!(self.kind, Kind::NotFound)
    }

    /// Reads what a failed call printed on standard error.
    pub(super) fn read(action: &str, stderr: &[u8]) -> Failure {
        let message = message(&String::from_utf8_lossy(stderr));
        Failure {
            kind: kind(&message),
            message: match is_without_token(&message) {
                // What follows is the answer, of whoever gave it.
                true => up_to(&message, AUTH_TOKENS),
                false => message,
            },
            action: action.to_owned(),
        }
    }

    /// As an error for people.
    pub(super) fn into_error(self, program: &Path) -> Error {
        let Failure {
            kind,
            message,
            action,
        } = self;
        let error = match kind {
            Kind::NotStarted(source) => CloudError::NoGcloud {
                program: program.to_owned(),
                source,
            },
            Kind::LoggedOut => CloudError::LoggedOut { action },
            Kind::Denied(permission) => CloudError::Denied { action, permission },
            Kind::Conflict => CloudError::Conflict { action },
            Kind::Unavailable => CloudError::Unavailable { action, message },
            Kind::TimedOut(limit) => CloudError::Timeout { action, limit },
            Kind::Unreadable => CloudError::Unexpected {
                action,
                what: message,
            },
            Kind::NotFound | Kind::Precondition | Kind::Refused => {
                CloudError::Refused { action, message }
            }
        };
        error.into()
    }
}

/// A text of others in one line of plain characters, so that it can harm no terminal.
pub(super) fn one_line(text: &str, longest: usize) -> String {
    let plain = |character: char| match character.is_control() {
        true => ' ',
        false => character,
    };
    text.chars().map(plain).take(longest).collect()
}

/// What `gcloud` says of an answer that it can't read, half of one say.
const UNREAD: &str = "Error decoding response";

/// The line with the error, without its prefix and without what could harm a
/// terminal.
fn message(stderr: &str) -> String {
    // Plain before anything is read in it.
    let plain: Vec<String> = stderr
        .lines()
        .map(|line| one_line(line, usize::MAX))
        .collect();
    let mut lines = plain
        .iter()
        .map(|line| line.trim())
        .filter(|line| !line.is_empty());
    let found = lines.clone().find_map(|line| line.strip_prefix("ERROR: "));
    let line = found.or_else(|| lines.next_back()).unwrap_or("no message");
    let line = match line.split_once(") ") {
        Some((command, rest)) if command.starts_with("(gcloud.") => rest,
        _ => line,
    };
    let line = answered(line).unwrap_or_else(|| line.to_owned());
    // What follows is the answer itself, with the value that was asked for.
    up_to(&line, UNREAD).chars().take(500).collect()
}

const AUTH_TOKENS: &str = "auth tokens";

/// Whether no token could be had: `gcloud` had "a problem refreshing your current auth tokens".
fn is_without_token(message: &str) -> bool {
    message.contains("refreshing") && message.contains(AUTH_TOKENS)
}

/// A text to the end of some words, or all of it.
fn up_to(text: &str, words: &str) -> String {
    match text.split_once(words) {
        Some((before, _)) => format!("{before}{words}"),
        None => text.to_owned(),
    }
}

/// What is not Google's own error is quoted by `gcloud` with its headers and all that
/// it holds, which may be anything: the status is enough.
fn answered(line: &str) -> Option<String> {
    let (before, rest) = line.split_once("HttpError accessing <")?;
    let (address, rest) = rest.split_once(">: response: <")?;
    let status = rest.split_once("'status': ").map_or("", |(_, rest)| rest);
    let digits: String = status.chars().take_while(char::is_ascii_digit).collect();
    Some(format!("{before}HTTP status {digits} from `{address}`"))
}

fn kind(message: &str) -> Kind {
    let has = |piece: &str| message.contains(piece);
    let is_without_token = is_without_token(message);
    if is_without_token && is_way_lost(message) {
        // A login is not known to have ended where nobody could be asked.
        Kind::Unavailable
    } else if has("active account selected") || is_without_token || has("Reauthentication") {
        Kind::LoggedOut
    } else if has("PERMISSION_DENIED")
        || has("HTTPError 403")
        || has("Permission '") && has("denied")
    {
        Kind::Denied(permission(message))
    } else if has("FAILED_PRECONDITION") {
        Kind::Precondition
    } else if has("ABORTED") || has("HTTPError 409") {
        Kind::Conflict
    } else if has("NOT_FOUND")
        || has("HTTPError 404")
        || has("Cannot find service [")
        || has("Cannot find revision [")
    {
        Kind::NotFound
    } else if is_server_fault(message) {
        Kind::Unavailable
    } else {
        Kind::Refused
    }
}

/// Whether it was the network or a server that kept a token from being had.
fn is_way_lost(message: &str) -> bool {
    const SIGNS: [&str; 7] = [
        "Connection aborted",
        "ConnectionPool(",
        "ConnectionError",
        "timed out",
        "internal_failure",
        "UNAVAILABLE",
        "<html",
    ];
    SIGNS.iter().any(|sign| message.contains(sign))
}

fn is_server_fault(message: &str) -> bool {
    const SIGNS: [&str; 7] = [
        "gcloud crashed",
        // Of the name in an answer that was cut off in its headers: it passes for an
        // empty one.
        "is required but was not provided",
        "UNAVAILABLE",
        "INTERNAL: ",
        "DEADLINE_EXCEEDED",
        "HTTPError 5",
        "HTTP status 5",
    ];
    SIGNS.iter().any(|sign| message.contains(sign))
}

/// `secretmanager.versions.add` of "Permission 'secretmanager.versions.add' denied …".
fn permission(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("ermission ")?;
    let name = rest.split_whitespace().next()?;
    let name = name.trim_matches(|character: char| !character.is_ascii_alphanumeric());
    name.contains('.').then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(stderr: &str) -> Failure {
        Failure::read("try", stderr.as_bytes())
    }

    #[test]
    fn the_message_is_one_plain_line() {
        let failure = read(
            "WARNING: something\nERROR: (gcloud.secrets.versions.access) FAILED_PRECONDITION: \
             Secret Version [projects/1/secrets/x/versions/3] is in \u{1b}[1mDISABLED state.\n- more\n",
        );
        assert!(matches!(failure.kind, Kind::Precondition));
        assert_eq!(
            failure.message,
            "FAILED_PRECONDITION: Secret Version [projects/1/secrets/x/versions/3] is in  [1mDISABLED state."
        );
        assert_eq!(read("").message, "no message");
    }

    #[test]
    fn an_answer_that_is_not_googles_is_not_quoted() {
        let failure = read(
            "ERROR: (gcloud.x) HttpError accessing <http://s.test/v1/x>: response: <{'server': 'x', \
             'content-length': '24', 'status': 502}>, content <<html>hunter2</html>>\nThis may be",
        );
        assert_eq!(failure.message, "HTTP status 502 from `http://s.test/v1/x`");
        const CRASHED: &str = "gcloud crashed (HttpError): ";
        for (before, shown) in [(CRASHED, CRASHED), ("(gcloud.x)\u{17}", "")] {
            let failure = read(&format!(
                "ERROR: {before}HttpError accessing <http://s.test/v1/x>: response: <{{'status': 502}}>, \
                 content <hunter2 (in brackets) hunter2>"
            ));
            let expected = format!("{shown}HTTP status 502 from `http://s.test/v1/x`");
            assert_eq!(failure.message, expected);
            assert!(failure.is_passing(), "{:?}", failure.kind);
        }
    }

    #[test]
    fn an_answer_that_cannot_be_read_is_not_quoted() {
        let failure = read(
            "ERROR: gcloud crashed (InvalidDataFromServerError): Error decoding response \"b'{\\n \
             \"payload\": {\"data\": \"aHVudGVyMg\" as type AccessSecretVersionResponse: x",
        );
        assert_eq!(
            failure.message,
            "gcloud crashed (InvalidDataFromServerError): Error decoding response"
        );
        assert!(failure.is_unsettled());
    }

    #[test]
    fn a_missing_permission_is_named() {
        for text in [
            "ERROR: (gcloud.x) PERMISSION_DENIED: Permission secretmanager.versions.add denied on resource (or it may not exist).",
            "ERROR: (gcloud.x) PERMISSION_DENIED: Permission 'secretmanager.versions.add' denied for resource.",
        ] {
            let failure = read(text);
            assert!(
                matches!(&failure.kind, Kind::Denied(Some(name)) if name == "secretmanager.versions.add"),
                "{failure:?}"
            );
        }
        let unnamed = read(
            "ERROR: (gcloud.x) HTTPError 403: The client is not authorized to make this request.",
        );
        assert!(matches!(unnamed.kind, Kind::Denied(None)));
    }

    #[test]
    fn a_login_has_ended_only_where_that_was_said() {
        let refreshing = |why: &str| {
            read(&format!(
                "ERROR: (gcloud.x) There was a problem refreshing your current auth tokens: {why}"
            ))
        };
        for why in [
            "('invalid_grant: Token has been expired or revoked.', {'error': 'invalid_grant'})",
            "Reauthentication is needed. Please run `gcloud auth application-default login`",
        ] {
            assert!(matches!(refreshing(why).kind, Kind::LoggedOut), "{why}");
        }
        for why in [
            "('Connection aborted.', RemoteDisconnected('Remote end closed connection'))",
            "HTTPSConnectionPool(host='oauth2.test', port=443): Max retries exceeded",
            "(\"{'code': 503, 'status': 'UNAVAILABLE'}: None\", {'error': {'code': 503}})",
            "('internal_failure: Backend Error', {'error': 'internal_failure'})",
            "<html>busy</html>",
        ] {
            let failure = refreshing(why);
            assert!(failure.is_passing(), "{why}");
            let told = "There was a problem refreshing your current auth tokens";
            assert_eq!(failure.message, told);
        }
    }

    #[test]
    fn only_what_may_have_happened_is_unsettled() {
        for text in [
            "ERROR: gcloud crashed (MaxRetryError): HTTPConnectionPool",
            "ERROR: (gcloud.x) value for field [projectsId] in collection [x.y] is required but was not provided",
            "ERROR: (gcloud.x) UNAVAILABLE: try later",
            "ERROR: (gcloud.x) HTTPError 503: try later",
            "ERROR: (gcloud.x) HttpError accessing <http://s.test/v1/x>: response: <{'status': 502}>, content <>",
        ] {
            assert!(read(text).is_unsettled(), "{text}");
        }
        for text in [
            "ERROR: (gcloud.x) ABORTED: Conflict for resource",
            "ERROR: (gcloud.x) NOT_FOUND: nothing",
            "ERROR: (gcloud.x) unrecognized arguments: --x",
        ] {
            assert!(!read(text).is_unsettled(), "{text}");
        }
    }
}
