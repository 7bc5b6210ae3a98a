//! The databases that the service wrote yield what `fixtures/expected.json` says.
use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use reencrypt::{Column, Error, Outcome, TableState, Unreadable};
use serde_json::Value;

use super::run::{Rotation, counts, survey};
use crate::subject::{
    Backend, FOREIGN, NEW, OLD, OLDER, Opened, Row, Subject, expected, is_canonical,
};

const SECRET: Column = Column::ClientSecret;
const REGISTRATION: Column = Column::RegistrationAccessToken;

pub(super) async fn healthy_tokens_come_back_exactly(backend: Backend) -> Result<()> {
    let subject = Subject::fixture(backend, "healthy").await?;
    let before = subject.rows().await?;
    let ran = Rotation::of(&subject).run().await?;
    assert_eq!(ran.done()?.outcome, Outcome::Rotated);
    assert_eq!(ran.done()?.clients, 12);
    assert_eq!(ran.done()?.columns, counts([12, 0, 0, 0], [4, 0, 8, 0]));

    let expected = expected()?;
    let healthy = expected["healthy"].as_object().context("an object")?;
    let after = subject.rows().await?;
    assert_eq!(after.len(), healthy.len());
    for (row, was) in after.iter().zip(&before) {
        let expected = &healthy[&row.order_id];
        let issued_at = expected["timestamp"].as_u64().context("a time")?;
        let opened = |text: &Value| text.as_str().map(|text| Opened::new(text, issued_at));
        let cells =
            ["client_secret", "registration_access_token"].map(|name| opened(&expected[name]));
        assert_eq!(row.opened(NEW), cells, "{}", row.order_id);
        assert_eq!(row.opened(OLD), [None, None], "{}", row.order_id);
        assert_cells_are_canonical(row);
        assert_eq!((&row.order_id, &row.others), (&was.order_id, &was.others));
    }
    Ok(())
}

pub(super) async fn mixed_keys_end_under_the_new_key(backend: Backend) -> Result<()> {
    let subject = Subject::fixture(backend, "mixed_keys").await?;
    let before = subject.rows().await?;
    let expected = expected()?["mixed_keys"].clone();
    let mut opened = BTreeMap::new();
    for (list, key) in [
        ("under_old", OLD),
        ("under_new", NEW),
        ("under_older", OLDER),
    ] {
        for cell in expected[list].as_array().context("a list")? {
            let (row, column) = cell_of(&before, cell.as_str().context("a cell")?)?;
            let found = row.opened(key)[column as usize].clone();
            opened.insert((row.order_id.clone(), column), found.context("it opens")?);
        }
    }

    let ran = Rotation::of(&subject)
        .keys(&[OLD, OLDER], NEW)
        .run()
        .await?;
    assert_eq!(ran.done()?.outcome, Outcome::Rotated);
    assert_eq!(ran.done()?.columns, counts([4, 2, 0, 0], [1, 1, 4, 0]));
    let mut after = BTreeMap::new();
    for (row, was) in subject.rows().await?.iter().zip(&before) {
        assert_eq!((&row.order_id, &row.others), (&was.order_id, &was.others));
        for (column, found) in Column::ALL.into_iter().zip(row.opened(NEW)) {
            found.map(|found| after.insert((row.order_id.clone(), column), found));
        }
        if was.opened(NEW)[0].is_some() {
            assert_eq!(row.client_secret, was.client_secret, "it was current");
        }
    }
    assert_eq!(after, opened);
    Ok(())
}

pub(super) async fn noncanonical_tokens_are_read_and_written_canonical(
    backend: Backend,
) -> Result<()> {
    let subject = Subject::fixture(backend, "noncanonical").await?;
    let before = subject.rows().await?;
    for row in &before {
        assert!(!is_canonical(&row.client_secret), "{}", row.order_id);
    }

    let ran = Rotation::of(&subject).run().await?;
    assert_eq!(ran.done()?.columns, counts([7, 0, 0, 0], [0, 0, 7, 0]));
    let expected = expected()?;
    let plaintext = expected["noncanonical"]["plaintext"].as_str();
    let plaintext = plaintext.context("a plaintext")?;
    for row in subject.rows().await? {
        let cell = Some(Opened::new(plaintext, 1_715_000_000));
        assert_eq!(row.opened(NEW), [cell, None], "{}", row.order_id);
        assert_cells_are_canonical(&row);
    }
    Ok(())
}

