//! The tests of a client's secret at its issuer: verdicts, and what is none.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a broken lab has to fail the test that uses it"
)]
mod attempts;
mod certificates;
mod lab;
mod network;
mod no_verdict;
mod secrecy;
mod stand_in;
mod verdicts;
