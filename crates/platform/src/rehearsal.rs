//! What a change would come to, found out without making it.

use std::fmt;

use async_trait::async_trait;
use secret::VersionNumber;

use crate::error::Error;
use crate::secret_store::VersionState;
use crate::services::Binding;

/// The changes of one rotation, told before any of them is made.
///
/// What every implementation keeps to:
///
/// - Nothing is changed. What is there is asked.
/// - Each change is told as it would be made after those that were rehearsed before it.
/// - A command is put together by the code that makes it for the real change. What isn't
///   known before it stands in it between `<` and `>`: `<new version>`. One such text
///   stands for one thing.
/// - A value has no place in it.
#[async_trait(?Send)]
pub trait Rehearsal {
    /// What this change would come to; nothing where it would find its effect there.
    ///
    /// # Errors
    ///
    /// When the platform can't be asked.
    async fn rehearse(&mut self, change: &Change) -> Result<Vec<Rehearsed>, Error>;
}

/// A change that is going to be made, as far as it is known beforehand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A version is added to a secret.
    AddVersion {
        /// The secret.
        secret: String,
    },
    /// A version gets another state.
    SetState {
        /// The secret.
        secret: String,
        /// The version.
        version: Which,
        /// The state.
        state: VersionState,
    },
    /// A revision without traffic.
    Prepare {
        /// The service.
        service: String,
        /// The variable and its secret.
        binding: Binding,
        /// The version that it is to read.
        to: Which,
    },
    /// All traffic goes to the revision that was prepared last.
    CutOver {
        /// The service.
        service: String,
    },
    /// Every revision but the serving one is made unreachable.
    DiscardOthers {
        /// The service.
        service: String,
    },
    /// A caller is taken off a service's list.
    Refuse {
        /// The service.
        service: String,
        /// The caller.
        caller: String,
    },
    /// A caller is put on it again.
    Admit {
        /// The service.
        service: String,
        /// The caller.
        caller: String,
    },
    /// The database is backed up.
    BackUp,
}

/// A version that need not be there yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one with this number.
    Number(VersionNumber),
    /// The one as which the value in use is stored first.
    InUse,
    /// The one as which the candidate is stored.
    New,
}

/// What a change would come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rehearsed {
    /// The command, word by word; none where the tool does it itself.
    pub command: Vec<String>,
    /// What is expected of the command; without one, what is done.
    pub text: String,
}

impl Rehearsed {
    /// Something that the tool does itself.
    pub(crate) fn deed(text: String) -> Rehearsed {
        Rehearsed {
            command: Vec::new(),
            text,
        }
    }
}

/// The number, or what stands for it.
impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Which::Number(number) => number.fmt(f),
            Which::InUse => f.write_str("<version in use>"),
            Which::New => f.write_str("<new version>"),
        }
    }
}
