//! A run goes on only where it began: with the same database, secret and services. Whoever opens
//! another terminal may lack a variable that the first had.
use std::fs;
use std::os::unix::fs::symlink;

use anyhow::Result;
use secret::FernetKey;

use super::sandbox::{RESTART, Sandbox, assert_said};

const CLIENTS: u64 = 20;

/// Refused, naming the variable; with it, each way works.
async fn assert_refused_without(variable: &str, value: &str) -> Result<()> {
    for command in ["resume", "rollback"] {
        let sandbox = Sandbox::with_clients(CLIENTS).await?;
        fs::copy(
            sandbox.path("clients.sqlite"),
            sandbox.path("second.sqlite"),
        )?;
        sandbox.write("broken", "")?;
        let with =
            |arguments: &[&str]| sandbox.checked(&sandbox.program(arguments).env(variable, value));
        // Fails at the cutover, when the table is under the new key.
        assert_said(&with(&["rotate-dcr"])?, 2, &[]);
        fs::remove_file(sandbox.path("broken"))?;
        let before = sandbox.tree()?;
        assert_said(
            &sandbox.run(&[command])?,
            1,
            &[variable, "nothing was changed"],
        );
        let differences = before.differences(&sandbox.tree()?);
        assert!(differences.is_empty(), "{differences:?}");
        assert_said(&with(&[command])?, 0, &[]);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_database() -> Result<()> {
    for command in ["resume", "rollback"] {
        let sandbox = left_after_the_re_encryption().await?;
        fs::copy(
            sandbox.path("clients.sqlite"),
            sandbox.path("second.sqlite"),
        )?;
        let env = sandbox.read(".env")?;
        sandbox.write_env(&env.replace("clients.sqlite", "second.sqlite"))?;
        let words = ["DATABASE_URL", "nothing was changed"];
        assert_said(&sandbox.run(&[command])?, 1, &words);
        sandbox.write_env(&env)?;
        assert_said(&sandbox.run(&[command])?, 0, &[]);
    }
    Ok(())
}

/// A run that waits with the table under the new key.
async fn left_after_the_re_encryption() -> Result<Sandbox> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    sandbox.write("broken", "")?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 2, &[]);
    fs::remove_file(sandbox.path("broken"))?;
    Ok(sandbox)
}

/// Another one would be given the old value, and the services would keep the new one.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_file_of_variables() -> Result<()> {
    for command in ["resume", "rollback"] {
        let sandbox = left_after_the_re_encryption().await?;
        fs::copy(sandbox.path(".env"), sandbox.path("other.env"))?;
        sandbox.settings("", &format!("[local]\nenv_file = \"other.env\"\n{RESTART}"))?;
        let before = sandbox.tree()?;
        let words = [
            "another file of variables",
            "`env_file`",
            "nothing was changed",
        ];
        assert_said(&sandbox.run(&[command])?, 1, &words);
        let differences = before.differences(&sandbox.tree()?);
        assert!(differences.is_empty(), "{differences:?}");
        sandbox.settings("", RESTART)?;
        assert_said(&sandbox.run(&[command])?, 0, &[]);
        sandbox.expect_sound(CLIENTS)?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_secret() -> Result<()> {
    assert_refused_without("DCR_ENCRYPTION_KEY_SECRET", "another-name").await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_service() -> Result<()> {
    assert_refused_without("HANDLER_SERVICE_NAME", "another-handler").await
}

/// Another store is empty, or has another value under the number of the old version.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_store() -> Result<()> {
    for command in ["resume", "rollback"] {
        let sandbox = Sandbox::with_clients(CLIENTS).await?;
        sandbox.write("broken", "")?;
        assert_said(&sandbox.run(&["rotate-dcr"])?, 2, &[]);
        fs::remove_file(sandbox.path("broken"))?;
        assert_said(&sandbox.pasted("cp -a .rotation another")?, 0, &[]);
        let key = FernetKey::generate().to_text();
        sandbox.write("another/dcr-encryption-key/1.value", &key)?;
        for other in ["empty", "another"] {
            sandbox.settings("", &format!("[local]\nstore = \"{other}\"\n{RESTART}"))?;
            let before = sandbox.tree()?;
            let output = sandbox.run(&[command])?;
            let words = ["another store", "nothing was changed", "from a backup"];
            assert_said(&output, 1, &words);
            // Who looks into a store locks the secret there.
            let mut differences = before.differences(&sandbox.tree()?);
            differences.retain(|path| !path.starts_with("empty/"));
            assert!(differences.is_empty(), "{differences:?}");
        }
        sandbox.settings("", RESTART)?;
        assert_said(&sandbox.run(&[command])?, 0, &[]);
        sandbox.expect_sound(CLIENTS)?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_by_another_name_is_the_same() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    symlink(".", sandbox.path("linked"))?;
    sandbox.write("broken", "")?;
    let linked = "sqlite:///linked/clients.sqlite";
    let begin = sandbox.program(&["rotate-dcr"]).env("DATABASE_URL", linked);
    assert_said(&sandbox.checked(&begin)?, 2, &[]);
    fs::remove_file(sandbox.path("broken"))?;
    assert_said(&sandbox.run(&["resume"])?, 0, &["Rotated"]);
    sandbox.expect_sound(CLIENTS)
}

/// What the run is about is not there, whatever the settings say of that platform.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_platform() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    sandbox.write("broken", "")?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 2, &[]);
    fs::remove_file(sandbox.path("broken"))?;
    let settings = fs::read_to_string(sandbox.path("rotation.toml"))?;
    let settings =
        format!("{settings}\n[google_cloud]\nproject = \"p1\"\nregion = \"us-central1\"\n");
    sandbox.write("rotation.toml", &settings)?;
    for command in ["resume", "rollback"] {
        let output = sandbox.run(&[command, "--platform", "google-cloud"])?;
        let said = ["was begun on the platform `local`", "`--platform local`"];
        assert_said(&output, 1, &said);
    }
    assert_said(&sandbox.run(&["resume", "--platform", "local"])?, 0, &[]);
    Ok(())
}
