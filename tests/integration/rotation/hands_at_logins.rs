//! What other people do to the roles and to the store of their URLs.
use anyhow::Result;
use rotation::DATABASE_URL;
use rotation::database_login::Mode;
use runbook::{StepError as _, Stopped};
use secrecy::ExposeSecret as _;
use secret::{DatabaseUrl, Password, SecretValue};

use super::logins::{inline, stored};
use super::moments::Moments;
use super::other_people::{carry_on, failure, stopped_after};
use super::scene::{Scene, Server};
use super::world::{THEN, Then, World};

const SECRET: &str = DATABASE_URL.store_name;

fn server(world: &World) -> &Server {
    match &world.scene {
        Scene::Login(server) => server,
        _ => panic!("no server"),
    }
}

/// The URL with the other role, and a password that nobody has kept.
fn second_url(world: &World) -> Result<SecretValue> {
    let first = DatabaseUrl::parse(&server(world).first_url())?;
    let role = platform::database_roles::other_role(first.user()?);
    let second = first.with_login(&role, &Password::generate())?;
    Ok(SecretValue::from(&second))
}

#[expect(clippy::disallowed_methods, reason = "a test's own URL")]
fn text(value: &SecretValue) -> String {
    String::from_utf8_lossy(value.expose_secret()).into_owned()
}

/// A preparation that was cut off: the role logs in, and can do nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_was_made_by_half_is_finished_or_removed() -> Result<()> {
    for then in THEN {
        let world = stored(Mode::Alternate).await?;
        let start = world.see().await?;
        let moment = "second-role: before prepare the second role";
        assert!(world.begin(&Moments::dying_at(moment)).await.is_err());
        let seen = world.see().await?;
        let (_, _, staged) = seen.latest().expect("a version");
        server(&world).make_bare(start.value_in_use(), staged).await;
        world.bring_to_its_end(then, &start, "by half").await;
    }
    Ok(())
}

/// It isn't known who uses it: a rollback that comes before the run took it leaves it.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_role_that_people_made_is_left_as_it_is_until_it_is_taken() -> Result<()> {
    let world = stored(Mode::Alternate).await?;
    let theirs = text(&second_url(&world)?);
    let first = server(&world).first_url();
    server(&world).make_bare(&first, &theirs).await;
    let start = world.see().await?;
    // From Postgres 16 on, whoever makes a role has a say over it.
    if server(&world).database.server().major_version() < 16 {
        let refused = world.begin(&Moments::undisturbed()).await;
        let (reason, hint) = failure(refused, "theirs");
        assert_eq!(reason, "a role may be somebody else's");
        assert!(hint.contains("WITH ADMIN OPTION"), "{hint}");
        world
            .bring_to_its_end(Then::RollBack, &start, "refused")
            .await;
        server(&world).say_whose_it_is(&first, &theirs).await;
    }
    let moment = "second-role: before prepare the second role";
    assert!(world.begin(&Moments::dying_at(moment)).await.is_err());
    assert!(server(&world).accepts(&theirs).await);
    world
        .bring_to_its_end(Then::RollBack, &start, "theirs")
        .await;
    assert!(server(&world).accepts(&theirs).await, "not ours");
    // The next run takes it, and locks it out again on its way back.
    world.begin(&Moments::undisturbed()).await?;
    world.see().await?.expect_rotated_from(&start, "theirs");
    world.bring_to_its_end(Then::RollBack, &start, "ours").await;
    assert!(!server(&world).accepts(&theirs).await);
    Ok(())
}

