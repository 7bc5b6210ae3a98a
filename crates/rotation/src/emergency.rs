//! Whether a run is one of an emergency, and what contains one before the rotation is at
//! its end.

use platform::Platform;
use runbook::History;

use crate::client_secret::REVOKE_FIRST;
use crate::database_login::{END_SESSIONS, LOCK_OUT_FIRST};
use crate::secrets::{
    DATABASE_URL, GMA_CLIENT_SECRET, RED_HAT_SSO_CLIENT_SECRET, SESSION_DATABASE_URL, Secret,
};
use crate::steps::{CLOSE, DESTROY};

/// Whether the run was begun in an emergency: it destroys at its end.
pub fn is_emergency(history: &History) -> bool {
    history.step(DESTROY).is_some()
}

/// A way to keep whoever has the value from using it before the rotation is at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// Nobody may call the services until the new value serves.
    Close,
    /// The leaked login is shut out before the new revision is made.
    LockOut,
    /// The issuer revokes the leaked value before there is a new one.
    Revoke,
}

/// The means that were chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Containment {
    /// [`Means::Close`].
    pub close: bool,
    /// [`Means::LockOut`].
    pub lock_out: bool,
    /// [`Means::Revoke`].
    pub revoke: bool,
}

impl Means {
    /// All of them.
    pub const ALL: [Means; 3] = [Means::Close, Means::LockOut, Means::Revoke];

    /// Whether it contains a leak of this secret on this platform.
    pub fn fits(self, secret: &Secret, platform: &Platform) -> bool {
        match self {
            Means::Close => platform.callers.is_some(),
            Means::LockOut => [DATABASE_URL, SESSION_DATABASE_URL].contains(secret),
            Means::Revoke => [RED_HAT_SSO_CLIENT_SECRET, GMA_CLIENT_SECRET].contains(secret),
        }
    }

    /// What it does, and to whom, for the person who decides.
    pub fn effect(self) -> &'static str {
        match self {
            Means::Close => {
                "nobody on the services' own lists may call them, so that nothing comes out through \
                 them and nothing new is written with the leaked value; it may take minutes until that \
                 holds everywhere. Instances run on, a copied value stays usable elsewhere, and who has \
                 the invoker's role from the project still may call. Users are without service until the \
                 new value serves; what is pushed to the services is sent again later"
            }
            Means::LockOut => {
                "the leaked login lets nobody in any more, and its sessions are ended, as soon as the \
                 new value is stored and before the new revision is made. The services are without the \
                 database until that serves: minutes"
            }
            Means::Revoke => {
                "those who issued the value revoke it before a new one is waited for: whoever has it can \
                 do nothing with it any more. The services are without it until the new value serves, \
                 which is as long as it takes to get one"
            }
        }
    }

    /// How it is undone, by a rollback or at the run's end.
    pub fn undo(self) -> &'static str {
        match self {
            Means::Close => {
                "everybody who was on the lists is on them again, once the new value serves"
            }
            Means::LockOut => {
                "a rollback gives the login its password back; sessions that were ended are opened anew"
            }
            Means::Revoke => {
                "it can't be undone; a rollback is refused once the issuer refuses the value"
            }
        }
    }
}

impl Containment {
    /// Those of a run.
    pub fn of(history: &History) -> Containment {
        let has = |step| history.step(step).is_some();
        Containment {
            close: has(CLOSE),
            lock_out: has(LOCK_OUT_FIRST) || has(END_SESSIONS),
            revoke: has(REVOKE_FIRST),
        }
    }

    /// The same with one more.
    #[must_use]
    pub fn and(self, means: Means) -> Containment {
        match means {
            Means::Close => Containment {
                close: true,
                ..self
            },
            Means::LockOut => Containment {
                lock_out: true,
                ..self
            },
            Means::Revoke => Containment {
                revoke: true,
                ..self
            },
        }
    }

    /// Whether it was chosen.
    pub fn has(self, means: Means) -> bool {
        match means {
            Means::Close => self.close,
            Means::LockOut => self.lock_out,
            Means::Revoke => self.revoke,
        }
    }
}
