//! Steps that every rotation is made of.

mod announce;
mod announcements;
mod backup;
mod caller_list;
mod candidate;
mod close;
mod cut_over;
mod destroy;
mod draft;
mod pin;
mod prepare;
mod restart;
mod retire;
mod services;
mod soak;
mod stage;
mod store_current;

pub(crate) use announce::{Announce, NAME as ANNOUNCE};
pub(crate) use backup::{BACK_UP_BY_HAND, BackUp, BackUpByHand};
pub(crate) use candidate::{
    find_candidate, pinned_version, refuse_foreign_version, refuse_foreign_versions,
};
pub(crate) use close::{Close, NAME as CLOSE, OPEN, Open, refuse_closed};
pub(crate) use cut_over::{CutOver, NAME as CUT_OVER};
pub(crate) use destroy::{Destroy, NAME as DESTROY};
pub(crate) use draft::{NAME as DRAFT, draft};
pub(crate) use pin::{LATEST, NAME as PIN, Pin};
pub(crate) use prepare::Prepare;
pub(crate) use restart::{RESTART_BY_HAND, RestartByHand};
pub(crate) use retire::{NAME as RETIRE, Retire, copies};
pub(crate) use services::{
    discard_others, expect_new_version, refuse_unchangeable, settleable_consumers,
    unsettled_remarks,
};
pub(crate) use soak::Soak;
pub(crate) use stage::{NAME as STAGE, Stage};
pub(crate) use store_current::StoreCurrent;
