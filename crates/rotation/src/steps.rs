//! Steps that every rotation is made of.

mod admitted;
mod announce;
mod announcements;
mod backup;
mod close;
mod cut_over;
mod destroy;
mod draft;
mod look;
mod pin;
mod prepare;
mod restart;
mod retire;
mod side_by_side;
mod soak;
mod stage;
mod store_current;

pub(crate) use announce::{Announce, NAME as ANNOUNCE};
pub(crate) use backup::{BACK_UP_BY_HAND, BackUp, BackUpByHand};
pub(crate) use close::{Close, NAME as CLOSE, Open};
pub(crate) use cut_over::CutOver;
pub(crate) use destroy::{Destroy, NAME as DESTROY};
pub(crate) use draft::{NAME as DRAFT, draft};
pub(crate) use look::{ready_consumers, refuse_foreign_versions, value_in_use};
pub(crate) use pin::{Pin, expect_new_version};
pub(crate) use prepare::Prepare;
pub(crate) use restart::{RESTART_BY_HAND, RestartByHand};
pub(crate) use retire::{Retire, copies};
pub(crate) use soak::Soak;
pub(crate) use stage::{Stage, find as find_candidate, has_value_of, refuse_foreign_version};
pub(crate) use store_current::StoreCurrent;
