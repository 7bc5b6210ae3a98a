//! What can be made to go wrong.
use std::time::Duration;

/// Something that goes wrong with certain requests, a number of times.
#[derive(Clone, Debug)]
pub struct Fault {
    /// `GET`, `POST`, `PUT`.
    pub method: &'static str,
    /// What the request's path has in it.
    pub piece: &'static str,
    /// What happens.
    pub effect: Effect,
    /// How often.
    pub times: u32,
}

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A server's error, and nothing has happened.
    Unavailable,
    /// A server's error, though it has happened.
    AnswerLost,
    /// The answer comes only after this long, though it has happened at once.
    Late(Duration),
    /// Somebody else changes every service right before.
    ChangedMeanwhile,
    /// A sum that the server doesn't confirm.
    Unconfirmed,
}

impl Fault {
    /// Once.
    pub fn once(method: &'static str, piece: &'static str, effect: Effect) -> Fault {
        Fault {
            method,
            piece,
            effect,
            times: 1,
        }
    }

    /// Every time from now on.
    pub fn for_ever(method: &'static str, piece: &'static str, effect: Effect) -> Fault {
        Fault {
            times: u32::MAX,
            ..Fault::once(method, piece, effect)
        }
    }
}

/// The effect on this request, which is used up.
pub(super) fn take(faults: &mut [Fault], method: &str, target: &str) -> Option<Effect> {
    let fault = faults
        .iter_mut()
        .find(|fault| fault.times > 0 && fault.method == method && target.contains(fault.piece))?;
    fault.times -= 1;
    Some(fault.effect)
}
