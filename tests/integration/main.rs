//! The integration tests.
#![allow(
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "what isn't where a test looks for it has to fail that test"
)]
mod behaviour;
mod command_line;
mod documents;
mod faults;
mod google;
mod harness;
mod harness_proxy;
mod oauth;
mod part;
mod platform;
mod procedure;
mod remains;
mod roles;
mod rotation;
mod secrets;
mod soak;
mod subject;
