//! What a run has to show to whoever wasn't there: an auditor, or the reader of a ticket.
//!
//! Made from the journal and the texts of the steps, and grouped by meaning. It holds
//! names, numbers, times and fingerprints, as a journal does, and so no secret.

mod ahead;
mod counts;
mod outages;
mod steps;
pub(crate) mod texts;
mod versions;

use std::time::Duration;

use jiff::Timestamp;
use runbook::{Deed, Fact, History, RunStatus, StepStatus};
use serde::Serialize;

pub use self::ahead::Ahead;
pub use self::counts::{Cells, Counted, Pass, TokensCounted};
pub use self::outages::Outage;
pub use self::steps::{EvidenceSpan, EvidenceStep, Verification};
pub use self::versions::{Login, ServiceChange, VersionChange, VersionRole};
use crate::emergency::is_emergency;
use crate::facts;
use crate::state::{result, state};

/// The format of the evidence as JSON. Fields may be added to a format.
const FORMAT: u32 = 1;

/// The evidence of a run, however far it came.
#[derive(Clone, Debug, Serialize)]
pub struct Evidence {
    /// The format of this.
    pub format: u32,
    /// The run's name.
    pub run: String,
    /// What was rotated.
    pub rotation: String,
    /// What the store calls it; none where the run didn't come to know that.
    pub secret: Option<String>,
    /// Where the secret and its services live.
    pub platform: String,
    /// The version of the program that began the run.
    pub program: String,
    /// How far it is.
    pub state: RunState,
    /// What things are like now, in a sentence without its full stop.
    pub summary: String,
    /// Whether the old value was known to others.
    pub is_emergency: bool,
    /// When it began.
    pub began_at: Timestamp,
    /// When it came to its end, or was undone.
    pub ended_at: Option<Timestamp>,
    /// When it was heard of last.
    pub last_record_at: Timestamp,
    /// Everybody who had a hand in it, in order.
    pub hands: Vec<HandIn>,
    /// Versions before and after.
    pub versions: Vec<VersionChange>,
    /// The services before and after.
    pub services: Vec<ServiceChange>,
    /// The roles of a database login before and after.
    pub login: Option<Login>,
    /// The backup that was there before anything changed.
    pub backup: Option<BackupTaken>,
    /// Who was without service, and from when to when.
    pub outages: Vec<Outage>,
    /// For how long somebody was without service, times of two causes counted once.
    pub outage_ms: u64,
    /// Tokens by what was done with them; none where the secret is no key of a table.
    pub tokens: Option<TokensCounted>,
    /// Cells per column.
    pub counts: Vec<Counted>,
    /// The steps, in the order of the plan.
    pub steps: Vec<EvidenceStep>,
    /// What is still to come.
    pub to_come: Vec<Ahead>,
    /// What else was found out.
    pub other_facts: Vec<OtherFact>,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// At its end.
    Done,
    /// It waits for people or for a time.
    Waiting,
    /// A step failed.
    Failed,
    /// It was left, or is under way.
    Unfinished,
    /// On its way back.
    RollingBack,
    /// Undone.
    RolledBack,
    /// Left where it stood, for good.
    Abandoned,
    /// An undo failed.
    Stuck,
}

/// Somebody who had a hand in a run.
#[derive(Clone, Debug, Serialize)]
pub struct HandIn {
    /// Who.
    pub operator: String,
    /// `began`, `resumed` or `rolled_back`.
    pub deed: &'static str,
    /// When.
    pub at: Timestamp,
}

/// A backup.
#[derive(Clone, Debug, Serialize)]
pub struct BackupTaken {
    /// What the platform calls it.
    pub name: String,
    /// When it was taken.
    pub taken_at: Option<Timestamp>,
}

/// Something that was found out.
#[derive(Clone, Debug, Serialize)]
pub struct OtherFact {
    /// What it is.
    pub name: String,
    /// The fact.
    pub value: String,
}