/// A service that keeps its connections open for good.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_the_old_role_still_has_is_ended() -> Result<()> {
    let world = inline(Mode::Alternate).await?;
    let start = world.see().await?;
    let here = start.value_in_use();
    let (server_of, _) = here.rsplit_once('/').expect("a database");
    let sessions = [
        Server::connect(here).await,
        Server::connect(&format!("{server_of}/postgres")).await,
    ];
    let moment = "lock-out: before end sessions";
    assert!(world.begin(&Moments::dying_at(moment)).await.is_err());
    for session in &sessions {
        session.batch_execute("select 1").await?;
    }
    let nothing = Moments::undisturbed();
    let (ended, remarks) = world.carry_on_telling(Then::Resume, &nothing).await;
    ended?;
    let role = DatabaseUrl::parse(here)?.user()?.to_owned();
    let said = format!("2 sessions of `{role}` were ended");
    assert!(remarks.contains(&said), "{remarks:?}");
    world.see().await?.expect_rotated_from(&start, "a session");
    for session in sessions {
        assert!(session.batch_execute("select 1").await.is_err(), "left");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_adds_a_version() -> Result<()> {
    for (mode, steps) in [
        (Mode::Alternate, ["stage", "second-role", "lock-out"]),
        (Mode::InPlace, ["stage", "set-password", "cut-over"]),
    ] {
        let world = stored(mode).await?;
        let start = world.see().await?;
        let theirs = second_url(&world)?;
        for step in steps {
            for then in THEN {
                let case = format!("{mode:?}, {step}, then {then:?}");
                let stopped = stopped_after(&world, step).await?;
                let store = stopped.platform()?.store;
                let foreign = store.add(SECRET, &theirs).await?;
                if then == Then::RollBack {
                    carry_on(&stopped, then).await?;
                    let seen = stopped.see().await?;
                    assert!(seen.env == start.env, "{case}: .env");
                    assert!(seen.beside == start.beside, "{case}: roles");
                    assert_eq!(seen.versions[&foreign.get()].0, "enabled", "{case}");
                    continue;
                }
                let (reason, hint) = failure(carry_on(&stopped, then).await, &case);
                assert_eq!(reason, "somebody else added a version", "{case}");
                assert!(hint.contains(&format!("version {foreign}")), "{case}");
                store.disable(SECRET, foreign).await?;
                carry_on(&stopped, then).await?;
                let seen = stopped.see().await?;
                assert!(!seen.is_enabled(start.value_in_use()), "{case}: retired");
            }
        }
    }
    Ok(())
}

/// Of the role that takes over: whoever logs in with the staged URL is refused then.
#[tokio::test(flavor = "multi_thread")]
async fn somebody_gives_the_new_role_another_password() -> Result<()> {
    for (mode, steps) in [
        (Mode::Alternate, ["second-role", "cut-over", "soak"]),
        (Mode::InPlace, ["set-password", "cut-over", "soak"]),
    ] {
        let mut world = stored(mode).await?;
        world.is_lawful = false;
        let start = world.see().await?;
        for step in steps {
            let case = format!("{mode:?}, {step}");
            let stopped = stopped_after(&world, step).await?;
            let seen = stopped.see().await?;
            let new = DatabaseUrl::parse(seen.latest().expect("a version").2)?;
            let theirs = new.with_login(new.user()?, &Password::generate())?;
            server(&world).set_password_by_hand(&theirs).await;
            let ended = carry_on(&stopped, Then::Resume).await;
            if let Err(stop) = ended {
                if let Stopped::Failed { error, .. } = &stop {
                    assert!(error.hint().is_some(), "{case}: {error}");
                } else {
                    assert!(
                        matches!(stop, Stopped::Disturbed { .. }),
                        "{case}: {stop:?}"
                    );
                }
                let seen = stopped.see().await?;
                assert!(seen.is_enabled(start.value_in_use()), "{case}: retired");
                server(&world).set_password_by_hand(&new).await;
                carry_on(&stopped, Then::Resume).await?;
            }
            let seen = stopped.see().await?;
            seen.expect_rotated_from(&start, &case);
            assert!(server(&world).accepts(seen.value_in_use()).await, "{case}");
        }
    }
    Ok(())
}

/// Of the role that the services would go back to, before the run itself has locked it out:
/// begun, there would be no way but back, and none that ends.
#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_to_a_login_that_is_refused_does_not_begin() -> Result<()> {
    let mut world = stored(Mode::Alternate).await?;
    world.is_lawful = false;
    let start = world.see().await?;
    let old = DatabaseUrl::parse(start.value_in_use())?;
    let theirs = old.with_login(old.user()?, &Password::generate())?;
    for (step, is_refused) in [
        ("prepare", false),
        ("cut-over", true),
        ("soak", true),
        ("lock-out", false),
    ] {
        let stopped = stopped_after(&world, step).await?;
        stopped.look_before_the_rollback().await?;
        if step != "lock-out" {
            server(&world).set_password_by_hand(&theirs).await;
        }
        let looked = stopped.look_before_the_rollback().await;
        let said = looked.err().map(|error| (error.reason(), error.hint()));
        assert_eq!(said.is_some(), is_refused, "{step}");
        if let Some((reason, hint)) = said {
            assert_eq!(reason, "the database refused the old login", "{step}");
            let hint = hint.unwrap_or_default();
            assert!(hint.contains("with the password of version 2"), "{hint}");
        }
        server(&world).set_password_by_hand(&old).await;
        if step == "lock-out" {
            // Or the role's way back in would be another one than the run's.
            carry_on(&stopped, Then::Resume).await?;
            continue;
        }
        stopped.look_before_the_rollback().await?;
        stopped.bring_to_its_end(Then::Resume, &start, step).await;
    }
    Ok(())
}

/// The run was about to lock it out: what somebody else has done already is done.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_role_that_others_shut_out_is_locked_out() -> Result<()> {
    let mut world = stored(Mode::Alternate).await?;
    world.is_lawful = false;
    let start = world.see().await?;
    let old = DatabaseUrl::parse(start.value_in_use())?;
    let theirs = old.with_login(old.user()?, &Password::generate())?;
    let stopped = stopped_after(&world, "soak").await?;
    server(&world).set_password_by_hand(&theirs).await;
    carry_on(&stopped, Then::Resume).await?;
    let seen = stopped.see().await?;
    assert!(!seen.is_enabled(start.value_in_use()), "not retired");
    assert!(server(&world).accepts(seen.value_in_use()).await);
    // Nothing gives the role its old password again.
    let looked = stopped.look_before_the_rollback().await;
    let reason = looked.err().map(|error| error.reason());
    assert_eq!(reason, Some("the database refused the old login"));
    let seen = stopped.see().await?;
    assert!(!seen.is_enabled(start.value_in_use()), "left enabled");
    server(&world).set_password_by_hand(&old).await;
    Ok(())
}

