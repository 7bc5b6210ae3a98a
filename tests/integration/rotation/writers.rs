//! Orders registered under the old key while the rotation goes on, and under the new one
//! while it goes back: swept, or the run refuses to end; never left under a key that is gone.
use std::path::Path;

use anyhow::Result;
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use runbook::{StepError as _, Stopped};

use super::keys::register;
use super::moments::Moments;
use super::other_people::{carry_on, stopped_after};
use super::seen::Seen;
use super::world::{Then, World};

const ORDER: &str = "order-late";
const CHANGED: &str = "order-0000003";
const DELETED: &str = "order-0000004";

/// A run of a copy, in which somebody registers an order at a moment.
async fn with_an_order_at(
    world: &World,
    moment: &str,
    key: &str,
) -> Result<(World, Result<(), Stopped<rotation::Error>>)> {
    let copy = world.copy()?;
    let (database, key) = (copy.path("service.db"), key.to_owned());
    let moments = Moments::meanwhile(moment, move || {
        register(&database, ORDER, &key).expect("an order");
    });
    let ended = copy.begin(&moments).await;
    assert!(!moments.is_still_to_come(), "{moment}");
    Ok((copy, ended))
}

/// Every token is there with its plaintext, and the new one with its own, all under this key.
fn expect_nothing_lost(seen: &Seen, start: &Seen, key: &str, case: &str) {
    seen.expect_all_under(key, case);
    assert_eq!(
        seen.table.cells.len(),
        start.table.cells.len() + 1,
        "{case}"
    );
    let late = seen.plaintexts();
    let late: Vec<_> = late
        .into_iter()
        .filter(|(order, ..)| *order == ORDER)
        .collect();
    assert_eq!(late.len(), 1, "{case}");
    assert_eq!(late[0].2, ORDER.as_bytes(), "{case}");
    let kept: Vec<_> = seen
        .plaintexts()
        .into_iter()
        .filter(|(order, ..)| *order != ORDER)
        .collect();
    assert_eq!(kept, start.plaintexts(), "{case}");
}

#[tokio::test(flavor = "multi_thread")]
async fn under_the_old_key_before_the_verification_they_are_swept() -> Result<()> {
    let world = World::stored().await?;
    let start = world.see().await?;
    for (moment, swept_then) in [
        ("check: after it is applied", 0),
        ("stage: after it is verified", 0),
        ("dry-run: after it is applied", 0),
        ("re-encrypt: before it is applied", 0),
        ("re-encrypt: after it is applied", 1),
        ("cut-over: before cut over", 1),
        ("cut-over: after cut over", 1),
        ("cut-over: after it is verified", 1),
        // It waited for the sweep's lock, and is the last of its instance.
        ("sweep: after it is verified", 1),
    ] {
        let (copy, ended) = with_an_order_at(&world, moment, start.value_in_use()).await?;
        ended?;
        let seen = copy.see().await?;
        let new = seen.value_in_use().to_owned();
        assert!(!seen.is_enabled(start.value_in_use()), "{moment}: retired");
        expect_nothing_lost(&seen, &start, &new, moment);
        let swept = copy.history()?.facts.count("tokens swept");
        assert_eq!(swept.unwrap_or_default(), swept_then, "{moment}");
    }
    Ok(())
}

