//! Runs with several keys, with too few, and with those of another database.
use anyhow::{Context as _, Result};
use reencrypt::{Error, TableState, Unreadable};

use super::run::{Rotation, counts};
use crate::subject::{Backend, FOREIGN, NEW, OLD, OLDER, Row, Subject, token};

pub(super) async fn several_old_keys_are_replaced_at_once(backend: Backend) -> Result<()> {
    let subject = Subject::create(backend).await?;
    let mut rows = Vec::new();
    for (number, key) in [OLD, OLDER, FOREIGN, NEW]
        .into_iter()
        .cycle()
        .take(40)
        .enumerate()
    {
        let cell = token(format!("secret {number}"), 1_700_000_000, key)?;
        rows.push(Row::new(format!("order-{number:02}"), cell));
    }
    subject.insert(&rows).await?;
    let rotation = Rotation::of(&subject).keys(&[OLDER, FOREIGN, OLD], NEW);
    let ran = rotation.run().await?;
    assert_eq!(ran.done()?.columns, counts([30, 10, 0, 0], [0, 0, 40, 0]));
    for (number, row) in subject.rows().await?.iter().enumerate() {
        let opened = row.opened(NEW)[0].clone().context("it opens")?;
        assert_eq!(opened.plaintext, format!("secret {number}").into_bytes());
    }
    Ok(())
}

pub(super) async fn a_key_that_is_missing_stops_the_run(backend: Backend) -> Result<()> {
    let subject = Subject::with_clients(backend, 5).await?;
    let stray = Row::new("stray", token("stray", 1_700_000_000, OLDER)?);
    subject.insert(&[stray]).await?;
    let before = subject.footprint().await?;
    let ran = Rotation::of(&subject).run().await?;
    let (error, table) = ran.failed()?;
    let one_of_nine = matches!(
        error,
        Error::UnreadableCells {
            cells: 1,
            scanned: 9,
            all: false
        }
    );
    assert!(one_of_nine, "{error:?}");
    assert_eq!(table, TableState::RolledBack);
    let reasons: Vec<_> = ran.unreadable.values().collect();
    assert_eq!(reasons, [&Unreadable::NoKeyOpensIt]);
    assert!(
        subject.footprint().await? == before,
        "something was written"
    );
    Rotation::of(&subject)
        .keys(&[OLD, OLDER], NEW)
        .run()
        .await?
        .done()?;
    Ok(())
}

pub(super) async fn keys_of_another_database_are_told_apart_from_damaged_cells(
    backend: Backend,
) -> Result<()> {
    let subject = Subject::with_clients(backend, 4).await?;
    let ran = Rotation::of(&subject).keys(&[OLDER], FOREIGN).run().await?;
    let (error, _) = ran.failed()?;
    let none = matches!(
        error,
        Error::UnreadableCells {
            cells: 7,
            scanned: 7,
            all: true
        }
    );
    assert!(none, "{error:?}");
    let hint = error.hint().context("a hint")?;
    assert!(
        hint.contains("are these the keys of this database?"),
        "{hint}"
    );
    Ok(())
}
