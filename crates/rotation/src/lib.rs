#![doc = include_str!("../README.md")]

mod secrets;

mod context;
mod database;
mod error;
mod facts;
mod place;

pub mod dcr_encryption_key;
mod runbook_document;
mod state;
mod steps;

pub use context::{Consumer, Context, Store};
pub use database::{Database, RowObserver, Tokens};
pub use error::Error;
pub use place::refuse_other_place;
pub use runbook_document::runbook_document;
pub use secrets::{DATABASE_URL, Role, SECRETS, Secret};
pub use state::{did_nothing, state};

/// A rotation's steps over this crate's context.
pub type Plan = runbook::Plan<Context, Error>;
