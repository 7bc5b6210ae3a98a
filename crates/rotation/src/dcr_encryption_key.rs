//! The rotation of the key under which the service keeps its clients' secrets (tier 3).
//!
//! Every token in `dcr_clients` is under this key, so the table and the service
//! have to change over together. Everything that takes time is done before: the
//! candidate is stored, the table surveyed and re-encrypted on trial, the new
//! revision is up. The outage is what lies between the commit and the traffic.

mod check;
mod database;
mod examination;
mod generate;
mod list_clients;
mod reencrypt;
mod stored_keys;
mod survey;
mod sweep;
mod table;
mod tokens;
mod verify;

use runbook::{About, Step};

use crate::Plan;
use crate::context::Context;
use crate::emergency::Containment;
use crate::error::Error;
use crate::secrets::{DCR_ENCRYPTION_KEY, Secret};
use crate::steps::{
    self, Announce, BackUp, BackUpByHand, Close, CutOver, Destroy, Open, Pin, Prepare,
    RestartByHand, Retire, Soak, Stage, StoreCurrent,
};

pub(crate) use check::{prove_in_use, refuse_rollback, trial};
pub use database::{Database, RowObserver};
pub use examination::{Examined, examine};
pub(crate) use reencrypt::NAME as RE_ENCRYPT;
pub use stored_keys::{StoredKey, StoredKeys, stored_keys};
pub(crate) use sweep::is_all_under_new;
pub use tokens::{Cells, Tokens};

/// The secret.
pub const SECRET: Secret = DCR_ENCRYPTION_KEY;

/// What differs between installations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// The key is known to others: nothing is waited for, the old one is destroyed, and
    /// the clients whose secrets have to be issued anew are listed.
    pub emergency: bool,
    /// What contains the emergency meanwhile.
    pub containment: Containment,
    /// People are told of the window before anything changes.
    pub announce: bool,
    /// The platform can't back up the database, so people do.
    pub back_up_by_hand: bool,
    /// The platform can't restart the service, so people do.
    pub restart_by_hand: bool,
}

/// The rotation, step by step.
pub fn plan(parameters: Parameters) -> Plan {
    let mut steps: Vec<Box<dyn Step<Context, Error>>> = vec![Box::new(check::Check)];
    if parameters.containment.close {
        steps.push(Box::new(Close));
    }
    if parameters.announce && !parameters.emergency {
        steps.push(Box::new(Announce));
    }
    if parameters.back_up_by_hand {
        steps.push(Box::new(BackUpByHand));
    } else {
        steps.push(Box::new(BackUp));
    }
    steps.push(Box::new(StoreCurrent));
    steps.push(Box::new(Pin));
    steps.push(Box::new(generate::Generate));
    steps.push(Box::new(Stage));
    steps.push(Box::new(survey::Survey));
    steps.push(Box::new(survey::DryRun));
    steps.push(Box::new(Prepare));
    steps.push(Box::new(reencrypt::Reencrypt));
    steps.push(Box::new(CutOver::of_key()));
    if parameters.restart_by_hand {
        steps.push(Box::new(RestartByHand::of_key()));
    }
    steps.push(Box::new(sweep::Sweep));
    steps.push(Box::new(verify::Verify));
    if parameters.containment.close {
        steps.push(Box::new(Open));
    }
    if parameters.emergency {
        steps.push(Box::new(Retire));
        steps.push(Box::new(list_clients::ListClients));
        steps.push(Box::new(Destroy));
    } else {
        steps.push(Box::new(Soak));
        steps.push(Box::new(Retire));
    }
    if parameters.emergency {
        steps::draft(&mut steps, Some(parameters.containment));
    } else if parameters.announce {
        steps::draft(&mut steps, None);
    }
    Plan::new(SECRET.name, steps)
}

/// The texts of the steps that people do where a platform can't.
pub(crate) fn steps_by_hand() -> [&'static About; 2] {
    [
        Step::<Context, Error>::about(&BackUpByHand),
        Step::<Context, Error>::about(&RestartByHand::of_key()),
    ]
}
