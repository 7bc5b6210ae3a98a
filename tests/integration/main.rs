//! The integration tests.
mod harness;
mod harness_proxy;
