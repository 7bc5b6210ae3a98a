//! What a run does to a table, and what the next run makes of it.
use anyhow::{Context as _, Result};
use reencrypt::{Error, Outcome, Phase, TableState};

use super::run::{Rotation, counts, survey};
use crate::subject::{Backend, NEW, OLD, Row, Subject, clients, token};

/// Two pages, and half of a third.
const SEVERAL_PAGES: u64 = 5_001;

pub(super) async fn a_rotation_keeps_plaintexts_times_and_all_other_columns(
    backend: Backend,
) -> Result<()> {
    let subject = Subject::with_clients(backend, 25).await?;
    let before = subject.rows().await?;
    let ran = Rotation::of(&subject).run().await?;
    assert_eq!(ran.done()?.outcome, Outcome::Rotated);
    assert_eq!(ran.done()?.columns, counts([25, 0, 0, 0], [9, 0, 16, 0]));
    let phases = [
        Phase::Locking,
        Phase::Reencrypting,
        Phase::Verifying,
        Phase::Committing,
    ];
    assert_eq!(ran.phases, phases);
    assert_rotated(&before, &subject.rows().await?);
    Ok(())
}

pub(super) async fn a_second_run_writes_nothing_and_says_so(backend: Backend) -> Result<()> {
    let subject = Subject::with_clients(backend, 30).await?;
    Rotation::of(&subject).run().await?.done()?;
    let before = subject.footprint().await?;
    let ran = Rotation::of(&subject).run().await?;
    assert_eq!(ran.done()?.outcome, Outcome::NothingToDo);
    assert_eq!(ran.done()?.clients, 30);
    assert_eq!(ran.done()?.columns, counts([0, 30, 0, 0], [0, 9, 21, 0]));
    // The first pass opened every cell with the new key: there is nothing to read back.
    assert_eq!(ran.phases, [Phase::Locking, Phase::Reencrypting]);
    assert!(
        subject.footprint().await? == before,
        "something was written"
    );
    Ok(())
}

pub(super) async fn a_mixed_state_is_repaired_and_current_cells_are_left_alone(
    backend: Backend,
) -> Result<()> {
    let subject = Subject::with_clients(backend, 10).await?;
    Rotation::of(&subject).run().await?.done()?;
    let current = subject.rows().await?;
    // As an old instance of the service would write meanwhile.
    let late = Row::new("late", token("late", 1_800_000_000, OLD)?).with_registration(token(
        "late, too",
        1_800_000_001,
        NEW,
    )?);
    subject.insert(std::slice::from_ref(&late)).await?;

    let ran = Rotation::of(&subject).run().await?;
    assert_eq!(ran.done()?.columns, counts([1, 10, 0, 0], [0, 4, 7, 0]));
    let rows = subject.rows().await?;
    let (swept, others): (Vec<Row>, Vec<Row>) =
        rows.into_iter().partition(|row| row.order_id == "late");
    assert!(
        others == current,
        "cells under the new key were written again"
    );
    let swept = swept.first().context("the late row")?;
    assert_eq!(swept.opened(NEW)[0], late.opened(OLD)[0]);
    assert_eq!(
        swept.registration_access_token,
        late.registration_access_token
    );
    Ok(())
}

pub(super) async fn a_rotation_can_be_turned_back(backend: Backend) -> Result<()> {
    let subject = Subject::with_clients(backend, 12).await?;
    let before = subject.rows().await?;
    Rotation::of(&subject).run().await?.done()?;
    let back = Rotation::of(&subject).keys(&[NEW], OLD).run().await?;
    assert_eq!(back.done()?.outcome, Outcome::Rotated);
    let opened = |rows: &[Row]| rows.iter().map(|row| row.opened(OLD)).collect::<Vec<_>>();
    assert_eq!(opened(&subject.rows().await?), opened(&before));
    Ok(())
}

pub(super) async fn a_dry_run_verifies_and_changes_nothing(backend: Backend) -> Result<()> {
    let subject = Subject::with_clients(backend, 30).await?;
    let before = subject.footprint().await?;
    let ran = Rotation::of(&subject).dry().run().await?;
    assert_eq!(ran.done()?.outcome, Outcome::DryRun);
    assert_eq!(ran.done()?.columns, counts([30, 0, 0, 0], [9, 0, 21, 0]));
    assert_eq!(
        ran.phases,
        [Phase::Locking, Phase::Reencrypting, Phase::Verifying]
    );
    assert!(
        subject.footprint().await? == before,
        "something was written"
    );
    Ok(())
}

