//! What is typed wrongly: it is not repeated, for it may be a value.
use anyhow::Result;

use super::clients::{SSO, installation};
use crate::procedure::sandbox::{Sandbox, assert_said};

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_name_is_refused_without_being_quoted() -> Result<()> {
    let (_issuer, mut installation) = installation().await?;
    installation.keeps_secret("hunter2");
    for name in ["hunter2-pasted-here", "hunter2", "SSO-hunter2"] {
        let output = installation.run(&["rotate-secret", name])?;
        assert_said(&output, 64, &["red-hat-sso-client-secret", "database-url"]);
    }
    Ok(())
}

/// A value as an argument, by whatever flag.
#[tokio::test(flavor = "multi_thread")]
async fn a_value_as_an_argument_is_refused_without_being_quoted() -> Result<()> {
    let (_issuer, mut installation) = installation().await?;
    installation.keeps_secret("hunter2");
    for arguments in [
        &["--value", "hunter2-pasted"][..],
        &["--value=hunter2-pasted"],
        &["hunter2-pasted"],
        &["--new-value", "hunter2-pasted"],
        &["--password=hunter2-pasted"],
        &["--secret", "hunter2-pasted"],
    ] {
        let rotate = [&["rotate-secret", SSO.rotation], arguments].concat();
        assert_said(&installation.run(&rotate)?, 64, &[]);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn flags_of_another_secret_are_refused() -> Result<()> {
    let (_issuer, installation) = installation().await?;
    let before = installation.sandbox.tree()?;
    for (arguments, words) in [
        (&[SSO.rotation, "--in-place"][..], "only a database URL"),
        (
            &["database-url", "--value-file", "-"],
            "leave `--value-file` out",
        ),
        (
            &["dcr-encryption-key", "--value-file", "-"],
            "leave `--value-file` out",
        ),
        (
            &[SSO.rotation, "--platform", "none"],
            "no platform is named",
        ),
        (&[], "`<SECRET>` is missing"),
    ] {
        let output = installation.run(&[&["rotate-secret"], arguments].concat())?;
        assert_said(&output, 64, &[words]);
    }
    let differences = before.differences(&installation.sandbox.tree()?);
    assert!(differences.is_empty(), "{differences:?}");
    Ok(())
}

/// The key has a command of its own, and goes by its name here as well.
#[tokio::test(flavor = "multi_thread")]
async fn the_key_is_rotated_as_by_its_own_command() -> Result<()> {
    for name in ["dcr-encryption-key", "DCR_ENCRYPTION_KEY"] {
        let sandbox = Sandbox::with_clients(10).await?;
        let output = sandbox.run(&["rotate-secret", name])?;
        assert_said(&output, 0, &["Rotated dcr-encryption-key: 13 tokens"]);
        sandbox.expect_sound(10)?;
    }
    Ok(())
}
