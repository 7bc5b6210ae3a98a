//! A client's secret, rotated from the value that another team issued to the end of the old one.
use anyhow::Result;
use integration_tests::Program;
use integration_tests::issuer::{Effect, Fault, TestIssuer};

use super::installation::{BOTH, Installation};
use crate::command_line::assert_file_snapshot;
use crate::procedure::sandbox::assert_said;

pub(super) const OLD: &str = "hunter2-in-use-before";
pub(crate) const NEW: &str = "hunter2-issued-today";

/// One of the two clients.
#[derive(Clone, Copy)]
pub(super) struct Client {
    pub(super) rotation: &'static str,
    pub(super) id: &'static str,
    pub(super) variable: &'static str,
    pub(super) store: &'static str,
    /// The services that read it, as the restarting script calls them.
    pub(super) readers: &'static [&'static str],
}

pub(super) const SSO: Client = Client {
    rotation: "red-hat-sso-client-secret",
    id: "client-of-sso",
    variable: "RED_HAT_SSO_CLIENT_SECRET",
    store: "redhat-sso-client-secret",
    readers: &["agent", "handler"],
};

pub(super) const GMA: Client = Client {
    rotation: "gma-client-secret",
    id: "client-of-gma",
    variable: "GMA_CLIENT_SECRET",
    store: "gma-client-secret",
    readers: &["handler"],
};

/// Both clients' variables, as the services have them.
pub(crate) fn variables() -> String {
    let of = |client: Client| {
        let id = client.variable.replace("_SECRET", "_ID");
        format!("{id}={}\n{}={OLD}\n", client.id, client.variable)
    };
    of(SSO) + &of(GMA)
}

/// An issuer at which old and new values work, and an installation with the old ones.
pub(super) async fn installation() -> Result<(TestIssuer, Installation)> {
    installation_with(BOTH).await
}

pub(crate) async fn installation_with(tables: &str) -> Result<(TestIssuer, Installation)> {
    let issuer = TestIssuer::start().await;
    for client in [SSO, GMA] {
        issuer.accept(client.id, OLD);
        issuer.accept(client.id, NEW);
    }
    let mut installation = Installation::of_issuer(&issuer, &variables(), tables)?;
    installation.keeps_secret(OLD);
    installation.keeps_secret(NEW);
    Ok((issuer, installation))
}

/// The new value serves, and is an enabled version; the old one is not.
pub(super) fn expect_rotated(installation: &Installation, client: Client) -> Result<()> {
    assert!(installation.variable(client.variable)? == NEW, "in .env");
    assert!(installation.served(client.variable)? == NEW, "serving");
    expect_versions(installation, client, &["disabled", "enabled"], &[OLD, NEW])
}

pub(super) fn expect_versions(
    installation: &Installation,
    client: Client,
    states: &[&str],
    values: &[&str],
) -> Result<()> {
    assert_eq!(installation.states(client.store)?, states);
    for (version, value) in installation.stored(client.store)?.iter().zip(values) {
        assert!(version.value == *value, "version {}", version.number);
    }
    installation.expect_nothing_unfinished()
}

