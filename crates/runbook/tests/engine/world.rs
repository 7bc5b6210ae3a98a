//! A world of a few sets and numbers. It survives what the journal and the process don't.

use std::collections::BTreeSet;

use jiff::Timestamp;
use runbook::{MissingFact, StepError};

/// What the steps change, each in two halves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Effects {
    pub(crate) door: BTreeSet<&'static str>,
    pub(crate) begun_things: BTreeSet<String>,
    pub(crate) things: BTreeSet<String>,
    pub(crate) pointer: BTreeSet<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) effects: Effects,
    pub(crate) now: Timestamp,
    /// How many things were ever named.
    pub(crate) named: u32,
    pub(crate) fault: Option<Fault>,
    /// What was called, in its order.
    pub(crate) calls: Vec<String>,
}

/// Where a step goes wrong, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) step: &'static str,
    pub(crate) method: Method,
    pub(crate) moment: Moment,
    pub(crate) error: ToyError,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Observe,
    Apply,
    Verify,
    Undo,
}

/// Before the effect, after half of it, after the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    Before,
    During,
    After,
}

pub(crate) const MOMENTS: [Moment; 3] = [Moment::Before, Moment::During, Moment::After];

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ToyError {
    #[error("broken")]
    Broken,
    #[error("asked to stop")]
    Interrupted,
    #[error("a fact is missing")]
    MissingFact,
    #[error("the journal failed")]
    Journal,
}

impl StepError for ToyError {
    fn reason(&self) -> &'static str {
        "the toy broke"
    }

    fn is_interruption(&self) -> bool {
        *self == ToyError::Interrupted
    }
}

impl From<MissingFact> for ToyError {
    fn from(_: MissingFact) -> ToyError {
        ToyError::MissingFact
    }
}

impl World {
    pub(crate) fn new() -> World {
        World {
            effects: Effects::default(),
            now: Timestamp::from_second(1_800_000_000).unwrap(),
            named: 0,
            fault: None,
            calls: Vec::new(),
        }
    }

    /// A world in which the fault waits.
    pub(crate) fn with(fault: Fault) -> World {
        World {
            fault: Some(fault),
            ..World::new()
        }
    }

    /// What somebody else might do: takes an effect away, wholly or by half.
    pub(crate) fn take_away(&mut self, step: &str, half: bool) {
        let thing = self.effects.begun_things.first().cloned();
        let thing = thing.unwrap_or_else(|| format!("thing-{}", self.named));
        undo_half(step, &mut self.effects, &thing);
        if !half {
            undo_rest(step, &mut self.effects, &thing);
        }
    }

    /// Fails if the fault waits here.
    pub(crate) fn reach(
        &mut self,
        step: &str,
        method: Method,
        moment: Moment,
    ) -> Result<(), ToyError> {
        let is_here = |fault: &mut Fault| {
            fault.step == step && fault.method == method && fault.moment == moment
        };
        match self.fault.take_if(is_here) {
            Some(fault) => Err(fault.error),
            None => Ok(()),
        }
    }
}

/// The steps that change something.
pub(crate) const CHANGES: [&str; 3] = ["open-door", "make-thing", "point"];

/// The effects at the end of a whole run: exactly one thing, however often it was begun.
pub(crate) fn goal(thing: &str) -> Effects {
    let mut effects = Effects::default();
    for step in CHANGES {
        do_half(step, &mut effects, thing);
        do_rest(step, &mut effects, thing);
    }
    effects
}

pub(crate) fn do_half(step: &str, effects: &mut Effects, thing: &str) {
    match step {
        "open-door" => drop(effects.door.insert("lock")),
        "make-thing" => drop(effects.begun_things.insert(thing.to_owned())),
        "point" => drop(effects.pointer.insert(thing.to_owned())),
        _ => {}
    }
}

pub(crate) fn do_rest(step: &str, effects: &mut Effects, thing: &str) {
    match step {
        "open-door" => drop(effects.door.insert("hinge")),
        "make-thing" => drop(effects.things.insert(thing.to_owned())),
        "point" => drop(effects.pointer.insert("arrow".to_owned())),
        _ => {}
    }
}

pub(crate) fn undo_half(step: &str, effects: &mut Effects, thing: &str) {
    match step {
        "open-door" => drop(effects.door.remove("hinge")),
        "make-thing" => drop(effects.things.remove(thing)),
        "point" => drop(effects.pointer.remove("arrow")),
        _ => {}
    }
}

pub(crate) fn undo_rest(step: &str, effects: &mut Effects, thing: &str) {
    match step {
        "open-door" => drop(effects.door.remove("lock")),
        "make-thing" => drop(effects.begun_things.remove(thing)),
        "point" => drop(effects.pointer.remove(thing)),
        _ => {}
    }
}