/// Another secret for one order, and an end to another.
fn change_and_delete(database: &Path, key: &str) -> Result<()> {
    let token = fernet::Fernet::new(key).expect("a key").encrypt(b"changed");
    let mut connection = SqliteConnection::establish(&database.to_string_lossy())?;
    Ok(connection.batch_execute(&format!(
        "update dcr_clients set client_secret_encrypted = '{token}' where order_id = '{CHANGED}';
         delete from dcr_clients where order_id = '{DELETED}'"
    ))?)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_changed_or_deleted_meanwhile_stays_so() -> Result<()> {
    let world = World::stored().await?;
    let start = world.see().await?;
    for moment in [
        "check: after it is applied",
        "dry-run: after it is applied",
        "re-encrypt: before it is applied",
        "re-encrypt: after it is applied",
        "cut-over: before cut over",
        "cut-over: after it is verified",
    ] {
        let copy = world.copy()?;
        let (database, key) = (copy.path("service.db"), start.value_in_use().to_owned());
        let moments = Moments::meanwhile(moment, move || {
            change_and_delete(&database, &key).expect("a change");
        });
        copy.begin(&moments).await?;
        assert!(!moments.is_still_to_come(), "{moment}");
        let seen = copy.see().await?;
        seen.expect_all_under(seen.value_in_use(), moment);
        let is_other = |(order, column, ..): &(&str, &str, &[u8], u64)| {
            let is_changed = *order == CHANGED && *column == "client_secret";
            *order != DELETED && !is_changed
        };
        let [mut now, mut before] = [seen.plaintexts(), start.plaintexts()];
        let changed = |cell: &&(&str, &str, &[u8], u64)| cell.2 == b"changed";
        assert_eq!(now.iter().filter(changed).count(), 1, "{moment}");
        assert!(now.iter().all(|cell| cell.0 != DELETED), "{moment}: back");
        now.retain(is_other);
        before.retain(is_other);
        assert_eq!(now, before, "{moment}");
    }
    Ok(())
}

/// Who still writes after the verification is found: nothing is retired, and resuming sweeps.
#[tokio::test(flavor = "multi_thread")]
async fn under_the_old_key_after_the_verification_they_stop_the_run() -> Result<()> {
    let world = World::stored().await?;
    let start = world.see().await?;
    let old = start.value_in_use().to_owned();
    for moment in [
        "verify: after it is applied",
        "soak: after it is applied",
        "retire: before it is applied",
        "retire: before discard the others",
        "retire: after disable",
    ] {
        for then in [Then::Resume, Then::RollBack] {
            let (copy, ended) = with_an_order_at(&world, moment, &old).await?;
            let Err(Stopped::Failed { error, .. }) = ended else {
                panic!("{moment}: {ended:?}");
            };
            assert_eq!(error.reason(), "tokens are still under the key", "{moment}");
            let hint = error.hint().expect("a hint");
            assert!(hint.contains("resuming sweeps again"), "{moment}: {hint}");
            assert!(copy.see().await?.is_enabled(&old), "{moment}: retired");
            copy.carry_on(then, &Moments::undisturbed()).await?;
            let seen = copy.see().await?;
            let key = seen.value_in_use().to_owned();
            assert_eq!(key == old, then == Then::RollBack, "{moment}");
            expect_nothing_lost(&seen, &start, &key, moment);
        }
    }
    Ok(())
}

/// The same where the process ends before it has looked once more: its version is enabled again.
#[tokio::test(flavor = "multi_thread")]
async fn under_the_old_key_when_the_process_ends_they_are_swept() -> Result<()> {
    let world = World::stored().await?;
    let start = world.see().await?;
    let old = start.value_in_use().to_owned();
    for then in [Then::Resume, Then::RollBack] {
        let copy = world.copy()?;
        let dying = Moments::dying_at("retire: after disable");
        assert!(copy.begin(&dying).await.is_err());
        register(&copy.path("service.db"), ORDER, &old)?;
        assert!(!copy.see().await?.is_enabled(&old));
        copy.carry_on(then, &Moments::undisturbed()).await?;
        let seen = copy.see().await?;
        let key = seen.value_in_use().to_owned();
        assert_eq!(key == old, then == Then::RollBack);
        expect_nothing_lost(&seen, &start, &key, "after disable");
        assert_eq!(seen.is_enabled(&old), then == Then::RollBack);
    }
    Ok(())
}

/// Over a soak of days, somebody starts an old instance again.
#[tokio::test(flavor = "multi_thread")]
async fn under_the_old_key_during_the_soak_they_are_swept() -> Result<()> {
    let mut world = World::stored().await?;
    world.soak = std::time::Duration::from_millis(300);
    let start = world.see().await?;
    let ended = world.begin(&Moments::undisturbed()).await;
    assert!(
        matches!(ended, Err(Stopped::Waits { until: Some(_), .. })),
        "{ended:?}"
    );
    register(&world.path("service.db"), ORDER, start.value_in_use())?;
    tokio::time::sleep(world.soak).await;
    world
        .carry_on(Then::Resume, &Moments::undisturbed())
        .await?;
    let seen = world.see().await?;
    assert!(!seen.is_enabled(start.value_in_use()));
    expect_nothing_lost(&seen, &start, seen.value_in_use(), "soak");
    Ok(())
}

/// An instance with the new key that is slow to end, while the run is rolled back.
#[tokio::test(flavor = "multi_thread")]
async fn under_the_new_key_on_the_way_back_they_come_back() -> Result<()> {
    let world = World::stored().await?;
    let start = world.see().await?;
    world.begin(&Moments::undisturbed()).await?;
    let new = world.see().await?.value_in_use().to_owned();
    for moment in [
        "undo retire: after enable",
        "undo cut-over: after cut over",
        "undo re-encrypt: before it is undone",
        "undo re-encrypt: after it is undone",
        "undo prepare: after discard",
        "undo stage: before it is undone",
        "undo stage: after add",
    ] {
        let copy = world.copy()?;
        let (database, key) = (copy.path("service.db"), new.clone());
        let moments = Moments::meanwhile(moment, move || {
            register(&database, ORDER, &key).expect("an order");
        });
        copy.carry_on(Then::RollBack, &moments).await?;
        assert!(!moments.is_still_to_come(), "{moment}");
        let seen = copy.see().await?;
        assert!(!seen.is_enabled(&new), "{moment}");
        expect_nothing_lost(&seen, &start, start.value_in_use(), moment);
    }
    Ok(())
}

/// That nothing is under the new key tells nothing of a table that was or is empty.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_was_empty_or_is_emptied_stops_no_run() -> Result<()> {
    let world = World::stored().await?;
    let old = world.see().await?.value_in_use().to_owned();
    for is_empty_at_first in [true, false] {
        let copy = world.copy()?;
        if is_empty_at_first {
            empty(&copy)?;
        }
        let stopped = stopped_after(&copy, "cut-over").await?;
        if is_empty_at_first {
            register(&stopped.path("service.db"), ORDER, &old)?;
        } else {
            empty(&stopped)?;
        }
        let ended = stopped
            .carry_on(Then::Resume, &Moments::undisturbed())
            .await;
        ended.unwrap_or_else(|stop| panic!("{is_empty_at_first}: {stop:?}"));
        let seen = stopped.see().await?;
        assert!(!seen.is_enabled(&old), "retired");
        seen.expect_all_under(seen.value_in_use(), "empty");
        assert_eq!(seen.table.cells.len(), usize::from(is_empty_at_first));
    }
    Ok(())
}

