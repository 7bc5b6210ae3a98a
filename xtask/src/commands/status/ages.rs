//! How old each secret is.

use jiff::Timestamp;
use platform::{Bound, Error, VersionState};
use rotation::Secret;

use super::look::Looked;
use crate::failure::chain;
use crate::settings;

/// What is known of a secret's age.
pub(super) struct Age {
    pub(super) secret: Secret,
    pub(super) known: Known,
}

/// What is known of it.
pub(super) enum Known {
    /// The version in use and when it was created.
    Version {
        number: u64,
        created_at: Timestamp,
        due_at: Timestamp,
        /// The versions beside it that could be read, the newest first: as long as a run isn't
        /// finished, or until somebody disables them.
        also_enabled: Vec<u64>,
    },
    /// It stands in the service's configuration alone.
    Inline,
    /// The service isn't given it here.
    NotUsed,
    /// It could not be found out.
    Unknown(String),
}

/// The age of the version in use, by what was seen.
pub(super) fn age_of(secret: Secret, settings: &settings::Procedure, looked: &Looked) -> Age {
    let known = match version_in_use(&secret, settings, looked) {
        Ok(Some(InUse {
            number,
            created_at,
            also_enabled,
        })) => Known::Version {
            number,
            created_at,
            due_at: created_at
                .saturating_add(settings.rotate_every)
                .unwrap_or(Timestamp::MAX),
            also_enabled,
        },
        Ok(None) => Known::Inline,
        Err(Unseen::Error(Error::NoVariable { .. })) => Known::NotUsed,
        Err(unseen) => Known::Unknown(unseen.words()),
    };
    Age { secret, known }
}

/// Why something isn't known.
pub(super) enum Unseen<'a> {
    /// The platform said so.
    Error(&'a Error),
    /// A version is in use that can't be read.
    State(Error),
    /// Nothing was answered in time.
    Late,
}

impl Unseen<'_> {
    pub(super) fn words(&self) -> String {
        match self {
            Unseen::Error(error) => chain(*error),
            Unseen::State(error) => chain(error),
            Unseen::Late => "no answer in time".to_owned(),
        }
    }
}

/// The version that services read; of several, the oldest.
struct InUse {
    number: u64,
    created_at: Timestamp,
    also_enabled: Vec<u64>,
}

fn version_in_use<'a>(
    secret: &Secret,
    settings: &settings::Procedure,
    looked: &'a Looked,
) -> Result<Option<InUse>, Unseen<'a>> {
    let store = settings.store_of(secret);
    let binding = store.binding();
    let versions = looked.versions(&store.name)?;
    let mut read = Vec::new();
    for consumer in settings.consumers_of(secret) {
        let service = looked.service(&consumer.service, &binding)?;
        let version = match service.bound {
            Bound::Inline => return Ok(None),
            Bound::Pinned(number) => versions.iter().find(|version| version.number == number),
            Bound::Latest => versions.first(),
        };
        if let Some(version) = version.filter(|version| version.state != VersionState::Enabled) {
            return Err(Unseen::State(Error::VersionState {
                secret: store.name,
                version: version.number,
                state: version.state,
            }));
        }
        read.extend(version);
    }
    let oldest = read.iter().min_by_key(|version| version.number);
    Ok(oldest.map(|oldest| {
        let is_read = |number| read.iter().any(|version| version.number == number);
        let enabled = versions.iter();
        let enabled = enabled.filter(|version| version.state == VersionState::Enabled);
        let others = enabled.filter(|version| !is_read(version.number));
        InUse {
            number: oldest.number.get(),
            created_at: oldest.created_at,
            also_enabled: others.map(|version| version.number.get()).collect(),
        }
    }))
}

impl Age {
    pub(super) fn is_overdue(&self) -> bool {
        matches!(self.known, Known::Version { due_at, .. } if due_at < Timestamp::now())
    }

    pub(super) fn needs_attention(&self) -> bool {
        self.is_overdue() || matches!(self.known, Known::Unknown(_))
    }

    pub(super) fn words(&self) -> String {
        match &self.known {
            Known::Version {
                number,
                created_at,
                due_at,
                also_enabled,
            } => {
                let age = in_words(Timestamp::now().duration_since(*created_at).as_hours() / 24);
                let due = due_at.strftime("%Y-%m-%d");
                let overdue = if self.is_overdue() {
                    "OVERDUE since"
                } else {
                    "due"
                };
                let others: Vec<String> = also_enabled.iter().map(u64::to_string).collect();
                let others = match others.as_slice() {
                    [] => String::new(),
                    others => format!("; also enabled: {}", others.join(", ")),
                };
                format!("version {number}, {age}, {overdue} {due}{others}")
            }
            Known::Inline => "not in the store: its age isn't known".to_owned(),
            Known::NotUsed => "not set here".to_owned(),
            Known::Unknown(reason) => format!("unknown: {reason}"),
        }
    }
}

fn in_words(days: i64) -> String {
    match days {
        ..0 => "stored at a time that is still to come: a clock was or is wrong".to_owned(),
        _ => format!("{days} days old"),
    }
}

#[cfg(test)]
mod tests {
    use super::in_words;

    #[test]
    fn nothing_is_younger_than_now() {
        assert_eq!([0, 400].map(in_words), ["0 days old", "400 days old"]);
        assert!(in_words(-1).contains("a clock"));
    }
}
