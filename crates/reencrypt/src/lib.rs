#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod check;
mod clients;
mod columns;
mod database;
mod error;
mod event;
mod keyring;
mod reencryption;
mod report;
mod survey;

mod page;
mod pass;
mod table;
mod token;

mod postgres;
mod sqlite;

mod driver_message;
mod remarks;
mod sql;

pub mod sample;

#[cfg(any(test, fuzzing))]
pub mod properties;

pub use connection::{DatabaseMessage, Error as ConnectionError, Tls};

pub use check::{Plan, check};
pub use clients::{Client, clients};
pub use columns::{Column, ColumnName, ColumnNameError, PerColumn};
pub use database::Database;
pub use error::Error;
pub use event::{Event, Observer, Phase, UnreadableCell};
pub use keyring::{Keyring, KeyringError};
pub use reencryption::{Mode, reencrypt};
pub use remarks::remark_on_unsearched;
pub use report::{Counts, Failed, Outcome, Report, TableState};
pub use survey::{Survey, SurveyCounts, survey};
pub use table::Timeouts;
pub use token::Unreadable;
