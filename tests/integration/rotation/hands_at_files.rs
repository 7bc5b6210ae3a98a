//! What other people do to the file of variables and to the table in the middle of a run.
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use runbook::{StepError as _, Stopped};
use secret::FernetKey;

use super::keys::{move_tokens, register};
use super::moments::Moments;
use super::other_people::{carry_on, expect_done, failure, number, stopped_after};
use super::seen::SECRET;
use super::world::{THEN, Then, World};

/// Back to the old value: that is stored, and may be replaced.
#[tokio::test(flavor = "multi_thread")]
async fn somebody_puts_the_old_value_back_into_the_file_of_variables() -> Result<()> {
    let world = World::stored().await?;
    let start = world.see().await?;
    for step in ["cut-over", "sweep", "verify", "soak"] {
        let stopped = stopped_after(&world, step).await?;
        let rotated = stopped.see().await?.env;
        fs::write(stopped.path(".env"), &start.env)?;
        let back = stopped.copy()?;
        carry_on(&back, Then::RollBack).await?;
        back.see().await?.expect_to_be(&start, step);

        let ended = carry_on(&stopped, Then::Resume).await;
        if ended.is_err() {
            assert!(
                matches!(ended, Err(Stopped::Disturbed { .. })),
                "{step}: {ended:?}"
            );
            assert!(
                stopped.see().await?.is_enabled(start.value_in_use()),
                "{step}"
            );
            fs::write(stopped.path(".env"), rotated)?;
            carry_on(&stopped, Then::Resume).await?;
        }
        stopped.see().await?.expect_rotated_from(&start, step);
    }
    Ok(())
}

/// A value that is in no store: nobody could fetch it again, so it stays.
#[tokio::test(flavor = "multi_thread")]
async fn somebody_puts_another_value_into_the_file_of_variables() -> Result<()> {
    let world = World::stored().await?;
    let start = world.see().await?;
    for step in [
        "pin",
        "stage",
        "prepare",
        "re-encrypt",
        "cut-over",
        "sweep",
        "verify",
        "soak",
    ] {
        let stopped = stopped_after(&world, step).await?;
        let before = stopped.see().await?;
        let other = FernetKey::generate().to_text();
        let edited = before.env.replace(before.value_in_use(), &other);
        fs::write(stopped.path(".env"), &edited)?;

        let back = stopped.copy()?;
        let (reason, hint) = failure(carry_on(&back, Then::RollBack).await, step);
        assert_eq!(reason, "a service doesn't read the store", "{step}");
        assert!(
            hint.contains("put back the value that was there"),
            "{step}: {hint}"
        );
        assert_eq!(fs::read_to_string(back.path(".env"))?, edited, "{step}");
        fs::write(back.path(".env"), &before.env)?;
        carry_on(&back, Then::RollBack).await?;
        back.see().await?.expect_to_be(&start, step);

        let ended = carry_on(&stopped, Then::Resume).await;
        let seen = stopped.see().await?;
        assert!(seen.is_enabled(start.value_in_use()), "{step}: retired");
        if matches!(ended, Err(Stopped::Failed { .. })) {
            // It was stored before it was replaced; and who put it there, must be asked.
            assert_eq!(
                failure(ended, step).0,
                "somebody else added a version",
                "{step}"
            );
            assert!(seen.is_enabled(&other), "{step}");
            stopped.platform()?.store.disable(SECRET, number(3)).await?;
        } else {
            assert!(
                matches!(ended, Err(Stopped::Disturbed { .. })),
                "{step}: {ended:?}"
            );
            assert_eq!(seen.env, edited, "{step}");
            fs::write(stopped.path(".env"), &before.env)?;
        }
        carry_on(&stopped, Then::Resume).await?;
        expect_done(&stopped.see().await?, &start, step);
    }
    Ok(())
}

