//! What the hand procedure did to the database, its password and its backups.
use anyhow::Result;
use integration_tests::Program;
use jiff::{Timestamp, ToSpan as _};
use secret::DatabaseUrl;

use crate::google::lab::Lab;
use crate::google::watch::Watch;
use crate::procedure::tree::Tree;
use crate::roles;

/// How the hand procedure set a new password.
///
/// Ours reaches the server as a verifier, by the database's own connection. Each
/// rotation here is watched for arguments, and `gcloud`'s folder searched:
/// `google::database_urls`.
#[tokio::test(flavor = "multi_thread")]
async fn passwords_are_on_argument_lists() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    let password = "--password=hunter2-argument";
    let watch = Watch::children_of(std::process::id());
    let words = ["sql", "users", "set-password", "u", "--instance=db1"];
    let (done, printed) = lab.gcloud(&[&words[..], &[password]].concat()).await?;
    let seen = watch.end();
    assert!(done, "{printed}");
    assert!(seen.contains(password) || cfg!(not(target_os = "linux")));
    let logs = Tree::read(lab.config.folder())?.holding("hunter2-argument");
    assert!(!logs.is_empty(), "nor did it write it to its log");
    Ok(())
}

/// How the hand procedure took the old password out of the URL, to set it again.
#[tokio::test]
async fn url_surgery_with_sed_finds_another_password() -> Result<()> {
    let lab = roles::lab::Lab::new().await?;
    let (role, password) = (lab.first.name(), lab.first.password());
    let url = lab.database.url_as(role, password);
    let found = Program::xtask("sed")
        .args(["-n", r"s/.*:\([^@]*\)@.*/\1/p"])
        .stdin(url.as_str())
        .run();
    assert_eq!(found.code, Some(0));
    assert!(!found.stdout.trim().is_empty(), "it finds none");
    assert!(found.stdout.trim() != password, "it finds the password");
    let set_again = lab.database.url_as(role, found.stdout.trim());
    let set_again = DatabaseUrl::parse(&set_again)?;
    assert!(!lab.is_accepted(&set_again).await?, "it logs in");
    // Ours: a URL's parser.
    let parsed = DatabaseUrl::parse(&url)?;
    let again = parsed.with_login(parsed.user()?, &parsed.password()?)?;
    assert!(lab.is_accepted(&again).await?, "it doesn't log in");
    Ok(())
}

/// Which backup the hand procedure was to be restored from.
#[tokio::test]
async fn the_newest_backup_may_be_a_failed_one() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    let now = Timestamp::now();
    let (good, failed) = {
        let sql = &mut lab.google.world().sql;
        let good = sql.add("SUCCESSFUL", now - 2.hours());
        (good, sql.add("FAILED", now - 1.hours()))
    };
    let (words, format) = (["sql", "backups", "list"], "--format=value(id)");
    let options = ["--instance=db1", "--limit=1", format];
    let (done, printed) = lab.gcloud(&[words, options].concat()).await?;
    assert!(done && printed.trim() == failed, "{printed}");
    let backups = lab.platform.backups.as_deref().expect("backups");
    let newest = backups.newest().await?.expect("a backup");
    assert_eq!(newest.name, good);
    Ok(())
}

/// With the right one it takes the passwords back together with the rows: they are the
/// server's, as the roles are.
///
/// Ours restores nothing. It re-encrypts the rows as they are by then, back to the old
/// key: `google::rotation::it_rotates_and_is_rolled_back`.
#[tokio::test]
async fn the_restore_command_has_a_wrong_flag() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    let words = ["sql", "backups", "restore", "1"];
    let options = ["--backup-instance=db1", "--instance=db1"];
    let (done, printed) = lab.gcloud(&[&words[..], &options].concat()).await?;
    assert!(
        !done && printed.contains("unrecognized arguments"),
        "{printed}"
    );
    Ok(())
}
