//! Odd rows and odd cells.
use std::collections::BTreeMap;

use anyhow::Result;
use reencrypt::{Column, Error, Outcome, TableState, Unreadable};

use super::run::{Rotation, counts};
use crate::subject::{Backend, FOREIGN, NEW, OLD, Opened, Row, Subject, token};

const ISSUED_AT: u64 = 1_715_000_000;

pub(super) async fn odd_order_ids_are_kept(backend: Backend) -> Result<()> {
    let long = "x".repeat(240);
    let order_ids = [
        "",
        " ",
        "'; DROP TABLE dcr_clients; --",
        "\"quoted\"",
        "back\\slash %s $1 ?1 :name",
        "two\nlines\r\n",
        "\ttab\u{1b}[2J",
        "naïve 密码 𝕊 \u{202e}txet",
        "null",
        "0",
        &long,
    ];
    let subject = Subject::create(backend).await?;
    let mut rows = Vec::new();
    for order_id in order_ids {
        rows.push(Row::new(
            order_id,
            token(format!("of {order_id}"), ISSUED_AT, OLD)?,
        ));
    }
    subject.insert(&rows).await?;
    let before = subject.rows().await?;
    let ran = Rotation::of(&subject).run().await?;
    assert_eq!(ran.done()?.clients, order_ids.len() as u64);
    let after = subject.rows().await?;
    assert_eq!(after.len(), order_ids.len());
    for (row, was) in after.iter().zip(&before) {
        let expected = Opened::new(format!("of {}", row.order_id), ISSUED_AT);
        assert_eq!(
            row.opened(NEW),
            [Some(expected), None],
            "{:?}",
            row.order_id
        );
        assert_eq!((&row.order_id, &row.others), (&was.order_id, &was.others));
    }
    Ok(())
}

/// Also those of clocks that were wrong: the service checks no time-to-live.
pub(super) async fn odd_issue_times_are_kept(backend: Backend) -> Result<()> {
    let times = [
        0,
        1,
        59,
        60,
        ISSUED_AT,
        4_102_444_800,
        u64::from(u32::MAX) + 1,
        1 << 63,
        u64::MAX - 60,
        u64::MAX,
    ];
    let subject = Subject::create(backend).await?;
    let mut rows = Vec::new();
    for (number, time) in times.into_iter().enumerate() {
        let cell = token("of that time", time, OLD)?;
        rows.push(Row::new(number.to_string(), cell.clone()).with_registration(cell));
    }
    subject.insert(&rows).await?;
    let ran = Rotation::of(&subject).run().await?;
    assert_eq!(ran.done()?.columns, counts([10, 0, 0, 0], [10, 0, 0, 0]));
    for (row, time) in subject.rows().await?.iter().zip(times) {
        let expected = Some(Opened::new("of that time", time));
        assert_eq!(row.opened(NEW), [expected.clone(), expected]);
    }
    Ok(())
}

pub(super) async fn odd_plaintexts_are_kept(backend: Backend) -> Result<()> {
    let plaintexts = [
        Vec::new(),
        vec![0],
        b"fifteen bytes--".to_vec(),
        b"sixteen bytes---".to_vec(),
        b"seventeen bytes--".to_vec(),
        (0..=255).collect(),
        b"'\"\\\n".to_vec(),
        vec![b'x'; 200_000],
    ];
    let subject = Subject::create(backend).await?;
    let mut rows = Vec::new();
    for (number, plaintext) in plaintexts.iter().enumerate() {
        rows.push(Row::new(
            number.to_string(),
            token(plaintext, ISSUED_AT, OLD)?,
        ));
    }
    subject.insert(&rows).await?;
    Rotation::of(&subject).run().await?.done()?;
    let after = subject.rows().await?;
    assert_eq!(after.len(), plaintexts.len());
    for (row, plaintext) in after.iter().zip(&plaintexts) {
        let expected = Opened::new(plaintext.as_slice(), ISSUED_AT);
        assert!(
            row.opened(NEW)[0].as_ref() == Some(&expected),
            "{}",
            row.order_id
        );
    }
    Ok(())
}