impl Evidence {
    /// The evidence of a run. `rotate_every` is how long a secret may be used.
    pub fn of(history: &History, rotate_every: Duration) -> Evidence {
        let facts = &history.facts;
        let name = |name| facts.name(name).ok().map(str::to_owned);
        let outages = outages::of(history);
        Evidence {
            format: FORMAT,
            run: history.run.to_string(),
            rotation: history.rotation.to_string(),
            secret: name(facts::SECRET),
            platform: history.platform.to_string(),
            program: history.program.to_string(),
            state: RunState::of(history),
            summary: match history.status {
                RunStatus::Done => result(history),
                RunStatus::Abandoned => {
                    format!("left as it was; by its journal: {}", state(history))
                }
                _ => state(history),
            },
            is_emergency: is_emergency(history),
            began_at: history.began_at,
            ended_at: history.ended_at,
            last_record_at: history.last_at,
            hands: hands(history),
            versions: versions::of(history),
            services: versions::services(history),
            login: Login::of(history),
            backup: name(facts::BACKUP).map(|name| BackupTaken {
                name,
                taken_at: facts.time(facts::BACKUP_TAKEN_AT).ok(),
            }),
            outage_ms: outages::total(&outages, history.last_at),
            outages,
            tokens: TokensCounted::of(history),
            counts: counts::of(history),
            steps: steps::of(history),
            to_come: ahead::of(history, rotate_every),
            other_facts: other_facts(history),
        }
    }
}

impl RunState {
    fn of(history: &History) -> RunState {
        let at = history.current_step().map(|step| step.status);
        match (history.status, at) {
            (RunStatus::Done, _) => RunState::Done,
            (RunStatus::RolledBack, _) => RunState::RolledBack,
            (RunStatus::Abandoned, _) => RunState::Abandoned,
            (RunStatus::RollingBack, _) if history.is_stuck() => RunState::Stuck,
            (RunStatus::RollingBack, _) => RunState::RollingBack,
            (RunStatus::Forward, Some(StepStatus::Waiting)) => RunState::Waiting,
            (RunStatus::Forward, Some(StepStatus::Failed)) => RunState::Failed,
            (RunStatus::Forward, _) => RunState::Unfinished,
        }
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            RunState::Done => "done",
            RunState::Waiting => "waiting",
            RunState::Failed => "failed, and not undone",
            RunState::Unfinished => "not finished",
            RunState::RollingBack => "being rolled back",
            RunState::RolledBack => "rolled back",
            RunState::Abandoned => "abandoned: left as it is",
            RunState::Stuck => "stuck: an undo failed",
        }
    }
}

fn hands(history: &History) -> Vec<HandIn> {
    let hands = history.hands.iter();
    hands
        .map(|hand| HandIn {
            operator: hand.operator.to_string(),
            deed: match hand.deed {
                Deed::Began => "began",
                Deed::Resumed => "resumed",
                Deed::RolledBack => "rolled_back",
                Deed::Abandoned => "abandoned",
            },
            at: hand.at,
        })
        .collect()
}

/// What stands nowhere else in the evidence.
fn other_facts(history: &History) -> Vec<OtherFact> {
    const ELSEWHERE: [&str; 22] = [
        facts::SECRET,
        facts::BACKUP,
        facts::BACKUP_TAKEN_AT,
        facts::OLD_VERSION,
        facts::NEW_VERSION,
        facts::OLD_KEY,
        facts::NEW_KEY,
        facts::REPUBLISHED_VERSION,
        facts::COPIES,
        facts::OLD_ROLE,
        facts::NEW_ROLE,
        facts::ROLE_BEFORE,
        facts::CLIENTS,
        facts::CLIENTS_LISTED,
        facts::TOKENS_UNDER_OLD_KEY,
        facts::REENCRYPTED,
        facts::SWEPT,
        facts::VERIFIED,
        facts::COMMITTED_AT,
        facts::CUT_OVER_AT,
        facts::OPENED,
        facts::SOAK_ENDS,
    ];
    let is_elsewhere = |name: &str| {
        ELSEWHERE.contains(&name) || versions::is_of_service(name) || counts::is_of_column(name)
    };
    let others = history.facts.iter();
    others
        .filter(|(name, _)| !is_elsewhere(name))
        .map(|(name, fact): (&str, &Fact)| OtherFact {
            name: named(name).to_owned(),
            value: fact.to_string(),
        })
        .collect()
}

/// For whoever doesn't know what a fact of this name is for.
fn named(fact: &str) -> &str {
    match fact {
        facts::DATABASE => "fingerprint of the database's address",
        facts::LATEST_BEFORE => "newest version before the new one was stored",
        other => other,
    }
}

/// For people: a span of time in milliseconds, never negative.
fn milliseconds(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.duration_since(from).as_millis()).unwrap_or_default()
}
