//! What somebody takes back or spoils right after a step has done it: the step's verification finds
//! that, so that no later step depends on it.
use std::fs;
use std::path::Path;

use anyhow::Result;
use secret::FernetKey;

use super::clients::{self, WRONG};
use super::moments::Moments;
use super::other_people::{carry_on, failure, number, stopped_after};
use super::seen::SECRET;
use super::world::{THEN, Then, World};

/// What services are bound to is again as it was after another step.
fn put_back(folder: &Path, before: &Path) {
    for name in [".env", "store/services.json"] {
        if before.join(name).exists() {
            fs::copy(before.join(name), folder.join(name)).expect("a copy");
        } else {
            fs::remove_file(folder.join(name)).expect("an end");
        }
    }
}

/// The run stops at this step, and comes to either end.
async fn expect_found(
    world: &World,
    (step, earlier): (&str, &str),
    take_back: impl Fn(&Path, &Path) + Clone + Send + 'static,
    reason: &str,
) -> Result<()> {
    let start = world.see().await?;
    for then in THEN {
        let mut copy = stopped_after(world, earlier).await?;
        copy.is_lawful = false;
        let before = copy.copy()?;
        let (folder, earlier) = (copy.path("."), before.path("."));
        let (moment, take_back) = (format!("{step}: after it is applied"), take_back.clone());
        let moments = Moments::meanwhile(&moment, move || take_back(&folder, &earlier));
        let ended = copy.carry_on(Then::Resume, &moments).await;
        assert!(!moments.is_still_to_come(), "{moment}");
        assert_eq!(failure(ended, step).0, reason, "{step}");
        copy.bring_to_its_end(then, &start, step).await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup() -> Result<()> {
    let remove = |folder: &Path, _: &Path| {
        fs::remove_dir_all(folder.join("store/backups")).expect("backups");
    };
    let reason = "the backup could not be found again";
    expect_found(
        &World::stored().await?,
        ("back-up", "check"),
        remove,
        reason,
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_services_are_bound_to() -> Result<()> {
    let reason = "a service served with another revision";
    for world in [World::stored().await?, clients::stored().await?] {
        expect_found(&world, ("pin", "check"), put_back, reason).await?;
        expect_found(&world, ("cut-over", "prepare"), put_back, reason).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_of_the_old_version() -> Result<()> {
    let world = World::stored().await?;
    let index = format!("store/{SECRET}/versions.json");
    let enable = move |folder: &Path, before: &Path| {
        fs::copy(before.join(&index), folder.join(&index)).expect("a copy");
    };
    let reason = "a version is not in the state it was put into";
    expect_found(&world, ("retire", "soak"), enable, reason).await
}

/// What a store hands out is not what it was given.
#[tokio::test(flavor = "multi_thread")]
async fn the_value_of_the_candidate() -> Result<()> {
    let key = FernetKey::generate().to_text().to_string();
    for (world, other) in [
        (World::stored().await?, key),
        (clients::stored().await?, WRONG.to_owned()),
    ] {
        let (start, name) = (world.see().await?, world.scene.secret().store_name);
        for then in THEN {
            let copy = world.copy()?;
            let (path, other) = (copy.path(&format!("store/{name}/3.value")), other.clone());
            let spoil = move || fs::write(path, other).expect("a value");
            let moments = Moments::meanwhile("stage: after it is applied", spoil);
            let (reason, _) = failure(copy.begin(&moments).await, name);
            assert_eq!(reason, "a version was read back with another value");
            let seen = copy.see().await?;
            assert_eq!(seen.value_in_use(), start.value_in_use(), "{name}");
            let mut again = copy.copy()?;
            again.candidate = None;
            failure(carry_on(&again, Then::Resume).await, name);
            let seen = again.see().await?;
            assert_eq!(seen.value_in_use(), start.value_in_use(), "{name} again");
            // Whoever wants to go on takes it away, and the candidate is stored anew.
            if then == Then::Resume {
                copy.platform()?.store.disable(name, number(3)).await?;
            }
            copy.bring_to_its_end(then, &start, name).await;
        }
    }
    Ok(())
}
