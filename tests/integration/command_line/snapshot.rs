//! Snapshots of what is printed, without what differs from run to run.
use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::subject::Subject;

/// Compares a text with the file of that name under `snapshots/`.
pub(crate) fn assert_file_snapshot(name: impl AsRef<str>, text: impl AsRef<str>) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name.as_ref(), text.as_ref()));
}

/// A report without times and places, each of which is looked at before it is hidden.
pub(super) fn redacted(mut report: Value, subject: &Subject) -> Result<String> {
    let fields = report.as_object_mut().context("an object")?;
    let duration = fields.get_mut("duration_ms").context("a duration")?;
    assert!(duration.is_u64(), "{duration}");
    *duration = json!("[milliseconds]");
    let database = fields.get_mut("database").context("a database")?;
    if !database.is_null() {
        assert_eq!(*database, json!(masked(&subject.url())));
        *database = json!("[masked URL]");
    }
    Ok(places_hidden(
        &serde_json::to_string_pretty(&report)?,
        subject,
    ))
}

/// The text with times, folders, ports and names of this run hidden.
pub(super) fn hidden(text: &str, subject: &Subject) -> String {
    seconds_hidden(&places_hidden(text, subject))
}

/// The URL as it may be printed.
pub(super) fn masked(url: &str) -> String {
    let Some((login, rest)) = url.rsplit_once('@') else {
        return url.to_owned();
    };
    let user = login.rsplit_once(':').map_or(login, |(user, _)| user);
    format!("{user}:***@{rest}")
}

fn places_hidden(text: &str, subject: &Subject) -> String {
    match subject {
        Subject::Sqlite(file) => text.replace(&file.folder().display().to_string(), "[folder]"),
        Subject::Postgres(database) => {
            let server = database.server();
            text.replace(&masked(&database.url()), "[masked URL]")
                .replace(&format!("{}:{}", server.host(), server.port()), "[server]")
                .replace(database.name(), "[database]")
        }
    }
}

/// `in 0.02 s` as `in [seconds] s`.
fn seconds_hidden(text: &str) -> String {
    let words = text.split(' ').collect::<Vec<_>>();
    let is_number = |word: &str| word.contains('.') && word.parse::<f64>().is_ok();
    let is_seconds =
        |word: &str| word.starts_with('s') && !word[1..].starts_with(char::is_alphanumeric);
    let hide = |(index, word): (usize, &&str)| {
        let next = words.get(index + 1).copied().unwrap_or_default();
        let hides = is_number(word) && is_seconds(next);
        if hides {
            "[seconds]".to_owned()
        } else {
            (*word).to_owned()
        }
    };
    words
        .iter()
        .enumerate()
        .map(hide)
        .collect::<Vec<_>>()
        .join(" ")
}