pub(super) async fn a_dry_run_with_nothing_to_do_is_still_a_dry_run(
    backend: Backend,
) -> Result<()> {
    let subject = Subject::with_clients(backend, 3).await?;
    Rotation::of(&subject).run().await?.done()?;
    let ran = Rotation::of(&subject).dry().run().await?;
    assert_eq!(ran.done()?.outcome, Outcome::DryRun);
    assert_eq!(ran.done()?.columns, counts([0, 3, 0, 0], [0, 3, 0, 0]));
    Ok(())
}

pub(super) async fn rows_of_several_pages_are_all_rewritten(backend: Backend) -> Result<()> {
    let subject = Subject::with_clients(backend, SEVERAL_PAGES).await?;
    let before = subject.rows().await?;
    let ran = Rotation::of(&subject).run().await?;
    assert_eq!(ran.done()?.clients, SEVERAL_PAGES);
    assert_eq!(
        ran.done()?.columns,
        counts([5_001, 0, 0, 0], [1_501, 0, 3_500, 0])
    );
    let of_a_pass = [2_000, 4_000, SEVERAL_PAGES].map(|done| (done, SEVERAL_PAGES));
    assert_eq!(ran.progress, [of_a_pass, of_a_pass].concat());
    assert_rotated(&before, &subject.rows().await?);
    Ok(())
}

pub(super) async fn an_unreadable_cell_on_the_last_page_undoes_the_pages_before(
    backend: Backend,
) -> Result<()> {
    let subject = Subject::with_clients(backend, SEVERAL_PAGES).await?;
    subject.insert(&[Row::new("the last", "hunter2")]).await?;
    let before = subject.footprint().await?;
    let ran = Rotation::of(&subject).run().await?;
    let (error, table) = ran.failed()?;
    assert!(
        matches!(error, Error::UnreadableCells { cells: 1, .. }),
        "{error:?}"
    );
    assert_eq!(table, TableState::RolledBack);
    assert!(
        subject.footprint().await? == before,
        "something was written"
    );
    Ok(())
}

pub(super) async fn an_empty_table_is_a_success_that_says_so(backend: Backend) -> Result<()> {
    let subject = Subject::create(backend).await?;
    let before = subject.footprint().await?;
    let ran = Rotation::of(&subject).run().await?;
    assert_eq!(ran.done()?.outcome, Outcome::NothingToDo);
    assert_eq!(ran.done()?.clients, 0);
    assert_eq!(ran.done()?.columns, counts([0; 4], [0; 4]));
    assert!(
        subject.footprint().await? == before,
        "something was written"
    );
    Ok(())
}

pub(super) async fn a_survey_changes_nothing(backend: Backend) -> Result<()> {
    let subject = Subject::create(backend).await?;
    subject.insert(&clients(20)?).await?;
    let before = subject.footprint().await?;
    let (survey, _) = survey(&subject.url(), &[OLD], Some(NEW)).await?;
    assert_eq!(
        survey.columns.0.map(|counts| counts.under),
        [[0, 20], [0, 6]]
    );
    assert!(
        subject.footprint().await? == before,
        "something was written"
    );
    Ok(())
}

/// Several times, for pages may come in any order but none may be missed.
pub(super) async fn a_survey_of_several_pages_counts_every_row(backend: Backend) -> Result<()> {
    let subject = Subject::with_clients(backend, SEVERAL_PAGES).await?;
    for _ in 0..10 {
        let (survey, _) = survey(&subject.url(), &[OLD], None).await?;
        let counts = survey
            .columns
            .0
            .map(|counts| (counts.scanned, counts.under));
        let expected = [(SEVERAL_PAGES, vec![5_001]), (SEVERAL_PAGES, vec![1_501])];
        assert_eq!(counts, expected);
    }
    Ok(())
}

/// The same rows with the same contents under the new key, and nothing else changed.
fn assert_rotated(before: &[Row], after: &[Row]) {
    assert_eq!(after.len(), before.len());
    for (row, was) in after.iter().zip(before) {
        assert_eq!((&row.order_id, &row.others), (&was.order_id, &was.others));
        assert_eq!(row.opened(NEW), was.opened(OLD), "{}", row.order_id);
        assert!(row.opened(NEW)[0].is_some(), "{}", row.order_id);
        assert_eq!(row.opened(OLD), [None, None], "{}", row.order_id);
    }
}
