//! Every secret on Google Cloud, by the real `gcloud`: each step fails and is rolled back
//! to the exact start, each record is the process's last one and the run is resumed.
//!
//! A case takes a whole rotation, so some are gone through as a rule, another part of
//! them for each secret; `TEST_CASES=all` goes through all of them, `2/4` through the second of
//! four parts.
use std::time::Instant;

use anyhow::Result;
use reencrypt::sample;
use rotation::database_login::Mode;
use rotation::{
    DATABASE_URL, DCR_ENCRYPTION_KEY, GMA_CLIENT_SECRET, RED_HAT_SSO_CLIENT_SECRET,
    SESSION_DATABASE_URL, Secret,
};
use secret::FernetKey;

use super::clients::{NEW, NEWER, OLD};
use super::every_moment::{Case, Undisturbed, hit_each};
use super::moments::Blow;
use super::project::Project;
use super::scene::{CLIENT_ID, Issuer, Scene, Server};
use super::world::{Then, World};
use crate::part::Part;

/// Of so many cases, one is gone through as a rule.
const ONE_OF: usize = 64;

/// Fails in each step, dies after each record.
fn cases(undisturbed: &Undisturbed) -> Vec<Case> {
    let moments = undisturbed.moments.iter().enumerate();
    let case = |(number, moment): (usize, &String)| {
        if moment.ends_with(": after it is applied") {
            return Some((number, Blow::Fails, Then::RollBack));
        }
        let is_record = moment.ends_with(": after a record");
        is_record.then_some((number, Blow::Dies, Then::Resume))
    };
    moments.filter_map(case).collect()
}

/// `first`: with which of the cases those begin that are gone through as a rule.
async fn each_step_fails_and_each_record_is_the_last(
    world: Option<World>,
    first: usize,
) -> Result<()> {
    let Some(world) = world else {
        return Ok(());
    };
    let name = format!("{} on Google Cloud", world.scene.secret().name);
    let began = Instant::now();
    let undisturbed = Undisturbed::run_of(&world, &name).await?;
    let all = cases(&undisturbed);
    let part = Part::wanted().unwrap_or(Part::first_of(ONE_OF).begun_with(first));
    let mut count = part.count();
    let chosen: Vec<_> = all.iter().filter(|_| count.is_next_chosen()).collect();
    assert!(!chosen.is_empty());
    for (done, case) in chosen.iter().enumerate() {
        hit_each(&world, &undisturbed, std::slice::from_ref(*case), &name).await?;
        let so_far = began.elapsed().as_secs();
        eprintln!("{name}: {} of {} after {so_far} s", done + 1, chosen.len());
    }
    eprintln!(
        "{name}: {} steps; {} of {} cases of a step that fails and is rolled back, or a record \
         that is the last one before a resumption, in {} s",
        undisturbed.steps,
        chosen.len(),
        all.len(),
        began.elapsed().as_secs()
    );
    Ok(())
}

/// Whoever issues the client's secrets knows three of them.
pub(super) async fn client(secret: Secret, id: &str) -> Result<Option<World>> {
    let Some(project) = Project::new(secret, &["hunter2-older", OLD]).await else {
        return Ok(None);
    };
    client_in(project, secret, id).map(Some)
}

/// The same in a project of a test's own.
pub(super) fn client_in(project: Project, secret: Secret, id: &str) -> Result<World> {
    project.add(id, CLIENT_ID);
    let issuer = Issuer::of(secret, &[OLD, NEW, NEWER]);
    let mut world = World::on_google(Scene::Client(issuer), project)?;
    world.candidate = Some(NEW);
    Ok(world)
}

pub(super) async fn login(secret: Secret) -> Result<Option<World>> {
    let server = Server::new(secret, Mode::Alternate).await;
    let url = server.first_url();
    let project = Project::new(secret, &[&url.replace("%40", "older"), &url]).await;
    let world = project.map(|project| World::on_google(Scene::Login(server), project));
    world.transpose()
}

pub(super) async fn key() -> Result<Option<World>> {
    let (older, key) = (FernetKey::generate(), FernetKey::generate());
    let texts = [older.to_text(), key.to_text()];
    let texts = texts.each_ref().map(|text| text.as_str());
    let Some(project) = Project::new(DCR_ENCRYPTION_KEY, &texts).await else {
        return Ok(None);
    };
    let world = World::on_google(Scene::Key, project)?;
    sample::create_sqlite(&world.path("service.db"), 30, &key).await?;
    Ok(Some(world))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_secret_of_red_hat_sso() -> Result<()> {
    let world = client(RED_HAT_SSO_CLIENT_SECRET, "redhat-sso-client-id").await?;
    each_step_fails_and_each_record_is_the_last(world, 0).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_secret_of_gma() -> Result<()> {
    let world = client(GMA_CLIENT_SECRET, "gma-client-id").await?;
    each_step_fails_and_each_record_is_the_last(world, 3).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_url() -> Result<()> {
    each_step_fails_and_each_record_is_the_last(login(DATABASE_URL).await?, 6).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_session_database_url() -> Result<()> {
    each_step_fails_and_each_record_is_the_last(login(SESSION_DATABASE_URL).await?, 9).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dcr_encryption_key() -> Result<()> {
    each_step_fails_and_each_record_is_the_last(key().await?, 12).await
}
