#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod announcements;
mod secrets;

mod context;
mod database;
mod emergency;
mod error;
pub mod evidence;
mod examination;
mod expected;
mod facts;
mod foresight;
mod material;
mod place;

pub mod client_secret;
pub mod database_login;
pub mod database_url;
pub mod dcr_encryption_key;
pub mod gma_client_secret;
pub mod red_hat_sso_client_secret;
mod runbook_document;
pub mod session_database_url;
mod state;
mod steps;
mod trial;
mod way_back;

pub use context::{Consumer, Context, Store};
pub use database::{Cells, Database, RowObserver, Tokens};
pub use emergency::{Containment, Means, is_emergency};
pub use error::Error;
pub use evidence::Evidence;
pub use examination::{Examined, examine};
pub use expected::{LeftBehind, left_behind};
pub use foresight::foresee;
pub use material::Material;
pub use place::refuse_other_place;
pub use runbook_document::runbook_document;
pub use secrets::{
    DATABASE_URL, DCR_ENCRYPTION_KEY, GMA_CLIENT_SECRET, RED_HAT_SSO_CLIENT_SECRET, Role, SECRETS,
    SESSION_DATABASE_URL, Secret,
};
pub use state::{
    did_nothing, needs_restart_by_hand, result, state, waits_for_restart, waits_for_value,
};
pub use trial::{Trial, trial};
pub use way_back::refuse_rollback;

/// A rotation's steps over this crate's context.
pub type Plan = runbook::Plan<Context, Error>;
