//! A rotation as a list of steps.

use crate::about::About;
use crate::step::Step;

/// The steps of a rotation, in their order.
pub struct Plan<C, E> {
    rotation: &'static str,
    steps: Vec<Box<dyn Step<C, E>>>,
}

/// Where a step stands in its plan.
#[derive(Clone, Copy)]
pub(crate) struct Position {
    /// Counted from 1.
    pub(crate) number: usize,
    /// How many steps there are.
    pub(crate) of: usize,
    pub(crate) about: &'static About,
}

impl<C, E> Plan<C, E> {
    /// The plan of the rotation of this name.
    ///
    /// # Panics
    ///
    /// When two steps have one name: a mistake in the rotation's list.
    pub fn new(rotation: &'static str, steps: Vec<Box<dyn Step<C, E>>>) -> Plan<C, E> {
        for (index, step) in steps.iter().enumerate() {
            let name = step.about().name;
            let is_new = steps
                .iter()
                .take(index)
                .all(|other| other.about().name != name);
            assert!(is_new, "two steps of `{rotation}` are named `{name}`");
        }
        Plan { rotation, steps }
    }

    /// The rotation's name.
    pub fn rotation(&self) -> &'static str {
        self.rotation
    }

    /// The steps.
    pub fn steps(&self) -> impl DoubleEndedIterator<Item = &dyn Step<C, E>> + ExactSizeIterator {
        self.steps.iter().map(AsRef::as_ref)
    }

    /// The steps with their positions.
    pub(crate) fn positions(&self) -> impl DoubleEndedIterator<Item = (Position, &dyn Step<C, E>)> {
        let of = self.steps.len();
        self.steps().enumerate().map(move |(index, step)| {
            let position = Position {
                number: index + 1,
                of,
                about: step.about(),
            };
            (position, step)
        })
    }

    /// The texts of the steps.
    pub fn abouts(&self) -> impl DoubleEndedIterator<Item = &'static About> + ExactSizeIterator {
        self.steps.iter().map(|step| step.about())
    }
}
