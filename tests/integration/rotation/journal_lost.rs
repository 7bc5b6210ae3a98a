//! The journal lost in the middle of a run: a new run gets on without it, as its first check
//! leads.
use std::fs;

use anyhow::Result;
use rotation::database_login::Mode;

use super::keys::move_tokens;
use super::moments::{Blow, Moments};
use super::other_people::failure;
use super::seen::Seen;
use super::world::{Then, World};
use super::{clients, logins};

/// The process ends, and the folder of its runs is gone. Of the moments before and after a
/// record each is as the one beside it.
async fn at_moments_of(
    world: &World,
    steps: &[&str],
    next: Option<&'static str>,
    name: &str,
) -> Result<()> {
    let undisturbed = Moments::undisturbed();
    world.copy()?.begin(&undisturbed).await?;
    let passed = undisturbed.passed().into_iter().enumerate();
    let mut cases = 0;
    let is_chosen = |moment: &String| {
        let is_of = |step: &&str| moment.starts_with(&format!("{step}:"));
        steps.iter().any(is_of) && !moment.ends_with(" a record")
    };
    for (number, moment) in passed.filter(|(_, moment)| is_chosen(moment)) {
        let case = format!("{name}: {moment} ({number})");
        let mut copy = world.copy()?;
        let ended = copy.begin(&Moments::hit_at(number, Blow::Dies)).await;
        assert!(ended.is_err(), "{case}");
        fs::remove_dir_all(copy.path("state"))?;
        copy.candidate = next;
        rotate_anew(&copy, &case).await?;
        cases += 1;
    }
    assert!(cases >= steps.len() * 3, "{cases} cases");
    Ok(())
}

/// Rotates what another run has left, as the hints lead.
pub(super) async fn rotate_anew(world: &World, case: &str) -> Result<()> {
    let mut found = world.see().await?;
    while let Err(stopped) = world.begin(&Moments::undisturbed()).await {
        let (reason, hint) = failure(Err(stopped), case);
        // As the program does after a check that failed.
        world
            .carry_on(Then::RollBack, &Moments::undisturbed())
            .await?;
        follow(world, &found, reason, &hint, case).await?;
        found = world.see().await?;
    }
    world.see().await?.expect_rotated_from(&found, case);
    Ok(())
}

/// Does what a failed check says, which comes to an end.
async fn follow(world: &World, found: &Seen, reason: &str, hint: &str, case: &str) -> Result<()> {
    let seen = world.see().await?;
    let (number, state, newest) = seen.latest().expect("a version");
    assert_eq!(state, "enabled", "{case}: {hint}");
    assert_ne!(newest, found.value_in_use(), "{case}: {hint}");
    match reason {
        "cells can't be read with any of the keys" => {
            assert!(hint.contains("under the key of another version"), "{hint}");
            move_tokens(&world.path("service.db"), newest, found.value_in_use()).await
        }
        "somebody else added a version" => {
            assert!(hint.contains(&format!("version {number}")), "{hint}");
            // Or it would have been the wrong advice.
            assert_eq!(seen.cells_under(newest), 0, "{case}: {hint}");
            let (name, store) = (world.scene.secret().store_name, world.platform()?.store);
            let version = super::other_people::number(number);
            Ok(store.disable(name, version).await?)
        }
        "the database refused a login" => {
            assert!(hint.contains("have the services read that one"), "{hint}");
            let env = seen.env.replace(seen.value_in_use(), newest);
            Ok(fs::write(world.path(".env"), env)?)
        }
        other => panic!("{case}: {other}; {hint}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_client_secret() -> Result<()> {
    let steps = ["pin", "stage", "prepare", "cut-over", "retire"];
    let next = Some(clients::NEWER);
    at_moments_of(&clients::stored().await?, &steps, next, "a client secret").await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_key() -> Result<()> {
    let steps = ["pin", "stage", "prepare", "re-encrypt", "cut-over", "sweep"];
    at_moments_of(&World::stored().await?, &steps, None, "a key").await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_login() -> Result<()> {
    for (mode, steps) in [
        (Mode::Alternate, ["stage", "second-role", "lock-out"]),
        (Mode::InPlace, ["stage", "set-password", "cut-over"]),
    ] {
        at_moments_of(&logins::stored(mode).await?, &steps, None, "a login").await?;
    }
    Ok(())
}