/// Right before the cutover, and right after it, before it has looked: it isn't made over that
/// value, and not once more.
#[tokio::test(flavor = "multi_thread")]
async fn somebody_puts_another_value_there_around_the_cutover() -> Result<()> {
    let mut world = World::stored().await?;
    world.is_lawful = false;
    let start = world.see().await?;
    for (moment, is_cut_over) in [
        ("re-encrypt: after it is verified", false),
        ("cut-over: after cut over", true),
    ] {
        let copy = world.copy()?;
        let other = FernetKey::generate().to_text().to_string();
        let edited = start.env.replace(start.value_in_use(), &other);
        let (path, edit) = (copy.path(".env"), edited.clone());
        let moments = Moments::meanwhile(moment, move || {
            fs::write(path, edit).expect("a file");
        });
        let (reason, _) = failure(copy.begin(&moments).await, moment);
        assert_eq!(reason, "a service doesn't read the store", "{moment}");
        let seen = copy.see().await?;
        assert_eq!(seen.env, edited, "{moment}: taken away");

        let new = seen.latest().expect("a version").2;
        let was_there = if is_cut_over {
            new
        } else {
            start.value_in_use()
        };
        fs::write(copy.path(".env"), edited.replace(&other, was_there))?;
        copy.bring_to_its_end(Then::Resume, &start, moment).await;
    }
    Ok(())
}

/// Right before the last look of a rollback: all is undone by then, and what somebody has put
/// there is left to them.
#[tokio::test(flavor = "multi_thread")]
async fn somebody_edits_the_file_right_before_the_last_look_of_a_rollback() -> Result<()> {
    let mut world = World::stored().await?;
    world.is_lawful = false;
    let start = world.see().await?;
    let stopped = stopped_after(&world, "cut-over").await?;
    let new = stopped
        .see()
        .await?
        .latest()
        .expect("a version")
        .2
        .to_owned();
    let other = FernetKey::generate().to_text().to_string();
    for (value, reason) in [
        (other, "cells can't be read with any of the keys"),
        (new, "a version is disabled or destroyed"),
    ] {
        let copy = stopped.copy()?;
        let edited = start.env.replace(start.value_in_use(), &value);
        let (path, edit) = (copy.path(".env"), edited.clone());
        let moments = Moments::meanwhile("undo check: before it is undone", move || {
            fs::write(path, edit).expect("a file");
        });
        let ended = copy.carry_on(Then::RollBack, &moments).await;
        assert_eq!(failure(ended, reason).0, reason);
        assert_eq!(fs::read_to_string(copy.path(".env"))?, edited, "{reason}");
        fs::write(copy.path(".env"), &start.env)?;
        copy.bring_to_its_end(Then::RollBack, &start, reason).await;
    }
    Ok(())
}