fn empty(world: &World) -> Result<()> {
    let path = world.path("service.db").to_string_lossy().into_owned();
    let mut connection = SqliteConnection::establish(&path)?;
    Ok(connection.batch_execute("delete from dcr_clients")?)
}

/// People restart it with the old key before the table goes back: what it wrote under the new one
/// until then goes with it.
#[tokio::test(flavor = "multi_thread")]
async fn until_the_service_is_restarted_on_the_way_back_they_are_moved_as_well() -> Result<()> {
    let mut world = World::stored().await?;
    world.parameters.restart_by_hand = true;
    let start = world.see().await?;
    world.begin(&Moments::undisturbed()).await?;
    let new = world.see().await?.value_in_use().to_owned();
    world.people = false;
    let ended = carry_on(&world, Then::RollBack).await;
    assert!(matches!(ended, Err(Stopped::Waits { .. })), "{ended:?}");
    let waiting = world.see().await?;
    assert!(waiting.value_in_use() == start.value_in_use(), "in .env");
    waiting.expect_all_under(&new, "nobody has restarted it");
    register(&world.path("service.db"), ORDER, &new)?;
    world.people = true;
    carry_on(&world, Then::RollBack).await?;
    let seen = world.see().await?;
    expect_nothing_lost(&seen, &start, start.value_in_use(), "restarted");
    Ok(())
}
