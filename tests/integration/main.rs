//! The integration tests.
mod behaviour;
mod command_line;
mod faults;
mod harness;
mod harness_proxy;
mod subject;
