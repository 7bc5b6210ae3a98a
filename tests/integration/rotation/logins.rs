//! The login to a database, on a real server: every moment hit, in both modes.
use anyhow::Result;
use rotation::DATABASE_URL;
use rotation::database_login::Mode;
use secret::SecretValue;

use super::every_moment::{every_look, moments_of};
use super::moments::Moments;
use super::scene::{Scene, Server};
use super::way_back::moments_back;
use super::world::{Then, World};

/// The URL stands in `.env` alone, and there is one role.
pub(super) async fn inline(mode: Mode) -> Result<World> {
    let server = Server::new(DATABASE_URL, mode).await;
    let url = server.first_url();
    World::of(Scene::Login(server), &url)
}

/// It is the latest version, beside an older one that logs nobody in.
pub(super) async fn stored(mode: Mode) -> Result<World> {
    let world = inline(mode).await?;
    let older = world.see().await?.value_in_use().replace("%40", "older");
    world
        .store_beside(&SecretValue::from(older.as_bytes()))
        .await?;
    Ok(world)
}

/// It was rotated before, so that both services are pinned; and where roles alternate,
/// the first one is idle.
pub(super) async fn pinned(mode: Mode) -> Result<World> {
    let world = inline(mode).await?;
    world.begin(&Moments::undisturbed()).await?;
    Ok(world)
}

/// What comes before these steps, and the preparation of a revision, is as with any secret.
#[tokio::test(flavor = "multi_thread")]
async fn of_a_first_rotation() -> Result<()> {
    let steps = [
        "generate",
        "stage",
        "second-role",
        "cut-over",
        "lock-out",
        "retire",
    ];
    let name = "a login, the second role made";
    moments_of(&stored(Mode::Alternate).await?, &steps, name).await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_second_rotation() -> Result<()> {
    let steps = ["second-role", "lock-out"];
    let name = "a login, the second role idle";
    moments_of(&pinned(Mode::Alternate).await?, &steps, name).await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_rotation_in_place() -> Result<()> {
    let steps = ["generate", "stage", "set-password", "cut-over", "retire"];
    let name = "a login in place";
    moments_of(&inline(Mode::InPlace).await?, &steps, name).await
}

/// In an emergency the old login is shut out before the new one serves.
#[tokio::test(flavor = "multi_thread")]
async fn of_a_rotation_that_contains_first() -> Result<()> {
    for (mode, steps) in [
        (Mode::Alternate, &["lock-out-first", "cut-over"][..]),
        (Mode::InPlace, &["end-sessions"]),
    ] {
        let server = Server::contained(DATABASE_URL, mode).await;
        let url = server.first_url();
        let world = World::of(Scene::Login(server), &url)?;
        moments_of(&world, steps, "a login, contained").await?;
    }
    Ok(())
}

/// The server can't be asked; the platform, as with any secret.
#[tokio::test(flavor = "multi_thread")]
async fn each_look_at_the_server_that_fails_changes_nothing_for_good() -> Result<()> {
    let looks = ["log in", "role", "sessions"];
    every_look(&inline(Mode::Alternate).await?, &looks, "a login").await
}

/// The way back from the end, hit where it changes roles or sends traffic.
#[tokio::test(flavor = "multi_thread")]
async fn of_the_way_back() -> Result<()> {
    for (world, steps) in [
        (
            pinned(Mode::Alternate).await?,
            ["undo lock-out", "undo second-role"],
        ),
        (
            inline(Mode::InPlace).await?,
            ["undo cut-over", "undo set-password"],
        ),
    ] {
        let start = world.see().await?;
        let finished = world.copy()?;
        finished.begin(&Moments::undisturbed()).await?;
        let is_chosen = |moment: &str| {
            let is_of = |step: &&str| moment.starts_with(*step);
            steps.iter().any(is_of) && !moment.ends_with(" a record")
        };
        let cases = moments_back(&finished, &start, "the end", is_chosen).await?;
        eprintln!(
            "a login, back from the end: {}: {cases} cases",
            steps.join(", ")
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn three_rotations_in_a_row_and_back_from_the_third() -> Result<()> {
    for mode in [Mode::Alternate, Mode::InPlace] {
        let world = inline(mode).await?;
        let mut start = world.see().await?;
        for number in 1..=3 {
            start = world.see().await?;
            world.begin(&Moments::undisturbed()).await?;
            let case = format!("{mode:?}, rotation {number}");
            world.see().await?.expect_rotated_from(&start, &case);
        }
        let case = format!("{mode:?}, the third");
        world.bring_to_its_end(Then::RollBack, &start, &case).await;
        // And forward again, from what the rollback left.
        world.begin(&Moments::undisturbed()).await?;
        world.see().await?.expect_rotated_from(&start, &case);
    }
    Ok(())
}
