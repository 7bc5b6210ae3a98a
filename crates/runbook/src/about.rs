//! What a step is, in words: for the plan, for the progress, and for the runbook.

/// A step's texts. They are written once, here, and every document is rendered from them.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// What the journal calls it. A change makes journals of unfinished runs unreadable.
    pub name: &'static str,
    /// What people call it, as an order: `Stage the candidate`.
    pub title: &'static str,
    /// What sort of step it is.
    pub kind: Kind,
    /// Who is told before it, if anybody is.
    pub told: Option<&'static str>,
    /// What is done, in whole sentences.
    pub does: &'static str,
    /// What it touches, in a few words.
    pub touches: &'static str,
    /// How it is seen to have worked.
    pub verified: &'static str,
    /// How it is undone.
    pub undo: Undo,
    /// Who is without service meanwhile and for how long, if anybody is.
    pub outage: Option<&'static str>,
}

/// What sort of step it is: what the engine may conclude about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It changes nothing, so there is nothing to observe: the journal alone says
    /// that it was done.
    Check,
    /// It changes something, and whether it did can be observed.
    Change,
    /// It changes something that later steps can do without, and whether it did can be
    /// observed. Where it is gone, it is done again, whatever came after it.
    Preparation,
    /// It brings something into the memory of the process, and whether that is there, or
    /// kept elsewhere by a later step, can be observed. It ends with the process without
    /// anybody's doing: then it is done again, whatever came after it.
    InMemory,
    /// People do it, and say when they have.
    People,
    /// Time has to pass.
    Soak,
}

impl Kind {
    /// Whether the step is observed, and not the journal alone believed.
    pub(crate) fn is_observed(self) -> bool {
        self.is_change() || self == Kind::InMemory
    }

    /// Whether the step leaves something that others can see.
    pub(crate) fn is_change(self) -> bool {
        matches!(self, Kind::Change | Kind::Preparation)
    }
}

/// How a step is undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undo {
    /// There is nothing to undo, for this reason.
    Nothing(&'static str),
    /// By doing this.
    By(&'static str),
    /// By doing this, which people have to complete: nothing else is undone before.
    ByPeople(&'static str),
    /// It can't be, for this reason.
    Impossible(&'static str),
}

impl Undo {
    /// The sentence.
    pub fn text(self) -> &'static str {
        match self {
            Undo::Nothing(text)
            | Undo::By(text)
            | Undo::ByPeople(text)
            | Undo::Impossible(text) => text,
        }
    }
}
