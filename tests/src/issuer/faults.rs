//! What can be made to go wrong.
use std::time::Duration;

use crate::network::Trouble;

/// Something that goes wrong with the next connections or requests.
#[derive(Clone, Debug)]
pub struct Fault {
    effect: Effect,
    times: u32,
}

/// What happens. Clients that keep a connection meet the first two only with their
/// first request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The connection is reset before TLS.
    Reset,
    /// The connection is accepted, and nobody answers: there is no TLS.
    Silent,
    /// The request is read, and the connection closed without an answer.
    CutOff,
    /// The request is read, and never answered.
    Hang,
    /// The answer comes only after this long.
    Late(Duration),
    /// The secret is refused, though it is right.
    Refuse,
    /// The status 503 with a page, as a load balancer gives it.
    Unavailable,
    /// The status 200 with a page, as a captive portal gives it.
    Page,
    /// The status 307 to this address.
    Redirect(String),
    /// This status with this body.
    Answer(u16, String),
    /// This status, with the request's header and body quoted in the error.
    Echo(u16),
    /// The way there fails, or the way back, below TLS.
    Network(Trouble),
}

impl Effect {
    /// Whether it happens to a connection, before there is a request.
    fn is_of_a_connection(&self) -> bool {
        matches!(self, Effect::Reset | Effect::Silent)
    }
}

impl Fault {
    /// Once.
    pub fn once(effect: Effect) -> Fault {
        Fault { effect, times: 1 }
    }

    /// Every time from now on.
    pub fn for_ever(effect: Effect) -> Fault {
        let times = u32::MAX;
        Fault { effect, times }
    }
}

/// The effect on this connection, which is used up.
pub(super) fn take_for_connection(faults: &mut [Fault]) -> Option<Effect> {
    take(faults, Effect::is_of_a_connection)
}

/// The effect on this request, which is used up.
pub(super) fn take_for_request(faults: &mut [Fault]) -> Option<Effect> {
    take(faults, |effect| !effect.is_of_a_connection())
}

/// Faults happen one after the other, in the order in which they were asked for.
fn take(faults: &mut [Fault], is_meant: impl Fn(&Effect) -> bool) -> Option<Effect> {
    let fault = faults.iter_mut().find(|fault| fault.times > 0)?;
    if !is_meant(&fault.effect) {
        return None;
    }
    fault.times -= 1;
    Some(fault.effect.clone())
}