pub(super) async fn unreadable_cells_are_all_named_and_nothing_is_changed(
    backend: Backend,
) -> Result<()> {
    let subject = Subject::fixture(backend, "unreadable").await?;
    let before = subject.footprint().await?;
    let expected = expected()?;
    let listed = expected["unreadable"].as_object().context("an object")?;
    let rows = subject.rows().await?;
    let mut cells = BTreeMap::new();
    for (cell, reason) in listed {
        let (row, column) = cell_of(&rows, cell)?;
        let reason = reason.as_str().context("a reason")?;
        cells.insert((row.order_id.clone(), column), reasons_for(reason)?);
    }

    let dry = Rotation::of(&subject).dry().run().await?;
    let real = Rotation::of(&subject).run().await?;
    for ran in [dry, real] {
        let (error, table) = ran.failed()?;
        let expected = Error::UnreadableCells {
            cells: 6,
            scanned: 8,
            all: false,
        };
        assert_eq!(error.to_string(), expected.to_string());
        assert_eq!(table, TableState::RolledBack);
        assert!(
            ran.unreadable.keys().eq(cells.keys()),
            "{:?}",
            ran.unreadable
        );
        for (place, reason) in &ran.unreadable {
            assert!(cells[place].contains(reason), "{place:?}: {reason:?}");
        }
    }
    assert!(
        subject.footprint().await? == before,
        "something was written"
    );
    Ok(())
}

pub(super) async fn a_survey_counts_each_fixture_by_key(backend: Backend) -> Result<()> {
    // In the order new, old, older; then empty and unreadable.
    for (name, clients, secrets, registrations) in [
        ("empty", 0, [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]),
        ("healthy", 12, [0, 12, 0, 0, 0], [0, 4, 0, 8, 0]),
        ("mixed_keys", 6, [2, 3, 1, 0, 0], [1, 1, 0, 4, 0]),
        ("noncanonical", 7, [0, 7, 0, 0, 0], [0, 0, 0, 7, 0]),
        ("unreadable", 7, [0, 2, 0, 0, 5], [0, 0, 0, 6, 1]),
    ] {
        let subject = Subject::fixture(backend, name).await?;
        let (survey, unreadable) = survey(&subject.url(), &[OLD, OLDER], Some(NEW)).await?;
        assert_eq!(survey.clients, clients, "{name}");
        let found = survey.columns.0.map(|counts| {
            assert_eq!(counts.scanned, clients, "{name}");
            let mut found = counts.under;
            found.extend([counts.empty, counts.unreadable]);
            found
        });
        assert_eq!(found, [secrets, registrations].map(Vec::from), "{name}");
        assert_eq!(unreadable.len() as u64, secrets[4] + registrations[4]);
        assert_eq!(survey.unknown_columns, [], "{name}");
    }
    // With a key that has nothing to do with it, every token is unreadable.
    let subject = Subject::fixture(backend, "healthy").await?;
    let (survey, unreadable) = survey(&subject.url(), &[FOREIGN], None).await?;
    assert_eq!(survey.columns[SECRET].unreadable, 12);
    assert_eq!(unreadable.len(), 16);
    assert!(
        unreadable
            .values()
            .all(|reason| *reason == Unreadable::NoKeyOpensIt)
    );
    Ok(())
}

/// A cell by the fixture's name for it, such as `order-0003/registration`.
fn cell_of<'a>(rows: &'a [Row], cell: &str) -> Result<(&'a Row, Column)> {
    let (order_id, column) = cell.split_once('/').context("a slash")?;
    let row = rows.iter().find(|row| row.order_id == order_id);
    let column = match column {
        "secret" => SECRET,
        _ => REGISTRATION,
    };
    Ok((row.context("a row")?, column))
}

/// What may be said of a cell that the fixture describes so. A text that was never
/// encrypted fails wherever it first differs from a token.
fn reasons_for(description: &str) -> Result<&'static [Unreadable]> {
    Ok(match description {
        "one ciphertext character changed" | "a key nobody has" => &[Unreadable::NoKeyOpensIt],
        "empty string" => &[Unreadable::EmptyString],
        "truncated" => &[Unreadable::WrongLength, Unreadable::NotBase64],
        "never encrypted" => &[Unreadable::NotAToken, Unreadable::NotBase64],
        other => anyhow::bail!("no reason is known for `{other}`"),
    })
}

fn assert_cells_are_canonical(row: &Row) {
    let registration = row.registration_access_token.iter();
    for cell in std::iter::once(&row.client_secret).chain(registration) {
        assert!(is_canonical(cell), "{}", row.order_id);
    }
}
