//! What is struck, and when: each case follows from a seed and its number alone.
use std::fmt;

use rotation::{
    DATABASE_URL, DCR_ENCRYPTION_KEY, GMA_CLIENT_SECRET, RED_HAT_SSO_CLIENT_SECRET,
    SESSION_DATABASE_URL, Secret,
};

use super::shares::Share;
use crate::faults::random::Random;

/// What is rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rotated {
    KeyInSqlite,
    KeyOnPostgres,
    Database,
    Sessions,
    Sso,
    Gma,
}

/// Where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum On {
    Local,
    GoogleCloud,
}

/// What is struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Victim {
    /// SIGKILL of the tool: what it has started goes on.
    Tool,
    /// SIGKILL of the tool and of all that it has started.
    ToolAndChildren,
    /// The server ends the tool's sessions.
    Sessions,
    /// SIGKILL of the process behind one of them: the server recovers.
    Backend,
    /// SIGKILL of the whole server, which is started again.
    Server,
    /// The disk under the journals is full.
    JournalsDisk,
    /// The disk under all the rest is full: the store, the services' file, SQLite.
    Disk,
    /// The machine: what was not synced is gone.
    Power,
}

/// A sort of cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind {
    pub(super) rotated: Rotated,
    pub(super) on: On,
    pub(super) victim: Victim,
}

/// When.
#[derive(Clone, Copy, Debug)]
pub(super) enum Moment {
    /// So much of an undisturbed run is over.
    Time(f64),
    /// This part of the steps has begun, and so much of a long step is over.
    Step(f64, f64),
}

/// How the run is brought to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    Forward,
    Back,
}

/// One run, and what becomes of it.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) kind: Kind,
    pub(super) moment: Moment,
    pub(super) way: Way,
    /// When the tool is killed on this way, too.
    pub(super) again: Vec<Moment>,
    /// Of a login: whether its one role gets another password.
    pub(super) is_in_place: bool,
    /// Whether another rotation follows.
    pub(super) is_repeated: bool,
}

impl Rotated {
    pub(super) fn secret(self) -> Secret {
        match self {
            Rotated::KeyInSqlite | Rotated::KeyOnPostgres => DCR_ENCRYPTION_KEY,
            Rotated::Database => DATABASE_URL,
            Rotated::Sessions => SESSION_DATABASE_URL,
            Rotated::Sso => RED_HAT_SSO_CLIENT_SECRET,
            Rotated::Gma => GMA_CLIENT_SECRET,
        }
    }

    fn is_login(self) -> bool {
        matches!(self, Rotated::Database | Rotated::Sessions)
    }
}

impl Case {
    pub(super) fn of(seed: u64, number: u32, shares: &[Share]) -> Case {
        let mut random = Random::of(seed ^ Random::of(u64::from(number) + 1).number());
        let share = share_of(seed, number, shares);
        let victim = random.number() % share.victims.len() as u64;
        let kind = Kind {
            rotated: share.rotated,
            on: share.on,
            victim: share.victims[usize::try_from(victim).expect("one of a few")],
        };
        let (way, again) = (random.way(), random.times());
        Case {
            kind,
            moment: random.moment(kind.on),
            way,
            again: (0..again).map(|_| random.moment(kind.on)).collect(),
            is_in_place: random.fraction() < 0.3 && kind.rotated.is_login(),
            is_repeated: random.fraction() < 0.3 && kind.on == On::Local,
        }
    }
}

/// Each hundred has the sorts as often as the table says, in an order of its own.
fn share_of(seed: u64, number: u32, shares: &[Share]) -> &Share {
    let mut kinds: Vec<&Share> = shares
        .iter()
        .flat_map(|share| std::iter::repeat_n(share, share.cases))
        .collect();
    let count = u32::try_from(kinds.len()).expect("a short table");
    let mut random = Random::of(seed.wrapping_add(u64::from(number / count)));
    // As Fisher and Yates shuffle.
    for last in (1..kinds.len()).rev() {
        let other = random.number() % (last as u64 + 1);
        kinds.swap(last, usize::try_from(other).expect("below the last"));
    }
    kinds[(number % count) as usize]
}

impl Random {
    fn way(&mut self) -> Way {
        match self.fraction() < 0.5 {
            true => Way::Forward,
            false => Way::Back,
        }
    }

    /// Not again, most of the time.
    fn times(&mut self) -> usize {
        match self.fraction() {
            0.0..0.7 => 0,
            0.7..0.9 => 1,
            _ => 2,
        }
    }

    /// On Google Cloud by the steps alone: how long a run takes there is not measured.
    fn moment(&mut self, on: On) -> Moment {
        let by_time = self.fraction() < 0.5;
        let [part, rest] = [self.fraction(), self.fraction()];
        match by_time && on == On::Local {
            true => Moment::Time(part),
            false => Moment::Step(part, rest),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rotated = match self.rotated {
            Rotated::KeyInSqlite => "dcr-encryption-key in SQLite",
            Rotated::KeyOnPostgres => "dcr-encryption-key on Postgres",
            other => other.secret().name,
        };
        let on = match self.on {
            On::Local => "local",
            On::GoogleCloud => "google-cloud",
        };
        let victim = match self.victim {
            Victim::Tool => "the tool is killed",
            Victim::ToolAndChildren => "the tool is killed with its children",
            Victim::Sessions => "its sessions are ended",
            Victim::Backend => "a backend is killed",
            Victim::Server => "the database server is killed",
            Victim::JournalsDisk => "the journals' disk is full",
            Victim::Disk => "the disk is full",
            Victim::Power => "the power fails",
        };
        write!(f, "{on}: {rotated}: {victim}")
    }
}
