//! What an examination finds out: what a rotation would fail at, before it begins.

use std::time::Duration;

use jiff::Timestamp;

use crate::error::with_causes;
use crate::{Backups, Binding, Error};

/// What is to be rotated on a platform some day.
#[derive(Clone, Debug)]
pub struct Installation {
    /// Every secret that can be rotated.
    pub rotations: Vec<Rotated>,
    /// A backup older than this doesn't count.
    pub backup_max_age: Duration,
}

/// A secret that can be rotated.
#[derive(Clone, Debug)]
pub struct Rotated {
    /// What its rotation is called.
    pub name: String,
    /// The secret in the store, and the variable in which services read it.
    pub binding: Binding,
    /// The services that read it, by the names that the platform has for them.
    pub services: Vec<String>,
    /// Other secrets in the store that its rotation reads.
    pub also_reads: Vec<String>,
    /// Whether its rotation begins with a backup.
    pub needs_backup: bool,
}

/// What was found out.
#[derive(Clone, Debug, Default)]
pub struct Examination {
    /// Each finding, in the order in which a person would mend them.
    pub findings: Vec<Finding>,
    /// Whether it ended early, because nothing further could be asked.
    pub is_cut_short: bool,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it belongs to: `permissions`, `services`, `database`.
    pub topic: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What was found, without any value.
    pub text: String,
    /// The rotations that it would stop, by their names.
    pub stops: Vec<String>,
    /// The commands that mend it; advice where no command does.
    pub mend: Vec<String>,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As it should be.
    Fine,
    /// Odd, but no rotation fails of it.
    Warning,
    /// A rotation would fail, or nobody can tell whether it would.
    Fault,
}

impl Installation {
    /// The names of the rotations that a service has a part in.
    pub(crate) fn rotations_of(&self, service: &str) -> Vec<String> {
        self.names(|rotated| rotated.services.iter().any(|name| name == service))
    }

    /// The names of the rotations that begin with a backup.
    pub(crate) fn rotations_with_backup(&self) -> Vec<String> {
        self.names(|rotated| rotated.needs_backup)
    }

    /// The names of all rotations.
    pub(crate) fn all(&self) -> Vec<String> {
        self.names(|_| true)
    }

    fn names(&self, is_meant: impl Fn(&Rotated) -> bool) -> Vec<String> {
        let meant = self.rotations.iter().filter(|rotated| is_meant(rotated));
        meant.map(|rotated| rotated.name.clone()).collect()
    }

    /// The services, each once.
    pub(crate) fn services(&self) -> Vec<&str> {
        let mut services: Vec<&str> = Vec::new();
        for name in self.rotations.iter().flat_map(|one| &one.services) {
            if !services.contains(&name.as_str()) {
                services.push(name);
            }
        }
        services
    }
}

impl Finding {
    /// Something as it should be.
    pub fn fine(topic: &'static str, text: impl Into<String>) -> Finding {
        Finding {
            topic,
            level: Level::Fine,
            text: text.into(),
            stops: Vec::new(),
            mend: Vec::new(),
        }
    }

    /// Something odd.
    pub fn warning(topic: &'static str, text: impl Into<String>) -> Finding {
        Finding {
            level: Level::Warning,
            ..Finding::fine(topic, text)
        }
    }

    /// Something that stops rotations.
    pub fn fault(topic: &'static str, text: impl Into<String>, stops: Vec<String>) -> Finding {
        Finding {
            level: Level::Fault,
            stops,
            ..Finding::fine(topic, text)
        }
    }

    /// Something that could not be found out, or isn't there.
    pub(crate) fn of_error(topic: &'static str, error: &Error, stops: Vec<String>) -> Finding {
        let finding = Finding::fault(topic, with_causes(error), stops);
        match error.hint() {
            Some(hint) => finding.mended_by(bare(&hint)),
            None => finding,
        }
    }

    /// With one more command, or advice.
    pub fn mended_by(mut self, command: impl Into<String>) -> Finding {
        self.mend.push(command.into());
        self
    }
}

/// A command that is all of an advice, ready to be copied.
fn bare(hint: &str) -> &str {
    let command = hint
        .strip_prefix('`')
        .and_then(|rest| rest.strip_suffix('`'));
    command.filter(|text| !text.contains('`')).unwrap_or(hint)
}

/// Looks at the newest backup. A rotation makes one where there is none that counts.
pub(crate) async fn of_backups(backups: &dyn Backups, installation: &Installation) -> Finding {
    const TOPIC: &str = "backups";
    let newest = match backups.newest().await {
        Ok(newest) => newest,
        Err(error) => {
            return Finding::of_error(TOPIC, &error, installation.rotations_with_backup());
        }
    };
    let makes_one = "a rotation that needs one makes it first, which takes its time";
    let Some(newest) = newest else {
        return Finding::warning(TOPIC, format!("there is no complete backup: {makes_one}"));
    };
    let age = Timestamp::now().duration_since(newest.taken_at);
    let text = format!("the newest backup is `{}`, {}", newest.name, in_words(age));
    if age.unsigned_abs() > installation.backup_max_age {
        return Finding::warning(TOPIC, format!("{text}: {makes_one}"));
    }
    Finding::fine(TOPIC, text)
}

fn in_words(age: jiff::SignedDuration) -> String {
    let hours = age.as_hours();
    match hours {
        ..1 => "less than an hour old".to_owned(),
        1..48 => format!("{hours} h old"),
        _ => format!("{} days old", hours / 24),
    }
}
