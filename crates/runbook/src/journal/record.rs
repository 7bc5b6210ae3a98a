//! One line of a journal.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fact::Fact;
use crate::name::Name;

/// The format that this build writes and reads. A journal of a higher one is refused.
pub(crate) const FORMAT: u32 = 1;

/// A text of the program's own: a step's name, a reason. It can be made from a
/// constant only, or read from a journal that such a constant was written to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FixedText(Cow<'static, str>);

/// A record with its time, as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// When it was written.
    pub at: Timestamp,
    /// What it says.
    #[serde(flatten)]
    pub record: Record,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// The first record, and the first only.
    RunBegan {
        /// The format of the journal.
        format: u32,
        /// The version of the program.
        program: Name,
        /// The run's name.
        run: Name,
        /// The rotation's name.
        rotation: FixedText,
        /// The platform's name.
        platform: FixedText,
        /// Who began it.
        operator: Name,
        /// The last run of the same secret, so that their order doesn't hang on clocks.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        follows: Option<Name>,
        /// The steps of the plan.
        steps: Vec<FixedText>,
    },
    /// Somebody goes on with it.
    RunResumed {
        /// Who.
        operator: Name,
    },
    /// Written before a step does anything.
    StepBegan {
        /// Which.
        step: FixedText,
    },
    /// Something that later steps need.
    FactFound {
        /// The step that found it.
        step: FixedText,
        /// What it is.
        name: FixedText,
        /// The fact.
        fact: Fact,
    },
    /// It waits for people, or for a time.
    StepWaits {
        /// Which.
        step: FixedText,
        /// Until when; null for people.
        until: Option<Timestamp>,
    },
    /// It failed.
    StepFailed {
        /// Which.
        step: FixedText,
        /// Why.
        reason: FixedText,
    },
    /// It is done and verified.
    StepDone {
        /// Which.
        step: FixedText,
        /// Whether its effect was found there, not brought about.
        found: bool,
    },
    /// Its effect is gone, and so it is to be done again.
    StepLost {
        /// Which.
        step: FixedText,
    },
    /// The last step is done.
    RunDone,
    /// Somebody wants it undone.
    RollbackBegan {
        /// Who.
        operator: Name,
    },
    /// Written before a step's undo does anything.
    UndoBegan {
        /// Which.
        step: FixedText,
    },
    /// It is undone.
    StepUndone {
        /// Which.
        step: FixedText,
    },
    /// Its undo failed.
    UndoFailed {
        /// Which.
        step: FixedText,
        /// Why.
        reason: FixedText,
    },
    /// Everything is undone.
    RunRolledBack,
    /// Somebody leaves it where it stands, for good.
    RunAbandoned {
        /// Who.
        operator: Name,
    },
}

impl Written {
    pub(crate) fn now(record: Record) -> Written {
        Written {
            at: Timestamp::now(),
            record,
        }
    }
}

impl FixedText {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&'static str> for FixedText {
    fn from(text: &'static str) -> FixedText {
        FixedText(Cow::Borrowed(text))
    }
}

impl fmt::Display for FixedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
