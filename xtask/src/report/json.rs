//! Reports for scripts. Names, order and meaning of the fields are a contract:
//! the crate's README has it in words.

use std::time::Duration;

use reencrypt::{Counts, Outcome, PerColumn, SurveyCounts, TableState, UnreadableCell};
use rotation::StoredKey;
use secret::Fingerprint;
use serde::{Serialize, Serializer};

use super::{Rotation, Survey};
use crate::failure::Failure;

#[derive(Serialize)]
struct RotationObject<'a> {
    outcome: &'static str,
    database: Option<&'a str>,
    clients: Option<u64>,
    columns: Option<Columns<CountsObject>>,
    old_key_fingerprints: Vec<String>,
    new_key_fingerprint: Option<String>,
    unreadable_cells: Vec<CellObject<'a>>,
    duration_ms: u64,
    error: Option<ErrorObject<'a>>,
}

#[derive(Serialize)]
struct SurveyObject<'a> {
    outcome: &'static str,
    database: Option<&'a str>,
    clients: Option<u64>,
    columns: Option<Columns<SurveyCountsObject>>,
    old_key_fingerprints: Vec<String>,
    new_key_fingerprint: Option<String>,
    stored_keys: Vec<StoredKeyObject<'a>>,
    unreadable_cells: Vec<CellObject<'a>>,
    unknown_columns: Vec<String>,
    unsearched_tables: Vec<String>,
    duration_ms: u64,
    error: Option<ErrorObject<'a>>,
}

#[derive(Serialize)]
struct StoredKeyObject<'a> {
    fingerprint: String,
    versions: Vec<u64>,
    read_by: Option<&'a [String]>,
}

#[derive(Serialize)]
struct CountsObject {
    scanned: u64,
    reencrypted: u64,
    already_current: u64,
    empty: u64,
    unreadable: u64,
}

#[derive(Serialize)]
struct SurveyCountsObject {
    scanned: u64,
    under: InOrder<u64>,
    empty: u64,
    unreadable: u64,
}

#[derive(Serialize)]
struct CellObject<'a> {
    order_id: &'a str,
    column: &'static str,
    reason: String,
}

#[derive(Serialize)]
struct ErrorObject<'a> {
    message: &'a str,
    hint: Option<&'a str>,
    table: &'static str,
}

/// An object with one field for each encrypted column.
type Columns<T> = InOrder<T>;

/// An object whose fields have the order that they were given in.
struct InOrder<T>(Vec<(String, T)>);

impl<T: Serialize> Serialize for InOrder<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

pub(super) fn rotation(report: &Rotation) -> String {
    let subject = &report.subject;
    on_one_line(&RotationObject {
        outcome: match &report.result {
            Ok(Outcome::Rotated) => "rotated",
            Ok(Outcome::NothingToDo) => "nothing_to_do",
            Ok(Outcome::DryRun) => "dry_run",
            Err(_) => "failed",
        },
        database: subject.database.as_deref(),
        clients: report.clients,
        columns: report
            .columns
            .as_ref()
            .map(|columns| by_name(columns, counts)),
        old_key_fingerprints: texts(&subject.old_keys),
        new_key_fingerprint: subject.new_key.map(|key| key.to_string()),
        unreadable_cells: report.unreadable.kept().iter().map(cell).collect(),
        duration_ms: milliseconds(report.duration),
        error: report.result.as_ref().err().map(error),
    })
}

pub(super) fn survey(report: &Survey) -> String {
    let subject = &report.subject;
    let survey = report.result.as_ref().ok();
    on_one_line(&SurveyObject {
        outcome: if survey.is_some() {
            "surveyed"
        } else {
            "failed"
        },
        database: subject.database.as_deref(),
        clients: survey.map(|survey| survey.clients),
        columns: survey.map(|survey| {
            by_name(&survey.columns, |counts| {
                survey_counts(&survey.keys, counts)
            })
        }),
        old_key_fingerprints: texts(&subject.old_keys),
        new_key_fingerprint: subject.new_key.map(|key| key.to_string()),
        stored_keys: subject
            .stored
            .iter()
            .map(|found| stored_key(found, subject.are_readers_known))
            .collect(),
        unreadable_cells: report.unreadable.kept().iter().map(cell).collect(),
        unknown_columns: survey
            .map(|survey| texts(&survey.unknown_columns))
            .unwrap_or_default(),
        unsearched_tables: survey
            .map(|survey| survey.unsearched_tables.clone())
            .unwrap_or_default(),
        duration_ms: survey
            .map(|survey| milliseconds(survey.duration))
            .unwrap_or_default(),
        error: report.result.as_ref().err().map(error),
    })
}

