//! The program as a release engineer runs it: arguments, environment, output, exit codes.
mod arguments;
mod bad_keys;
mod completions;
mod demo;
mod drop_in;
mod exit_codes;
mod hygiene;
mod json;
mod keys;
mod locked;
mod logins;
mod permissions;
mod regressions;
mod repository;
mod snapshot;
mod terminal;
mod tls;
mod urls;
mod words;
mod xtask;

pub(crate) use demo::hidden as hidden_in_demo;
pub(crate) use snapshot::assert_file_snapshot;
use xtask::{Ended, Xtask};
