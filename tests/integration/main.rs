//! The integration tests.
mod behaviour;
mod command_line;
mod faults;
mod google;
mod harness;
mod harness_proxy;
mod oauth;
mod platform;
mod procedure;
mod roles;
mod rotation;
mod secrets;
mod subject;
