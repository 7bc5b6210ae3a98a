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
        Ok(Some((number, created_at))) => Known::Version {
            number,
            created_at,
            due_at: created_at
                .saturating_add(settings.rotate_every)
                .unwrap_or(Timestamp::MAX),
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

fn version_in_use<'a>(
    secret: &Secret,
    settings: &settings::Procedure,
    looked: &'a Looked,
) -> Result<Option<(u64, Timestamp)>, Unseen<'a>> {
    let store = settings.store_of(secret);
    let binding = store.binding();
    let versions = looked.versions(&store.name)?;
    let mut in_use = None;
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
        // Of several services, the one with the oldest version counts.
        let found = version.map(|version| (version.number.get(), version.created_at));
        in_use = match (in_use, found) {
            (Some(one), Some(other)) => Some(std::cmp::min(one, other)),
            (one, other) => one.or(other),
        };
    }
    Ok(in_use)
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
            } => {
                let age = in_words(Timestamp::now().duration_since(*created_at).as_hours() / 24);
                let due = due_at.strftime("%Y-%m-%d");
                let overdue = if self.is_overdue() {
                    "OVERDUE since"
                } else {
                    "due"
                };
                format!("version {number}, {age}, {overdue} {due}")
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
