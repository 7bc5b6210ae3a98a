//! What every platform keeps to: tests for its traits, whatever fills them.
//!
//! Each function is a test of its own. It wants a fresh secret, or a fresh service,
//! and says in its name what it sees to; a platform's tests list them all.

#![allow(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "a test's name says what it sees to"
)]

pub mod backups;
pub mod services;
pub mod store;
