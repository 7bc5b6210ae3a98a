//! The requests of a rotation, and what befalls each of them.
use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use integration_tests::google::{Effect, Fault};
use integration_tests::{Reached, Trouble};

use crate::rotation::world::{THEN, Then};

/// What the program was at when it asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Forward,
    Back,
}

/// A request of a run that nothing disturbs.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) phase: Phase,
    method: &'static str,
    /// Its path, as far as it is the same each time.
    piece: String,
    /// How many like it there were before.
    after: u32,
}

/// What befalls a request.
#[derive(Clone, Copy, Debug)]
pub(in crate::rotation) enum What {
    Once(Effect),
    /// Also when `gcloud` sends it again.
    EachTime(Effect),
}

/// A request, what befalls it, and what somebody does if the run fails.
#[derive(Clone, Debug)]
pub(in crate::rotation) struct Case {
    pub(super) asked: Asked,
    what: What,
    pub(super) then: Then,
    /// What has a lower one comes first.
    pub(super) rank: usize,
}

const LONG: Duration = Duration::from_secs(60);
/// Far more than a call takes that nothing disturbs.
const SHORT: Duration = Duration::from_secs(6);

/// What befalls each request that changes something; what is likely to do harm first.
const TROUBLES: [What; 12] = [
    What::EachTime(Effect::Network(Trouble::Closed(Reached::Server))),
    What::Once(Effect::Network(Trouble::Closed(Reached::Headers))),
    What::Once(Effect::Network(Trouble::Silent(Reached::Server))),
    What::Once(Effect::Away),
    What::Once(Effect::Network(Trouble::Shortened)),
    What::Once(Effect::Network(Trouble::Silent(Reached::Nothing))),
    What::Once(Effect::Network(Trouble::Closed(Reached::Server))),
    What::Once(Effect::Network(Trouble::Reset(Reached::Server))),
    What::Once(Effect::Network(Trouble::Closed(Reached::Nothing))),
    What::Once(Effect::Network(Trouble::Closed(Reached::Body))),
    What::Once(Effect::Network(Trouble::InBytes(Duration::from_millis(1)))),
    What::Once(Effect::Late(Duration::from_secs(2))),
];

impl Asked {
    /// Of all requests of a run, by their methods and targets.
    pub(super) fn all_of(phase: Phase, requests: &[(String, String)]) -> Vec<Asked> {
        let mut counts: HashMap<(&str, String), u32> = HashMap::new();
        let asked = requests.iter().map(|(method, target)| {
            let method = METHODS.into_iter().find(|known| known == method);
            let method = method.expect("a known method");
            let piece = constant(target);
            let count = counts.entry((method, piece.clone())).or_default();
            *count += 1;
            Asked {
                phase,
                method,
                after: *count - 1,
                piece,
            }
        });
        asked.collect()
    }

    /// Whether it changes something. What it reads beside that is a look, of which there
    /// may be more or fewer next time.
    pub(super) fn is_change(&self) -> bool {
        self.method != "GET"
    }
}

const METHODS: [&str; 3] = ["GET", "POST", "PUT"];

/// A path up to its query; of a revision, without the letters that `gcloud` chooses.
fn constant(target: &str) -> String {
    let (path, has_query) = match target.split_once('?') {
        Some((path, _)) => (path, true),
        None => (target, false),
    };
    match path.rsplit_once('-') {
        Some((start, _)) if path.contains("/revisions/") => format!("{start}-"),
        _ if has_query => format!("{path}?"),
        _ => path.to_owned(),
    }
}

/// Each change in every trouble, each look in one of them.
pub(super) fn cases(asked: &[Asked]) -> Vec<Case> {
    let mut cases = Vec::new();
    for (number, one) in asked.iter().enumerate() {
        let troubles = match one.is_change() {
            true => &TROUBLES[..],
            false => std::slice::from_ref(&TROUBLES[number % TROUBLES.len()]),
        };
        for (rank, what) in troubles.iter().enumerate() {
            cases.push(Case {
                asked: one.clone(),
                what: *what,
                then: THEN[cases.len() % THEN.len()],
                rank: if one.is_change() { rank } else { usize::MAX },
            });
        }
    }
    cases
}

impl Case {
    pub(in crate::rotation) fn fault(&self) -> Fault {
        let (effect, times) = match self.what {
            What::Once(effect) => (effect, 1),
            What::EachTime(effect) => (effect, 5),
        };
        Fault {
            method: self.asked.method,
            piece: self.asked.piece.clone().into(),
            after: self.asked.after,
            effect,
            times,
        }
    }

    /// How long a call may take: little, where it is to come to that.
    pub(in crate::rotation) fn limit(&self) -> Duration {
        match self.what {
            What::Once(Effect::Network(Trouble::Silent(_)) | Effect::Away) => SHORT,
            What::EachTime(_) => SHORT,
            What::Once(_) => LONG,
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Asked {
            phase,
            method,
            piece,
            after,
        } = &self.asked;
        let path = piece.split("/v1/").last().unwrap_or_default();
        let (what, then) = (self.what, self.then);
        write!(
            f,
            "{phase:?}, {method} {path} ({after}) {what:?}, then {then:?}"
        )
    }
}
