//! What a command has to say at its end, for people and for scripts.

mod human;
mod json;
mod listing;
pub(crate) mod plan;
mod stored;
mod table;

use std::time::Duration;

use reencrypt::{Counts, Outcome, PerColumn};
use rotation::StoredKey;
use secret::{Fingerprint, VersionNumber};

pub(crate) use self::listing::Listing;
use crate::cli::{Format, Place};
use crate::exit_code;
use crate::failure::Failure;
use crate::output::Printer;
use crate::settings;

/// A rotation, however far it came.
pub(crate) struct Rotation {
    /// What it was to work on, where it came to know that.
    pub(crate) subject: Subject,
    /// Rows in the table, where they were counted.
    pub(crate) clients: Option<u64>,
    /// The counts, where the table was read to its end.
    pub(crate) columns: Option<PerColumn<Counts>>,
    /// Cells that no key opens.
    pub(crate) unreadable: Listing,
    /// From waiting for the lock to the end; nothing if it didn't come to that.
    pub(crate) duration: Duration,
    /// How it ended.
    pub(crate) result: Result<Outcome, Failure>,
}

/// A survey, however far it came.
pub(crate) struct Survey {
    /// What it was to work on, where it came to know that.
    pub(crate) subject: Subject,
    /// Cells that no key opens.
    pub(crate) unreadable: Listing,
    /// How it ended.
    pub(crate) result: Result<reencrypt::Survey, Failure>,
}

/// A database and the keys for it, in a form that can be shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Subject {
    /// The URL, masked.
    pub(crate) database: Option<String>,
    /// The old keys.
    pub(crate) old_keys: Vec<Fingerprint>,
    /// The new key.
    pub(crate) new_key: Option<Fingerprint>,
    /// Where the keys were found, where nobody gave any.
    pub(crate) stored: Vec<StoredKey>,
    /// The versions whose keys are not among them, since they are disabled.
    pub(crate) disabled: Vec<VersionNumber>,
    /// Whether it is known of each service which key it reads.
    pub(crate) are_readers_known: bool,
    /// What was typed of the place, to be typed again.
    pub(crate) typed: Place,
}

impl Rotation {
    /// Prints it.
    pub(crate) fn print(&self, format: Format, printer: &Printer) {
        match format {
            Format::Human => human::print_rotation(self, printer),
            Format::Json => printer.json(&json::rotation(self)),
        }
        if let Err(failure) = &self.result {
            printer.failure(failure);
        }
    }

    /// What the process exits with.
    pub(crate) fn exit_code(&self) -> u8 {
        self.result
            .as_ref()
            .map_or_else(|failure| failure.exit_code, |_| exit_code::DONE)
    }
}

impl Survey {
    /// Prints it.
    pub(crate) fn print(&self, format: Format, printer: &Printer) {
        match format {
            Format::Human => human::print_survey(self, printer),
            Format::Json => printer.json(&json::survey(self)),
        }
        if let Err(failure) = &self.result {
            printer.failure(failure);
        }
    }

    /// What the process exits with.
    pub(crate) fn exit_code(&self) -> u8 {
        match &self.result {
            Err(failure) => failure.exit_code,
            Ok(survey)
                if survey
                    .columns
                    .iter()
                    .any(|(_, counts)| counts.unreadable > 0) =>
            {
                exit_code::CHECK_FAILED
            }
            Ok(_) => exit_code::DONE,
        }
    }
}

impl Subject {
    /// Of a database and the keys for it.
    pub(crate) fn new(database: &settings::Database, keyring: &reencrypt::Keyring) -> Subject {
        Subject {
            database: Some(database.url.to_string()),
            old_keys: keyring.old_keys(),
            new_key: keyring.new_key(),
            ..Subject::default()
        }
    }
}
