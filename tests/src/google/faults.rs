//! What can be made to go wrong.
use std::borrow::Cow;
use std::time::Duration;

use crate::network::{Reached, Trouble};

/// Something that goes wrong with certain requests, a number of times.
#[derive(Clone, Debug)]
pub struct Fault {
    /// `GET`, `POST`, `PUT`.
    pub method: &'static str,
    /// What the request's path has in it.
    pub piece: Cow<'static, str>,
    /// How many such requests are left alone before.
    pub after: u32,
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
    /// The way there fails, or the way back.
    Network(Trouble),
    /// The answer is lost, and nothing reaches the servers from then on.
    Away,
    /// The login that a token is asked for with has ended.
    LoggedOut,
    /// Another change of the same thing is under way, and nothing has happened.
    Conflict,
    /// The connection is closed, and the request comes to the server only when a test says so:
    /// [`deliver`](super::Google::deliver).
    Strays,
}

impl Fault {
    /// Once.
    pub fn once(
        method: &'static str,
        piece: impl Into<Cow<'static, str>>,
        effect: Effect,
    ) -> Fault {
        Fault {
            method,
            piece: piece.into(),
            after: 0,
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
    let mut effect = None;
    for fault in faults {
        if effect.is_some() || fault.method != method || !target.contains(&*fault.piece) {
            continue;
        }
        if fault.after > 0 {
            fault.after -= 1;
        } else if fault.times > 0 {
            fault.times -= 1;
            effect = Some(fault.effect);
        }
    }
    effect
}

/// No request comes to a server any more.
pub(super) fn of_everything() -> Vec<Fault> {
    let lost = Effect::Network(Trouble::Closed(Reached::Nothing));
    let methods = ["GET", "POST", "PUT"];
    methods
        .map(|method| Fault::for_ever(method, "", lost))
        .into()
}
