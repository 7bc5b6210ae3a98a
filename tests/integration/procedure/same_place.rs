//! A run goes on only where it began: with the same database, secret and services. Whoever opens
//! another terminal may lack a variable that the first had.
use std::fs;

use anyhow::Result;

use super::sandbox::{Sandbox, assert_said};

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
    assert_refused_without("DATABASE_URL", "sqlite:///second.sqlite").await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_secret() -> Result<()> {
    assert_refused_without("DCR_ENCRYPTION_KEY_SECRET", "another-name").await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_service() -> Result<()> {
    assert_refused_without("HANDLER_SERVICE_NAME", "another-handler").await
}
