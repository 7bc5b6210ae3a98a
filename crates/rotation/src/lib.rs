#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod secrets;

// The rotations, and before them what two of them share.
pub mod client_secret;
pub mod gma_client_secret;
pub mod red_hat_sso_client_secret;

pub mod database_login;
pub mod database_url;
pub mod session_database_url;

pub mod dcr_encryption_key;

// What their steps have in common.
mod context;
mod error;
mod facts;
mod material;
mod steps;

// What is asked around a run: before it begins, goes on, or is undone.
mod abandon;
mod emergency;
mod rollback;
mod same_place;
mod trial;
mod version_state;

// What is told of runs, by their journals.
pub mod evidence;
mod left_behind;
mod state;

mod runbook_document;

pub use abandon::{Restarted, duties, refuse_abandoning, tidy_services, unread_versions};
pub use context::{Consumer, Context, Store};
pub use dcr_encryption_key::{
    Cells, Database, Examined, RowObserver, StoredKey, StoredKeys, Tokens, examine, stored_keys,
};
pub use emergency::{Containment, Means, is_emergency};
pub use error::Error;
pub use evidence::Evidence;
pub use left_behind::{LeftBehind, left_behind};
pub use material::Material;
pub use rollback::refuse_rollback;
pub use runbook_document::runbook_document;
pub use same_place::refuse_other_place;
pub use secrets::{
    DATABASE_URL, DCR_ENCRYPTION_KEY, GMA_CLIENT_SECRET, RED_HAT_SSO_CLIENT_SECRET, Role, SECRETS,
    SESSION_DATABASE_URL, Secret,
};
pub use state::{
    did_nothing, needs_restart_by_hand, result, state, waits_for_restart, waits_for_value,
};
pub use trial::{Trial, trial};
pub use version_state::{
    disable_version, enable_version, goes_by, refuse_needed_version, version_state,
};

/// A rotation's steps over this crate's context.
pub type Plan = runbook::Plan<Context, Error>;
