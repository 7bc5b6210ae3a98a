//! A database URL whose one role gets another password.
use anyhow::Result;
use secrecy::ExposeSecret as _;
use secret::DatabaseUrl;

use super::logins_lab::{Lab, SERVICES, SESSIONS, is_refused, log_in, use_tables};
use crate::procedure::sandbox::assert_said;

#[tokio::test(flavor = "multi_thread")]
async fn the_role_gets_another_password() -> Result<()> {
    for url in [SERVICES, SESSIONS] {
        let lab = Lab::with(url, "", super::installation::BOTH).await?;
        for version in [2, 3] {
            let old = lab.in_env()?;
            let output = lab.installation.run(&lab.rotate(&["--in-place"]))?;
            let words = format!("version {version} serves, with a new password for");
            assert_said(&output, 0, &[&words]);
            lab.expect_sound().await?;
            assert_eq!(lab.role_in_env()?, lab.first.name());
            assert!(is_refused(&old).await?, "the old URL lets in");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn its_plan_says_what_it_costs_first() -> Result<()> {
    let lab = Lab::new(SERVICES).await?;
    let output = lab
        .installation
        .run(&lab.rotate(&["--in-place", "--dry-run"]))?;
    assert_said(&output, 0, &["the old one can't open new connections"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_run_is_rolled_back() -> Result<()> {
    let lab = Lab::with(SERVICES, "", super::installation::BOTH).await?;
    let env = lab.installation.sandbox.read(".env")?;
    assert_said(&lab.installation.run(&lab.rotate(&["--in-place"]))?, 0, &[]);
    let new = lab.in_env()?;
    let run = lab.installation.last_run()?;
    assert_said(
        &lab.installation.run(&["rollback", &run])?,
        0,
        &["Rolled back"],
    );
    assert!(
        lab.installation.sandbox.read(".env")? == env,
        "another .env"
    );
    assert!(is_refused(&new).await?, "the URL that was undone lets in");
    use_tables(&lab.in_env()?).await
}

/// A run knows its mode: `resume` and `rollback` don't have to be told.
#[tokio::test(flavor = "multi_thread")]
async fn a_failure_in_the_middle_is_resumed_or_undone_in_the_same_mode() -> Result<()> {
    for way in [0, 1] {
        let lab = Lab::with(SERVICES, "", super::installation::BOTH).await?;
        lab.installation.sandbox.write("broken", "")?;
        let output = lab.installation.run(&lab.rotate(&["--in-place"]))?;
        let words = ["restart", "logs in with the new password alone"];
        assert_said(&output, 2, &words);
        std::fs::remove_file(lab.installation.sandbox.path("broken"))?;
        let next = lab.installation.next_commands()?;
        let output = lab.installation.pasted(&next[way])?;
        assert_said(&output, 0, &[["Rotated", "Rolled back"][way]]);
        use_tables(&lab.in_env()?).await?;
        lab.installation.expect_nothing_unfinished()?;
    }
    Ok(())
}

/// By the password that follows from the old URL, whoever holds that could log in as the role
/// whose turn it isn't; and it is to take its turn again.
#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::disallowed_methods, reason = "a test's own URL")]
async fn the_role_whose_turn_it_is_not_goes_along_on_both_ways() -> Result<()> {
    let lab = Lab::new(SERVICES).await?;
    let rotate = |more: &[&str]| lab.installation.run(&lab.rotate(more));
    assert_said(&rotate(&[])?, 0, &[]);
    let idle = |url: &str| -> Result<String> {
        let url = DatabaseUrl::parse(url)?.for_idle(lab.first.name())?;
        Ok(url.expose_secret().to_owned())
    };
    let (before, idle_before) = (lab.in_env()?, idle(&lab.in_env()?)?);
    assert!(!is_refused(&idle_before).await?, "no idle role");

    assert_said(&rotate(&["--in-place"])?, 0, &[]);
    assert!(is_refused(&idle_before).await?, "the old URL lets in");
    assert!(!is_refused(&idle(&lab.in_env()?)?).await?, "left behind");
    let run = lab.installation.last_run()?;
    let output = lab.installation.run(&["rollback", &run])?;
    assert_said(&output, 0, &["Rolled back"]);
    assert!(
        lab.in_env()? == before && !is_refused(&idle_before).await?,
        "not back"
    );

    let session = log_in(&idle_before).await?;
    assert_said(
        &rotate(&["--in-place", "--emergency", "--contain", "lock-out"])?,
        0,
        &[],
    );
    assert!(
        session.simple_query("select 1").await.is_err(),
        "it goes on"
    );
    assert!(is_refused(&idle_before).await?, "the leaked URL lets in");
    assert_said(&rotate(&[])?, 0, &[]);
    assert_eq!(lab.role_in_env()?, lab.first.name());
    use_tables(&lab.in_env()?).await
}
