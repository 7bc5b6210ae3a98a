#![doc = include_str!("../README.md")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a broken harness has to fail the test that uses it"
)]

mod certificates;
mod command;
pub mod contract;
mod database_url;
pub mod google;
pub mod issuer;
#[cfg(target_os = "linux")]
pub mod memory;
mod network;
mod postgres_server;
mod program;
mod proxy;
mod runtime;
mod test_database;
mod test_role;
mod tls_server;

pub use certificates::client_settings;
pub use network::{Reached, Trouble};
pub use postgres_server::PostgresServer;
pub use program::{Output, Program, Running};
pub use proxy::{Loss, Proxy, Side};
pub use rustix::process::Signal;
pub use test_database::TestDatabase;
pub use test_role::TestRole;
pub use tls_server::TlsServer;