/// In either column; a null is empty, an empty string is not.
pub(super) async fn each_kind_of_unreadable_cell_has_its_reason(backend: Backend) -> Result<()> {
    let good = token("good", ISSUED_AT, OLD)?;
    let of_nobody = token("of nobody", ISSUED_AT, FOREIGN)?;
    let damaged = damaged(&good);
    let kinds = [
        ("", Unreadable::EmptyString),
        ("p", Unreadable::NotBase64),
        ("hunter2hunter2=", Unreadable::NotBase64),
        (" \n", Unreadable::WrongLength),
        ("密码", Unreadable::WrongLength),
        (&good[..96], Unreadable::WrongLength),
        ("hunter2hunter2hunter2hunter2", Unreadable::NotAToken),
        (OLD, Unreadable::NotAToken),
        (&of_nobody, Unreadable::NoKeyOpensIt),
        (&damaged, Unreadable::NoKeyOpensIt),
    ];
    let subject = Subject::create(backend).await?;
    let mut rows = vec![Row::new("a good one", good.clone())];
    let mut expected = BTreeMap::new();
    for (number, (cell, reason)) in kinds.into_iter().enumerate() {
        let (secret, registration) = (format!("{number}/secret"), format!("{number}/registration"));
        rows.push(Row::new(&secret, cell));
        rows.push(Row::new(&registration, good.clone()).with_registration(cell));
        expected.insert((secret, Column::ClientSecret), reason);
        expected.insert((registration, Column::RegistrationAccessToken), reason);
    }
    subject.insert(&rows).await?;
    let before = subject.footprint().await?;
    let ran = Rotation::of(&subject).run().await?;
    let (_, table) = ran.failed()?;
    assert_eq!(table, TableState::RolledBack);
    assert_eq!(ran.unreadable, expected);
    let columns = ran.result.as_ref().err().and_then(|failed| failed.columns);
    let columns = columns.map(|columns| columns.0.map(|counts| (counts.unreadable, counts.empty)));
    assert_eq!(columns, Some([(10, 0), (10, 11)]));
    assert!(
        subject.footprint().await? == before,
        "something was written"
    );
    Ok(())
}

/// One cell that a key opens shows that it isn't the keys of another database that were given.
pub(super) async fn unreadable_cells_beside_current_ones_are_not_all(
    backend: Backend,
) -> Result<()> {
    let subject = Subject::create(backend).await?;
    let current = Row::new("current", token("current", ISSUED_AT, NEW)?);
    let foreign = Row::new("foreign", token("of nobody", ISSUED_AT, FOREIGN)?);
    subject.insert(&[current, foreign]).await?;
    let ran = Rotation::of(&subject).run().await?;
    let (error, _) = ran.failed()?;
    let expected = Error::UnreadableCells {
        cells: 1,
        scanned: 2,
        all: false,
    };
    assert_eq!(format!("{error:?}"), format!("{expected:?}"));
    Ok(())
}

pub(super) async fn a_noncanonical_token_under_the_new_key_is_current(
    backend: Backend,
) -> Result<()> {
    let subject = Subject::create(backend).await?;
    let cell = format!("{}\n", token("current", ISSUED_AT, NEW)?);
    subject.insert(&[Row::new("order", cell)]).await?;
    let before = subject.footprint().await?;
    let ran = Rotation::of(&subject).run().await?;
    assert_eq!(ran.done()?.outcome, Outcome::NothingToDo);
    assert_eq!(ran.done()?.columns, counts([0, 1, 0, 0], [0, 0, 1, 0]));
    assert!(
        subject.footprint().await? == before,
        "something was written"
    );
    Ok(())
}

/// The token with one character in the middle replaced.
fn damaged(token: &str) -> String {
    let (start, end) = token.split_at(token.len() / 2);
    let other = if end.starts_with('A') { "B" } else { "A" };
    format!("{start}{other}{}", &end[1..])
}