/// In place there is one role: with a third password, neither URL logs in.
#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_in_place_that_could_not_log_in_does_not_begin() -> Result<()> {
    let mut world = stored(Mode::InPlace).await?;
    world.is_lawful = false;
    let start = world.see().await?;
    let stopped = stopped_after(&world, "soak").await?;
    stopped.look_before_the_rollback().await?;
    let new = DatabaseUrl::parse(stopped.see().await?.value_in_use())?;
    let theirs = new.with_login(new.user()?, &Password::generate())?;
    server(&world).set_password_by_hand(&theirs).await;
    let looked = stopped.look_before_the_rollback().await;
    let reason = looked.err().map(|error| error.reason());
    assert_eq!(reason, Some("the database refused the old login"));
    server(&world).set_password_by_hand(&new).await;
    stopped
        .bring_to_its_end(Then::RollBack, &start, "in place")
        .await;
    Ok(())
}

/// What can't be told from the run's own by its number is taken only if it is the URL in
/// use with the login of the role that takes over.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_without_a_number_is_looked_at_before_it_is_taken() -> Result<()> {
    let world = stored(Mode::Alternate).await?;
    let start = world.see().await?;
    let first = DatabaseUrl::parse(start.value_in_use())?;
    let of_first = first.with_login(first.user()?, &Password::generate())?;
    let elsewhere = text(&second_url(&world)?) + "_elsewhere";
    for (theirs, is_taken) in [
        (SecretValue::from(&of_first), false),
        (SecretValue::from(elsewhere.as_bytes()), false),
        (second_url(&world)?, true),
    ] {
        let copy = world.copy()?;
        let stopped = copy.begin(&Moments::dying_at("stage: before add")).await;
        assert!(stopped.is_err());
        let store = copy.platform()?.store;
        let found = store.add(SECRET, &theirs).await?;
        let ended = carry_on(&copy, Then::Resume).await;
        if is_taken {
            ended?;
            assert!(copy.see().await?.value_in_use() == text(&theirs));
            continue;
        }
        let (reason, _) = failure(ended, "theirs");
        assert_eq!(reason, "somebody else added a version");
        store.disable(SECRET, found).await?;
        carry_on(&copy, Then::Resume).await?;
        copy.see().await?.expect_rotated_from(&start, "disabled");
    }
    Ok(())
}

/// Right after a step has set it, or before the old version is retired.
#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_somebody_sets_meanwhile_is_found() -> Result<()> {
    let refused = "the database refused a login";
    let accepted = "the old login still works";
    for (mode, moment, reason) in [
        (Mode::Alternate, "second-role: after it is applied", refused),
        (Mode::Alternate, "lock-out: after it is applied", accepted),
        (Mode::Alternate, "lock-out: after it is verified", accepted),
        (Mode::InPlace, "set-password: after it is applied", refused),
    ] {
        for then in THEN {
            let mut world = stored(mode).await?;
            let start = world.see().await?;
            world.is_lawful = false;
            let first = DatabaseUrl::parse(start.value_in_use())?;
            let url = match moment.starts_with("second-role") {
                true => DatabaseUrl::parse(&text(&second_url(&world)?))?,
                false => first,
            };
            let moments = Moments::meanwhile(moment, server(&world).setting_password(&url));
            let ended = world.begin(&moments).await;
            assert_eq!(failure(ended, moment).0, reason, "{moment}");
            assert!(
                world.see().await?.is_enabled(start.value_in_use()),
                "{moment}"
            );
            world.bring_to_its_end(then, &start, moment).await;
        }
    }
    Ok(())
}

/// The last word of a rollback: the service could not open its next connection.
#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_to_a_url_that_logs_in_no_more_says_so() -> Result<()> {
    let mut world = stored(Mode::Alternate).await?;
    let start = world.see().await?;
    world.is_lawful = false;
    let stopped = stopped_after(&world, "pin").await?;
    let first = DatabaseUrl::parse(start.value_in_use())?;
    let other = first.with_login(first.user()?, &Password::generate())?;
    let set = server(&world).setting_password(&other);
    let moments = Moments::meanwhile("undo pin: after it is undone", set);
    let (reason, _) = failure(stopped.carry_on(Then::RollBack, &moments).await, "pin");
    assert_eq!(reason, "the database refused a login");
    server(&world).set_password_by_hand(&first).await;
    stopped
        .bring_to_its_end(Then::RollBack, &start, "pin")
        .await;
    Ok(())
}
