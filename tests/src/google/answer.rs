//! Answers as Google's servers give them.
use serde_json::{Value, json};

/// A status and a body.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Answer {
    pub(super) fn ok(body: Value) -> Answer {
        Answer { status: 200, body }
    }

    fn error(code: u16, status: &str, message: &str) -> Answer {
        Answer {
            status: code,
            body: json!({"error": {"code": code, "message": message, "status": status}}),
        }
    }

    pub(super) fn invalid(message: &str) -> Answer {
        Answer::error(400, "INVALID_ARGUMENT", message)
    }

    pub(super) fn precondition(message: &str) -> Answer {
        Answer::error(400, "FAILED_PRECONDITION", message)
    }

    pub(super) fn not_found(message: &str) -> Answer {
        Answer::error(404, "NOT_FOUND", message)
    }

    pub(super) fn conflict(message: &str) -> Answer {
        Answer::error(409, "ABORTED", message)
    }

    pub(super) fn unauthenticated() -> Answer {
        let message = "Request had invalid authentication credentials.";
        Answer::error(401, "UNAUTHENTICATED", message)
    }

    pub(super) fn logged_out() -> Answer {
        Answer {
            status: 400,
            body: json!({
                "error": "invalid_grant",
                "error_description": "Token has been expired or revoked.",
            }),
        }
    }

    pub(super) fn denied(permission: &str) -> Answer {
        let message =
            format!("Permission '{permission}' denied on resource (or it may not exist).");
        Answer::error(403, "PERMISSION_DENIED", &message)
    }

    pub(super) fn unavailable() -> Answer {
        Answer::error(503, "UNAVAILABLE", "The service is currently unavailable.")
    }
}
