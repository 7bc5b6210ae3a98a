//! `abandon`, of the rotation of a client's secret: the issuer has a say.
use anyhow::Result;

use super::clients::{GMA, NEW, installation, with_value};
use crate::procedure::sandbox::assert_said;

/// In its soak, and healthy but for what the issuer says.
#[tokio::test(flavor = "multi_thread")]
async fn with_a_value_that_the_issuer_refuses_no_run_is_left() -> Result<()> {
    let (issuer, installation) = installation().await?;
    let settings = installation.sandbox.read("rotation.toml")?;
    let settings = settings.replacen("\n", "\nsoak = \"1h\"\n", 1);
    installation.sandbox.write("rotation.toml", &settings)?;
    let program = with_value(&installation, GMA, NEW);
    assert_said(&installation.checked(&program)?, 3, &[]);
    issuer.refuse(GMA.id);
    let refused = installation.run(&["abandon"])?;
    assert_said(
        &refused,
        1,
        &["it is not the secret of the client", "nothing was changed"],
    );
    issuer.accept(GMA.id, NEW);
    assert_said(&installation.run(&["abandon"])?, 0, &["Abandoned"]);
    installation.expect_nothing_unfinished()
}

/// They may revoke it on any later day, and then the services have nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_has_asked_for_a_revocation_is_not_left() -> Result<()> {
    let (_issuer, installation) = installation().await?;
    let emergency = ["--emergency", "--contain", "revoke"];
    let arguments = [&["rotate-secret", GMA.rotation][..], &emergency].concat();
    assert_said(&installation.run(&arguments)?, 3, &[]);
    let refused = installation.run(&["abandon"])?;
    assert_said(
        &refused,
        1,
        &["asked for the revocation", "nothing was changed"],
    );
    assert_said(&installation.run(&["rollback"])?, 0, &["Rolled back"]);
    Ok(())
}
