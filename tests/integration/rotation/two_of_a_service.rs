//! Two operators rotate two secrets of one service, or the same one, on Google Cloud, from two
//! machines that know nothing of each other: what the one has done, the other doesn't take back.
use std::rc::Rc;

use anyhow::{Context as _, Result};
use platform::Bound;
use reencrypt::sample;
use rotation::{DCR_ENCRYPTION_KEY, GMA_CLIENT_SECRET, RED_HAT_SSO_CLIENT_SECRET, Secret};
use runbook::Stopped;
use secret::FernetKey;

use super::clients::{NEW, NEWER, OLD};
use super::moments::Moments;
use super::other_people::{carry_on, failure, number};
use super::project::Project;
use super::scene::{CLIENT_ID, Issuer, Scene};
use super::world::{Then, World};

/// One project, and a world of each of the secrets.
pub(super) async fn worlds() -> Result<Option<(Rc<Project>, World, World)>> {
    let values: &[&str] = &[OLD];
    let secrets = [
        (RED_HAT_SSO_CLIENT_SECRET, values),
        (GMA_CLIENT_SECRET, values),
    ];
    let Some(project) = Project::of(&secrets).await else {
        return Ok(None);
    };
    for id in ["redhat-sso-client-id", "gma-client-id"] {
        project.add(id, CLIENT_ID);
    }
    let project = Rc::new(project);
    let first = of_a_client(RED_HAT_SSO_CLIENT_SECRET, &project)?;
    let second = of_a_client(GMA_CLIENT_SECRET, &project)?;
    Ok(Some((project, first, second)))
}

/// The same of a key, whose table is re-encrypted between the preparation and the cutover.
async fn worlds_of_a_key() -> Result<Option<(Rc<Project>, World, World)>> {
    let key = FernetKey::generate();
    let text = key.to_text();
    let (keys, values): (&[&str], &[&str]) = (&[&text], &[OLD]);
    let secrets = [(DCR_ENCRYPTION_KEY, keys), (GMA_CLIENT_SECRET, values)];
    let Some(project) = Project::of(&secrets).await else {
        return Ok(None);
    };
    project.add("gma-client-id", CLIENT_ID);
    let project = Rc::new(project);
    let mut first = World::on_google(Scene::Key, Rc::clone(&project))?;
    first.is_lawful = false;
    sample::create_sqlite(&first.path("service.db"), 30, &key).await?;
    let second = of_a_client(GMA_CLIENT_SECRET, &project)?;
    Ok(Some((project, first, second)))
}

fn of_a_client(secret: Secret, project: &Rc<Project>) -> Result<World> {
    let issuer = Issuer::of(secret, &[OLD, NEW, NEWER]);
    let mut world = World::on_google(Scene::Client(issuer), Rc::clone(project))?;
    world.candidate = Some(NEW);
    // The laws are those of one run at a time.
    world.is_lawful = false;
    Ok(world)
}

/// Sees that every reader of the secret serves with this version, and nothing is left of
/// what was prepared.
pub(super) fn expect_serving(
    project: &Project,
    secret: Secret,
    bound: Bound,
    case: &str,
) -> Result<()> {
    let told = project.tell(secret)?;
    assert!(!told.described.is_empty());
    for service in &told.described {
        assert_eq!(
            (service.bound, service.ready),
            (bound, true),
            "{case}: {}",
            secret.name
        );
        assert_eq!(service.revisions.len(), 1, "{case}: {}", secret.name);
    }
    Ok(())
}

async fn a_rotation_while_another_is_at(
    worlds: Option<(Rc<Project>, World, World)>,
    step: &str,
    then: Then,
) -> Result<()> {
    let Some((project, first, second)) = worlds else {
        return Ok(());
    };
    let case = format!("{step}, {then:?}");
    assert!(stops_after(&first, step).await, "{case}");
    let other = second.begin(&Moments::undisturbed()).await;
    other.with_context(|| format!("{case}: the other rotation"))?;
    let ended = carry_on(&first, then).await;
    ended.with_context(|| format!("{case}: the first rotation"))?;

    let of_first = match then {
        Then::Resume => Bound::Pinned(number(2)),
        Then::RollBack => Bound::Latest,
    };
    expect_serving(&project, first.scene.secret(), of_first, &case)?;
    expect_serving(&project, GMA_CLIENT_SECRET, Bound::Pinned(number(2)), &case)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cutover_keeps_what_another_rotation_has_cut_over_since() -> Result<()> {
    a_rotation_while_another_is_at(worlds().await?, "prepare", Then::Resume).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_keeps_what_another_rotation_has_cut_over_since() -> Result<()> {
    a_rotation_while_another_is_at(worlds().await?, "cut-over", Then::RollBack).await
}

/// The other one has made unreachable what was prepared.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_s_rotation_goes_on_after_its_re_encryption() -> Result<()> {
    a_rotation_while_another_is_at(worlds_of_a_key().await?, "re-encrypt", Then::Resume).await
}

/// One project, and two worlds of the same secret, each with a value of its own.
async fn worlds_of_one_secret() -> Result<Option<(Rc<Project>, World, World)>> {
    let Some(project) = Project::new(GMA_CLIENT_SECRET, &[OLD]).await else {
        return Ok(None);
    };
    project.add("gma-client-id", CLIENT_ID);
    let project = Rc::new(project);
    let first = of_a_client(GMA_CLIENT_SECRET, &project)?;
    let mut second = of_a_client(GMA_CLIENT_SECRET, &project)?;
    second.candidate = Some(NEWER);
    Ok(Some((project, first, second)))
}

/// Nothing is begun beside a version that another run has staged.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_rotation_of_a_secret_is_refused_while_the_first_has_staged() -> Result<()> {
    let Some((project, first, second)) = worlds_of_one_secret().await? else {
        return Ok(());
    };
    assert!(stops_after(&first, "stage").await);
    let told = project.tell(GMA_CLIENT_SECRET)?;
    let (reason, _) = failure(second.begin(&Moments::undisturbed()).await, "the second");
    assert_eq!(reason, "somebody else added a version");
    let now = project.tell(GMA_CLIENT_SECRET)?;
    assert!(now.versions == told.versions, "a version was changed");
    assert_eq!(now.services, told.services);
    carry_on(&first, Then::Resume).await?;
    expect_serving(
        &project,
        GMA_CLIENT_SECRET,
        Bound::Pinned(number(2)),
        "the first",
    )
}

/// What serves by then is the second one's, and the first says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_takes_nothing_back_from_a_second_one_of_its_secret() -> Result<()> {
    let Some((project, first, second)) = worlds_of_one_secret().await? else {
        return Ok(());
    };
    assert!(stops_after(&first, "cut-over").await);
    second.begin(&Moments::undisturbed()).await?;
    let ended = carry_on(&first, Then::Resume).await;
    assert!(
        matches!(
            ended,
            Err(Stopped::Failed { .. } | Stopped::Disturbed { .. })
        ),
        "{ended:?}"
    );
    let of_second = Bound::Pinned(number(3));
    expect_serving(&project, GMA_CLIENT_SECRET, of_second, "the second")?;
    let told = project.tell(GMA_CLIENT_SECRET)?;
    assert_eq!(told.versions[&3].0, "enabled");
    Ok(())
}

async fn stops_after(world: &World, step: &str) -> bool {
    let stop = Moments::dying_at(&format!("{step}: after it is verified"));
    world.begin(&stop).await.is_err()
}
