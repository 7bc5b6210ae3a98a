//! What the rotations of the two database URLs share: all but the database.
//!
//! By default two roles take turns. The second one is made ready while the first
//! serves; both work until the traffic has moved, so nobody is without service, and
//! the way back is a cutover. In place there is one role, whose new password shuts
//! out every new connection of the old revision until the new one serves.

mod check;
mod end_sessions;
mod generate;
mod lock_out;
mod login;
mod rollback;
mod second_role;
mod set_password;
mod verify;

use std::path::PathBuf;

use platform::database_roles::DatabaseRoles;
use runbook::{History, Step};

use crate::Plan;
use crate::context::{Context, Store};
use crate::emergency::Containment;
use crate::error::Error;
use crate::steps::{
    self, Announce, Close, CutOver, Destroy, Open, Pin, Prepare, RestartByHand, Retire, Soak,
    Stage, StoreCurrent,
};

pub(crate) use check::{prove_in_use, trial};
pub(crate) use end_sessions::NAME as END_SESSIONS;
pub(crate) use lock_out::FIRST as LOCK_OUT_FIRST;
pub(crate) use lock_out::LAST as LOCK_OUT;
pub(crate) use login::{is_candidate, is_role_gone, refuse_if_accepted, url_of};
pub(crate) use rollback::refuse_rollback;
pub(crate) use second_role::NAME as SECOND_ROLE;
pub(crate) use set_password::{NAME as SET_PASSWORD, let_in_again};

/// How a login is replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// A second role takes over from the first, and the other way round the next time.
    #[default]
    Alternate,
    /// The role gets another password.
    InPlace,
}

/// What differs between installations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// How the login is replaced.
    pub mode: Mode,
    /// The URL is known to others: nothing is waited for, and the old one is destroyed.
    pub emergency: bool,
    /// What contains the emergency meanwhile.
    pub containment: Containment,
    /// People are told of the window before anything changes.
    pub announce: bool,
    /// The platform can't restart the services, so people do.
    pub restart_by_hand: bool,
}

/// The roles of the server, and how they are to be changed.
pub struct Logins {
    /// The server.
    pub roles: Box<dyn DatabaseRoles>,
    /// Where the server's socket is, if it isn't where the URL says.
    pub socket_folder: Option<PathBuf>,
    /// How the login is replaced.
    pub mode: Mode,
    /// The other secret that holds a login, perhaps to the same server.
    pub neighbour: Store,
}

impl Mode {
    /// The mode in which a run was begun.
    pub fn of(history: &History) -> Mode {
        match history.step(SET_PASSWORD) {
            Some(_) => Mode::InPlace,
            None => Mode::Alternate,
        }
    }
}

/// The rotation, step by step.
pub(crate) fn plan(rotation: &'static str, parameters: Parameters) -> Plan {
    let mut steps: Vec<Box<dyn Step<Context, Error>>> = vec![Box::new(check::Check)];
    let containment = parameters.containment;
    if containment.close {
        steps.push(Box::new(Close));
    }
    let is_announced = parameters.announce && !parameters.emergency;
    if is_announced && parameters.mode == Mode::InPlace {
        steps.push(Box::new(Announce));
    }
    steps.push(Box::new(StoreCurrent));
    steps.push(Box::new(Pin));
    steps.push(Box::new(generate::Generate));
    steps.push(Box::new(Stage));
    match parameters.mode {
        Mode::Alternate => steps.push(Box::new(second_role::SecondRole)),
        Mode::InPlace => steps.push(Box::new(set_password::SetPassword)),
    }
    if containment.lock_out {
        match parameters.mode {
            Mode::Alternate => steps.push(Box::new(lock_out::LockOut::first())),
            Mode::InPlace => steps.push(Box::new(end_sessions::EndSessions)),
        }
    }
    steps.push(Box::new(Prepare));
    steps.push(Box::new(CutOver::without_outage()));
    if parameters.restart_by_hand {
        steps.push(Box::new(RestartByHand::of_login()));
    }
    steps.push(Box::new(verify::Verify));
    if containment.close {
        steps.push(Box::new(Open));
    }
    if !parameters.emergency {
        steps.push(Box::new(Soak));
    }
    if parameters.mode == Mode::Alternate && !containment.lock_out {
        steps.push(Box::new(lock_out::LockOut::last()));
    }
    steps.push(Box::new(Retire));
    if parameters.emergency {
        steps.push(Box::new(Destroy));
    }
    if parameters.emergency {
        steps::draft(&mut steps, Some(containment));
    } else if is_announced && parameters.mode == Mode::InPlace {
        steps::draft(&mut steps, None);
    }
    Plan::new(rotation, steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With two roles nobody is without the database, and an emergency waits for nobody.
    #[test]
    fn a_window_is_announced_where_there_is_one() {
        for mode in [Mode::Alternate, Mode::InPlace] {
            for (announce, emergency) in [(true, false), (true, true), (false, false)] {
                let plan = plan(
                    "database-url",
                    Parameters {
                        announce,
                        emergency,
                        mode,
                        ..Parameters::default()
                    },
                );
                let has = |name| plan.steps().any(|step| step.about().name == name);
                let has_window = announce && !emergency && mode == Mode::InPlace;
                assert_eq!(has("announce"), has_window, "{mode:?}");
                assert_eq!(has(steps::DRAFT), has_window || emergency, "{mode:?}");
            }
        }
    }
}