/// The rotation with a value that is given at once.
pub(super) fn with_value(installation: &Installation, client: Client, value: &str) -> Program {
    let arguments = ["rotate-secret", client.rotation, "--value-file", "-"];
    installation.program(&arguments).stdin(value)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_in_a_file_is_tested_stored_and_serves() -> Result<()> {
    for client in [SSO, GMA] {
        let (issuer, installation) = installation().await?;
        installation.sandbox.write("issued", NEW)?;
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(installation.sandbox.path("issued"), private)?;
        let arguments = ["rotate-secret", client.rotation, "--value-file", "issued"];
        let output = installation.run(&arguments)?;
        let ends = "version 2 serves; version 1 is disabled.";
        assert_said(&output, 0, &[ends]);
        let name = format!("secret_{}", client.rotation.replace('-', "_"));
        assert_file_snapshot(
            name,
            without_issuer(&installation.streams(&output)?, &issuer),
        );
        expect_rotated(&installation, client)?;
        let mut restarts = installation.restarts();
        restarts.sort();
        assert_eq!(restarts, client.readers, "each of its readers, once");
    }
    Ok(())
}

/// The text without the issuer's port.
pub(super) fn without_issuer(text: &str, issuer: &TestIssuer) -> String {
    text.replace(&issuer.url(), "[issuer]")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_at_standard_input_does_as_well() -> Result<()> {
    for client in [SSO, GMA] {
        let (_issuer, installation) = installation().await?;
        // As `pbpaste`, `echo` and most editors give it.
        let given = format!("{NEW}\n");
        let program = with_value(&installation, client, &given);
        assert_said(&installation.checked(&program)?, 0, &["Rotated"]);
        expect_rotated(&installation, client)?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_goes_by_the_name_of_its_variable_and_by_the_stores() -> Result<()> {
    for name in [SSO.variable, SSO.store] {
        let (_issuer, installation) = installation().await?;
        let program = with_value(
            &installation,
            Client {
                rotation: name,
                ..SSO
            },
            NEW,
        );
        let output = installation.checked(&program)?;
        assert_said(&output, 0, &["Rotated red-hat-sso-client-secret"]);
        expect_rotated(&installation, SSO)?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_run_is_rolled_back_while_the_old_value_still_works() -> Result<()> {
    let (_issuer, installation) = installation().await?;
    let env = installation.sandbox.read(".env")?;
    let program = with_value(&installation, SSO, NEW);
    assert_said(&installation.checked(&program)?, 0, &[]);
    let output = installation.run(&["rollback", &installation.last_run()?])?;
    assert_said(&output, 0, &["everything is as it was."]);
    assert_file_snapshot("secret_rolled_back", installation.streams(&output)?);
    assert!(installation.sandbox.read(".env")? == env, "another .env");
    assert!(installation.served(SSO.variable)? == OLD, "serving");
    let states = ["enabled", "disabled", "enabled"];
    expect_versions(&installation, SSO, &states, &[OLD, NEW, OLD])?;

    // And forward again, with the same value: nobody issues a second one for that.
    let program = with_value(&installation, SSO, NEW);
    assert_said(&installation.checked(&program)?, 0, &["version 4 serves"]);
    let states = ["disabled", "disabled", "disabled", "enabled"];
    expect_versions(&installation, SSO, &states, &[OLD, NEW, OLD, NEW])
}

/// The other secret, which has the same value here, is another secret.
#[tokio::test(flavor = "multi_thread")]
async fn one_client_is_rotated_and_the_other_left_alone() -> Result<()> {
    let (_issuer, installation) = installation().await?;
    let program = with_value(&installation, GMA, NEW);
    assert_said(&installation.checked(&program)?, 0, &[]);
    assert!(installation.variable(SSO.variable)? == OLD, "in .env");
    assert!(installation.stored(SSO.store)?.is_empty());
    let program = with_value(&installation, SSO, NEW);
    assert_said(&installation.checked(&program)?, 0, &[]);
    assert!(installation.variable(SSO.variable)? == NEW, "in .env");
    expect_versions(&installation, GMA, &["disabled", "enabled"], &[OLD, NEW])
}

/// Those who issue the values were asked to keep the old one until the run was done, and no
/// longer. Services that went back to it could not log in.
#[tokio::test(flavor = "multi_thread")]
async fn a_finished_run_is_not_rolled_back_to_a_value_that_was_revoked() -> Result<()> {
    let (issuer, installation) = installation().await?;
    assert_said(
        &installation.checked(&with_value(&installation, SSO, NEW))?,
        0,
        &[],
    );
    issuer.refuse(SSO.id);
    issuer.accept(SSO.id, NEW);
    let restarts = installation.restarts();
    let run = installation.last_run()?;
    let output = installation.run(&["rollback", &run])?;
    let words = [
        "refuses version 1 of `redhat-sso-client-secret`",
        "nothing was changed",
        "cargo xtask rotate-secret redhat-sso-client-secret",
    ];
    assert_said(&output, 1, &words);
    assert_eq!(installation.restarts(), restarts, "restarted");
    expect_rotated(&installation, SSO)?;

    // Whether it works can't be told while the issuer is away.
    issuer.accept(SSO.id, OLD);
    issuer.fault(Fault::for_ever(Effect::Unavailable));
    let output = installation.run(&["rollback", &run])?;
    assert_said(&output, 1, &["nothing was changed"]);
    expect_rotated(&installation, SSO)?;
    issuer.mend();
    assert_said(&installation.run(&["rollback", &run])?, 0, &["Rolled back"]);
    Ok(())
}

/// Only those who issue this client's secret are asked.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_leak_a_new_value_is_asked_of_those_who_issue_it() -> Result<()> {
    for (client, asked, not_asked) in [
        (SSO, "`red_hat_sso`", "`gma`"),
        (GMA, "`gma`", "`red_hat_sso`"),
    ] {
        let (_issuer, installation) = installation().await?;
        let arguments = ["rotate-secret", client.rotation, "--emergency"];
        let left = installation.run(&arguments)?;
        assert_said(&left, 3, &[]);
        let run = installation.last_run()?;
        let told = installation
            .sandbox
            .read(&format!("state/runs/{run}/announcements.md"))?;
        for piece in [asked, client.id, "may be known to others"] {
            assert!(told.contains(piece), "{piece} is missing: {told}");
        }
        assert!(!told.contains(not_asked), "{told}");
    }
    Ok(())
}
