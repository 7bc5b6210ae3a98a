//! A database URL whose two roles take turns.
use anyhow::Result;
use integration_tests::PostgresServer;

use super::logins_lab::{Lab, SERVICES, SESSIONS, is_refused, use_tables};
use crate::command_line::assert_file_snapshot;
use crate::procedure::sandbox::assert_said;

/// The text without what is the server's.
fn without_server(lab: &Lab, text: &str) -> String {
    let [first, second] = lab.roles();
    let server = PostgresServer::shared();
    text.replace(&second, "[second role]")
        .replace(&first, "[first role]")
        .replace(lab.database.name(), "[database]")
        .replace(&format!("{}:{}", server.host(), server.port()), "[server]")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_role_takes_over_and_the_first_is_locked_out() -> Result<()> {
    for url in [SERVICES, SESSIONS] {
        let lab = Lab::new(url).await?;
        let old = lab.in_env()?;
        let output = lab.installation.run(&lab.rotate(&[]))?;
        let ends = "version 2 serves, with the role";
        assert_said(&output, 0, &[ends, "version 1 is disabled"]);
        let said = without_server(&lab, &lab.installation.streams(&output)?);
        assert_file_snapshot(format!("secret_{}", url.name.replace('-', "_")), said);
        lab.expect_sound().await?;
        assert_eq!(lab.role_in_env()?, lab.roles()[1]);
        assert!(is_refused(&old).await?, "the old URL lets in");
        assert_eq!(lab.installation.states(url.name)?, ["disabled", "enabled"]);
    }
    Ok(())
}

/// The first role takes its turn again with the second rotation, and so on.
#[tokio::test(flavor = "multi_thread")]
async fn three_rotations_and_the_way_back_from_the_third() -> Result<()> {
    let lab = Lab::new(SERVICES).await?;
    let [first, second] = lab.roles();
    for (version, role) in [(2, &second), (3, &first), (4, &second)] {
        let output = lab.installation.run(&lab.rotate(&[]))?;
        assert_said(&output, 0, &[&format!("version {version} serves")]);
        lab.expect_sound().await?;
        assert_eq!(lab.role_in_env()?, *role);
    }
    let third = lab.in_env()?;
    let run = lab.installation.last_run()?;
    assert_said(
        &lab.installation.run(&["rollback", &run])?,
        0,
        &["Rolled back"],
    );
    assert_eq!(lab.role_in_env()?, first);
    use_tables(&lab.in_env()?).await?;
    assert!(is_refused(&third).await?, "the URL that was undone lets in");
    lab.installation.expect_nothing_unfinished()?;

    assert_said(&lab.installation.run(&lab.rotate(&[]))?, 0, &["Rotated"]);
    lab.expect_sound().await?;
    assert_eq!(lab.role_in_env()?, second);
    Ok(())
}

/// Nothing of the second role is left, which wasn't there before.
#[tokio::test(flavor = "multi_thread")]
async fn the_rollback_of_the_first_rotation_removes_the_role_it_made() -> Result<()> {
    let lab = Lab::new(SERVICES).await?;
    let env = lab.installation.sandbox.read(".env")?;
    assert_said(&lab.installation.run(&lab.rotate(&[]))?, 0, &[]);
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
    use_tables(&lab.in_env()?).await?;
    let client = lab.database.connect().await;
    let query = "select count(*) from pg_roles where rolname = $1";
    let count: i64 = client.query_one(query, &[&lab.roles()[1]]).await?.get(0);
    assert_eq!(count, 0, "the second role is there");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_changes_nothing_in_the_folder_or_at_the_server() -> Result<()> {
    let lab = Lab::new(SERVICES).await?;
    let before = lab.installation.sandbox.tree()?;
    for mode in [&["--dry-run"][..], &["--dry-run", "--in-place"]] {
        let output = lab.installation.run(&lab.rotate(mode))?;
        assert_said(&output, 0, &["Nothing was changed"]);
        let differences = before.differences(&lab.installation.sandbox.tree()?);
        assert!(differences.is_empty(), "{differences:?}");
    }
    use_tables(&lab.in_env()?).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emergency_leaves_nothing_of_the_old_url() -> Result<()> {
    for (contained, used) in [
        (&[][..], "--contain lock-out (not used)"),
        (&["--contain", "lock-out"], "--contain lock-out (used)"),
    ] {
        let lab = Lab::new(SERVICES).await?;
        let old = lab.in_env()?;
        let emergency = [&["--emergency"], contained].concat();
        let output = lab.installation.run(&lab.rotate(&emergency))?;
        assert_said(
            &output,
            0,
            &[
                "version 1 is destroyed, and",
                used,
                "effect: the leaked login lets",
                "undo: ",
            ],
        );
        assert!(is_refused(&old).await?, "the old URL lets in");
        let run = lab.installation.last_run()?;
        let told = format!("state/runs/{run}/announcements.md");
        let told = lab.installation.sandbox.read(&told)?;
        for piece in [
            "`database-url`",
            "`marketplace-handler`",
            "Expected outage: ",
        ] {
            let is_there = told.contains(piece) || contained.is_empty() && piece.starts_with('E');
            assert!(is_there, "{piece} is missing: {told}");
        }
        assert!(lab.installation.sandbox.tree()?.holding(&old).is_empty());
        use_tables(&lab.in_env()?).await?;
    }
    Ok(())
}

/// A service that people restart: the old role works until they have.
#[tokio::test(flavor = "multi_thread")]
async fn the_old_login_works_until_people_have_restarted_the_services() -> Result<()> {
    let lab = Lab::with(SERVICES, "createrole", "").await?;
    let old = lab.in_env()?;
    let output = lab.installation.run(&lab.rotate(&[]))?;
    assert_said(&output, 3, &["`Restart the service by hand`, waits"]);
    use_tables(&old).await?;
    use_tables(&lab.in_env()?).await?;
    let next = lab.installation.next_commands()?;
    assert_said(&lab.installation.pasted(&next[0])?, 0, &["Rotated"]);
    lab.expect_sound().await
}

/// The way back of such a service: what it runs with works until people have restarted it
/// with what it is to have.
#[tokio::test(flavor = "multi_thread")]
async fn the_new_login_works_until_people_have_restarted_the_services_with_the_old_one()
-> Result<()> {
    let lab = Lab::with(SERVICES, "createrole", "").await?;
    let old = lab.in_env()?;
    let output = lab.installation.run(&lab.rotate(&[]))?;
    assert_said(&output, 3, &["`Restart the service by hand`, waits"]);
    let new = lab.in_env()?;
    let rotated = lab
        .installation
        .pasted(&lab.installation.next_commands()?[0])?;
    assert_said(&rotated, 0, &["Rotated"]);

    let run = lab.installation.last_run()?;
    let output = lab.installation.run(&["rollback", &run])?;
    let words = ["`Restart the service by hand`, waits", "--done"];
    assert_said(&output, 3, &words);
    assert!(lab.in_env()? == old, "another URL is in .env");
    for url in [&old, &new] {
        use_tables(url).await?;
    }
    // Nor does a second look take it for restarted.
    let output = lab.installation.run(&["rollback", &run])?;
    assert_said(&output, 3, &words);
    use_tables(&new).await?;

    let next = lab.installation.next_commands()?;
    assert_eq!(next.len(), 1, "{next:?}");
    let output = lab.installation.pasted(&next[0])?;
    assert_said(&output, 0, &["everything is as it was."]);
    assert!(is_refused(&new).await?, "the new URL lets in");
    lab.expect_sound().await
}