fn by_name<T, U>(columns: &PerColumn<T>, object: impl Fn(&T) -> U) -> Columns<U> {
    InOrder(
        columns
            .iter()
            .map(|(column, value)| (column.name().to_owned(), object(value)))
            .collect(),
    )
}

fn counts(counts: &Counts) -> CountsObject {
    CountsObject {
        scanned: counts.scanned,
        reencrypted: counts.reencrypted,
        already_current: counts.already_current,
        empty: counts.empty,
        unreadable: counts.unreadable,
    }
}

fn survey_counts(keys: &[Fingerprint], counts: &SurveyCounts) -> SurveyCountsObject {
    SurveyCountsObject {
        scanned: counts.scanned,
        under: InOrder(
            texts(keys)
                .into_iter()
                .zip(counts.under.iter().copied())
                .collect(),
        ),
        empty: counts.empty,
        unreadable: counts.unreadable,
    }
}

fn stored_key(found: &StoredKey, are_readers_known: bool) -> StoredKeyObject<'_> {
    StoredKeyObject {
        fingerprint: found.key.to_string(),
        versions: found.versions.iter().map(|version| version.get()).collect(),
        read_by: Some(found.readers.as_slice())
            .filter(|readers| are_readers_known || !readers.is_empty()),
    }
}

fn cell(cell: &UnreadableCell) -> CellObject<'_> {
    CellObject {
        order_id: &cell.order_id,
        column: cell.column.name(),
        reason: cell.reason.to_string(),
    }
}

fn error(failure: &Failure) -> ErrorObject<'_> {
    ErrorObject {
        message: &failure.message,
        hint: failure.hint.as_deref(),
        table: match failure.table {
            TableState::Untouched => "untouched",
            TableState::RolledBack => "rolled_back",
            TableState::Unknown => "unknown",
        },
    }
}

fn texts<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[expect(
    clippy::expect_used,
    reason = "these structs hold text and numbers, and maps whose keys are text"
)]
fn on_one_line(object: &impl Serialize) -> String {
    serde_json::to_string(object).expect("an object of text and numbers can be written")
}

#[cfg(test)]
mod tests {
    use reencrypt::Column;

    use super::*;
    use crate::cli::Format;
    use crate::report::{Listing, Subject};

    #[test]
    fn the_fields_of_a_rotation_keep_their_names_and_order() {
        let mut columns = PerColumn::<Counts>::default();
        columns[Column::ClientSecret] = Counts {
            scanned: 3,
            reencrypted: 2,
            already_current: 1,
            ..Counts::default()
        };
        columns[Column::RegistrationAccessToken] = Counts {
            scanned: 3,
            empty: 3,
            ..Counts::default()
        };
        let mut report = Rotation {
            subject: Subject {
                database: Some("sqlite:///a.db".to_owned()),
                ..Subject::default()
            },
            clients: Some(3),
            columns: Some(columns),
            unreadable: Listing::of_first(Format::Json),
            duration: Duration::from_millis(12),
            result: Ok(Outcome::Rotated),
        };
        assert_eq!(
            rotation(&report),
            concat!(
                r#"{"outcome":"rotated","database":"sqlite:///a.db","clients":3,"columns":{"#,
                r#""client_secret_encrypted":{"scanned":3,"reencrypted":2,"already_current":1,"#,
                r#""empty":0,"unreadable":0},"registration_access_token_encrypted":{"scanned":3,"#,
                r#""reencrypted":0,"already_current":0,"empty":3,"unreadable":0}},"#,
                r#""old_key_fingerprints":[],"new_key_fingerprint":null,"unreadable_cells":[],"#,
                r#""duration_ms":12,"error":null}"#,
            )
        );
        report.columns = None;
        report.result = Err(Failure::check("no key"));
        assert!(rotation(&report).ends_with(
            r#""duration_ms":12,"error":{"message":"no key","hint":null,"table":"untouched"}}"#
        ));
    }
}
