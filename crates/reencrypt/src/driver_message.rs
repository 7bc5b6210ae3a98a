//! What diesel says about a failure.

use connection::DatabaseMessage;
use diesel::result::Error;

/// A server's message without its details, or diesel's own.
pub(crate) fn driver_message(error: &Error) -> DatabaseMessage {
    match error {
        Error::DatabaseError(_, information) => DatabaseMessage::new(information.message()),
        other => DatabaseMessage::new(&other.to_string()),
    }
}
