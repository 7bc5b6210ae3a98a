//! The secret of a client, which two services read from one file: every moment hit, from
//! every start.
use anyhow::Result;
use rotation::RED_HAT_SSO_CLIENT_SECRET;
use secret::SecretValue;

use super::every_moment::{LOOKS, every_look, every_moment};
use super::moments::Moments;
use super::scene::{CLIENT_ID, Issuer, Scene};
use super::world::{Then, World};

pub(super) const OLD: &str = "client-secret-1";
pub(super) const NEW: &str = "client-secret-2";
pub(super) const NEWER: &str = "client-secret-3";
/// What the issuer never issued.
pub(super) const WRONG: &str = "client-secret-0";

/// The value stands in `.env` alone.
pub(super) fn inline() -> Result<World> {
    let issuer = Issuer::of(RED_HAT_SSO_CLIENT_SECRET, &[OLD, NEW, NEWER]);
    let mut world = World::of(Scene::Client(issuer), OLD)?;
    world.candidate = Some(NEW);
    let env = std::fs::read_to_string(world.path(".env"))?;
    let env = format!("RED_HAT_SSO_CLIENT_ID={CLIENT_ID}\n{env}");
    std::fs::write(world.path(".env"), env)?;
    Ok(world)
}

/// It is the latest version, beside an older one.
pub(super) async fn stored() -> Result<World> {
    let world = inline()?;
    world.store_beside(&value(WRONG)).await?;
    Ok(world)
}

/// It was rotated before, so that both services are pinned.
pub(super) async fn pinned() -> Result<World> {
    let mut world = inline()?;
    world.begin(&Moments::undisturbed()).await?;
    world.candidate = Some(NEWER);
    Ok(world)
}

pub(super) fn value(text: &str) -> SecretValue {
    SecretValue::from(text.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_first_rotation() -> Result<()> {
    every_moment(&inline()?, "a client secret in `.env` alone").await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_rotation_from_latest() -> Result<()> {
    every_moment(&stored().await?, "a client secret as the latest version").await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_second_rotation() -> Result<()> {
    every_moment(&pinned().await?, "a client secret, the services pinned").await
}

/// An issuer that can't be reached among them.
#[tokio::test(flavor = "multi_thread")]
async fn each_look_that_fails_changes_nothing_for_good() -> Result<()> {
    let mut looks = LOOKS.to_vec();
    looks.push("the issuer's check");
    every_look(&stored().await?, &looks, "a client secret").await
}

#[tokio::test(flavor = "multi_thread")]
async fn three_rotations_in_a_row_and_back_from_the_third() -> Result<()> {
    let mut world = stored().await?;
    let mut start = world.see().await?;
    for (number, candidate) in [NEW, NEWER, OLD].into_iter().enumerate() {
        start = world.see().await?;
        world.candidate = Some(candidate);
        world.begin(&Moments::undisturbed()).await?;
        let case = format!("rotation {}", number + 1);
        world.see().await?.expect_rotated_from(&start, &case);
    }
    world
        .bring_to_its_end(Then::RollBack, &start, "the third")
        .await;
    Ok(())
}
