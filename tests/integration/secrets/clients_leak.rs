//! A client's secret is in the `.env`, in the store's value files, and nowhere else.
#![cfg(target_os = "linux")]
use anyhow::Result;

use super::clients::{GMA, NEW, OLD, SSO, installation, with_value};
use super::installation::Installation;
use crate::procedure::sandbox::assert_said;

/// Writes down what any user of the machine can see of it and its parents, and what it was given.
pub(super) const NOSY: &str = r#"
cp .env running.$1 && mv running.$1 running && echo $1 >> restarts
n=$(wc -l < restarts)
{
    env
    pid=$$
    while test "$pid" -gt 1; do
        tr '\0' ' ' < "/proc/$pid/cmdline" || true
        tr '\0' ' ' < "/proc/$pid/environ" || true
        pid=$(sed -n 's/^PPid:[^0-9]*//p' "/proc/$pid/status")
    done
    timeout 0.2 cat
} > "seen.$n.$1" 2>&1
test ! -e broken
"#;

/// Every file but those that are to have it is without it, and without its last half.
pub(super) fn expect_in_their_places(installation: &Installation) -> Result<()> {
    let tree = installation.sandbox.tree()?;
    let is_its_place =
        |name: &str| name == ".env" || name.starts_with("running") || name.ends_with(".value");
    for (number, secret) in installation.secrets()?.iter().enumerate() {
        for piece in [secret, &secret[secret.len() / 2..]] {
            for name in tree.holding(piece) {
                assert!(is_its_place(&name), "secret {number} is in {name}");
            }
        }
    }
    let seen = tree
        .names()
        .into_iter()
        .filter(|name| name.starts_with("seen."));
    assert!(seen.count() > 0, "nobody looked");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_is_in_no_process_file_or_output() -> Result<()> {
    for client in [SSO, GMA] {
        let (_issuer, installation) = installation().await?;
        installation.sandbox.write("restart.sh", NOSY)?;
        let program = with_value(&installation, client, NEW).arg("--verbose");
        assert_said(&installation.checked(&program)?, 0, &["Rotated"]);
        expect_in_their_places(&installation)?;
        let run = installation.last_run()?;
        let output = installation.run(&["rollback", &run, "--verbose"])?;
        assert_said(&output, 0, &["Rolled back"]);
        installation.run(&["status"])?;
        expect_in_their_places(&installation)?;
    }
    Ok(())
}

/// Also where it fails, and where an issuer repeats what it was sent.
#[tokio::test(flavor = "multi_thread")]
async fn nor_after_a_failure() -> Result<()> {
    use integration_tests::issuer::{Effect, Fault};
    let (issuer, installation) = installation().await?;
    installation.sandbox.write("restart.sh", NOSY)?;
    for status in [400, 401, 500] {
        issuer.fault(Fault::for_ever(Effect::Echo(status)));
        let program = with_value(&installation, SSO, NEW).arg("--verbose");
        assert_said(
            &installation.checked(&program)?,
            1,
            &["nothing was changed"],
        );
        issuer.mend();
    }
    installation.sandbox.write("broken", "")?;
    let program = with_value(&installation, SSO, NEW).arg("--verbose");
    assert_said(&installation.checked(&program)?, 2, &[]);
    expect_in_their_places(&installation)?;
    assert_said(
        &installation.run(&["rollback", "--format", "json"])?,
        5,
        &[],
    );
    installation.run(&["status", "--format", "json"])?;
    assert!(installation.variable(SSO.variable)? == OLD, "in .env");
    expect_in_their_places(&installation)
}