/// Between two rotations: what the service has is what is rotated, if every token is under it.
#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_was_put_there_by_hand_is_taken_into_the_store_by_the_next_run() -> Result<()>
{
    for is_table_moved in [true, false] {
        let mut world = World::pinned().await?;
        world.restarts = true;
        let before = world.see().await?;
        let theirs = FernetKey::generate().to_text().to_string();
        if is_table_moved {
            let database = world.path("service.db");
            move_tokens(&database, before.value_in_use(), &theirs).await?;
        }
        let edited = before.env.replace(before.value_in_use(), &theirs);
        fs::write(world.path(".env"), &edited)?;
        let found = world.see().await?;
        let ended = world.begin(&Moments::undisturbed()).await;
        let seen = world.see().await?;
        if is_table_moved {
            ended?;
            seen.expect_rotated_from(&found, "adopted");
            assert!(seen.values().contains(&theirs), "it was not stored");
            continue;
        }
        let (reason, _) = failure(ended, "not moved");
        assert_eq!(reason, "cells can't be read with any of the keys");
        assert_eq!(seen.env, edited);
        assert_eq!(seen.states(), before.states());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_restores_the_table_from_a_backup() -> Result<()> {
    let world = World::stored().await?;
    let start = world.see().await?;
    for step in ["re-encrypt", "cut-over", "sweep", "verify", "soak"] {
        let stopped = stopped_after(&world, step).await?;
        let rotated = stopped.copy()?;
        fs::copy(world.path("service.db"), stopped.path("service.db"))?;
        let back = stopped.copy()?;
        carry_on(&back, Then::RollBack).await?;
        back.see().await?.expect_to_be(&start, step);

        let ended = carry_on(&stopped, Then::Resume).await;
        let before_the_cutover = step == "re-encrypt";
        assert_eq!(ended.is_ok(), before_the_cutover, "{step}: {ended:?}");
        if let Err(stop) = ended {
            assert!(
                matches!(stop, Stopped::Disturbed { .. }),
                "{step}: {stop:?}"
            );
            assert!(
                stopped.see().await?.is_enabled(start.value_in_use()),
                "{step}"
            );
            fs::copy(rotated.path("service.db"), stopped.path("service.db"))?;
            carry_on(&stopped, Then::Resume).await?;
        }
        stopped.see().await?.expect_rotated_from(&start, step);
    }
    Ok(())
}

/// A row under a key that nobody knows: nothing is changed until it is put right.
#[tokio::test(flavor = "multi_thread")]
async fn somebody_writes_what_no_key_opens() -> Result<()> {
    let mut world = World::stored().await?;
    world.is_lawful = false;
    let start = world.see().await?;
    let foreign = FernetKey::generate().to_text();
    for step in [
        "pin",
        "stage",
        "survey",
        "prepare",
        "re-encrypt",
        "cut-over",
        "sweep",
    ] {
        let stopped = stopped_after(&world, step).await?;
        register(&stopped.path("service.db"), "order-foreign", &foreign)?;
        for then in THEN {
            let copy = stopped.copy()?;
            let ended = carry_on(&copy, then).await;
            // A rollback looks at the end, too, that the service can read every token.
            assert!(ended.is_err(), "{step}, {then:?}: {ended:?}");
            if let Err(Stopped::Failed { error, .. } | Stopped::Stuck { error, .. }) = &ended {
                assert!(error.hint().is_some(), "{step}, {then:?}: {error}");
            }
            assert!(
                copy.see().await?.is_enabled(start.value_in_use()),
                "{step}, {then:?}"
            );
            delete(&copy, "order-foreign")?;
            copy.bring_to_its_end(then, &start, step).await;
        }
    }
    Ok(())
}

fn delete(world: &World, order_id: &str) -> Result<()> {
    let path = world.path("service.db").to_string_lossy().into_owned();
    let mut connection = SqliteConnection::establish(&path)?;
    let delete = format!("delete from dcr_clients where order_id = '{order_id}'");
    Ok(connection.batch_execute(&delete)?)
}

/// Somebody's transaction holds the table for longer than the run waits.
#[tokio::test(flavor = "multi_thread")]
async fn somebody_holds_the_table() -> Result<()> {
    let mut world = World::stored().await?;
    world.lock_timeout = Duration::from_millis(100);
    let start = world.see().await?;
    for step in ["dry-run", "re-encrypt", "undo re-encrypt"] {
        for then in THEN {
            let copy = world.copy()?;
            let held = Arc::new(Mutex::new(None));
            let (path, holder) = (copy.path("service.db"), Arc::clone(&held));
            let moments =
                Moments::meanwhile(&format!("{step}: the database: Locking"), move || {
                    let other = hold(&path).expect("a lock");
                    *holder.lock().expect("a holder") = Some(other);
                });
            let ended = if step.starts_with("undo") {
                copy.begin(&Moments::undisturbed()).await?;
                copy.carry_on(Then::RollBack, &moments).await
            } else {
                copy.begin(&moments).await
            };
            let case = format!("{step}, then {then:?}");
            let (reason, hint) = failure(ended, &case);
            assert_eq!(reason, "the re-encryption failed before it wrote", "{case}");
            assert!(!hint.is_empty(), "{case}");
            held.lock().expect("a holder").take();
            let then = if step.starts_with("undo") {
                Then::RollBack
            } else {
                then
            };
            copy.bring_to_its_end(then, &start, &case).await;
        }
    }
    Ok(())
}

/// A transaction that writes, or is about to.
fn hold(database: &Path) -> Result<SqliteConnection> {
    let mut other = SqliteConnection::establish(&database.to_string_lossy())?;
    other.batch_execute("begin immediate")?;
    Ok(other)
}

/// A rollback that has nothing to change in the table only reads it.
#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_from_before_the_re_encryption_needs_no_lock_on_the_table() -> Result<()> {
    let mut world = World::stored().await?;
    world.lock_timeout = Duration::from_millis(100);
    let start = world.see().await?;
    let stopped = stopped_after(&world, "stage").await?;
    let _held = hold(&stopped.path("service.db"))?;
    let case = "somebody holds the table";
    stopped.bring_to_its_end(Then::RollBack, &start, case).await;
    Ok(())
}
