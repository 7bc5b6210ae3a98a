//! What the rotation of a client's secret leaves in the memory of its process when it is over:
//! nothing of a value.
#![cfg(target_os = "linux")]
use anyhow::Result;
use integration_tests::issuer::TestIssuer;

use super::clients::{self, Client, GMA, SSO, with_value};
use super::installation::Installation;
use crate::procedure::sandbox::assert_said;
use crate::procedure::seated::Seated;
use crate::remains::Tracer;

/// With signs that a form, a URL and a `.env` each write in their own way.
const OLD: &str = "tell-n0body+in/use%before&Y4CkXqJ2";
const NEW: &str = "tell-n0body+issued/just%now&m7RwTzV9";
const WRONG: &str = "tell-n0body+of/another%client&b3HsLpD6";

/// An installation with the old value, and what its memory is written down by.
async fn installation(client: Client) -> Result<Option<(TestIssuer, Installation, Tracer)>> {
    let (issuer, mut installation) = clients::installation().await?;
    for value in [OLD, NEW] {
        issuer.accept(client.id, value);
    }
    for value in [OLD, NEW, WRONG] {
        installation.keeps_secret(value);
    }
    let env = installation.sandbox.read(".env")?;
    installation
        .sandbox
        .write_env(&env.replace(clients::OLD, OLD))?;
    let core = installation.sandbox.home().join("core");
    let tracer = Tracer::writing_to(&core, &installation.program(&["--version"]))?;
    Ok(tracer.map(|tracer| (issuer, installation, tracer)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_was_given_is_left_nowhere_in_it() -> Result<()> {
    for client in [SSO, GMA] {
        let Some((_issuer, installation, tracer)) = installation(client).await? else {
            return Ok(());
        };
        let refused = with_value(&installation, client, WRONG);
        let (output, remains) = tracer.run(refused)?;
        assert_said(&output, 1, &["nothing was changed"]);
        remains.expect_none_of(&installation.secrets()?, "refused");

        installation.sandbox.write("issued", NEW)?;
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(installation.sandbox.path("issued"), private)?;
        let rotate = ["rotate-secret", client.rotation, "--value-file", "issued"];
        let (output, remains) = tracer.run(installation.program(&rotate))?;
        assert_said(&output, 0, &["Rotated"]);
        remains.expect_none_of(&installation.secrets()?, client.rotation);

        let back = ["rollback", &installation.last_run()?];
        let (output, remains) = tracer.run(installation.program(&back))?;
        assert_said(&output, 0, &["Rolled back"]);
        remains.expect_none_of(&installation.secrets()?, "rolled back");
    }
    Ok(())
}

/// The terminal's own buffers are the kernel's.
#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_was_typed_is_left_nowhere_in_it() -> Result<()> {
    let Some((_issuer, installation, tracer)) = installation(GMA).await? else {
        return Ok(());
    };
    let secrets = installation.secrets()?;
    let tracer_words = tracer.words()?.join("' '");
    let program = env!("CARGO_BIN_EXE_xtask-under-test");
    let line = format!(
        "'{tracer_words}' '{program}' rotate-secret {}",
        GMA.rotation
    );
    let environment = |shell| installation.at_home(shell);
    let mut seated = Seated::through(&installation.sandbox, &line, environment, secrets)?;
    seated.answer("Go on? [y/N] ", "y\n")?;
    let question = "new value of `gma-client-secret`, which will not show";
    seated.answer(question, &format!("{NEW}\n"))?;
    let output = seated.wait_without(&installation.secrets()?)?;
    assert_said(&output, 0, &["Rotated"]);
    tracer
        .remains()?
        .expect_none_of(&installation.secrets()?, "typed");
    Ok(())
}
