//! Values and surroundings that stop a run before it has changed anything.
use anyhow::Result;
use integration_tests::issuer::{Effect, Fault, TestIssuer};
use integration_tests::{Output, Program};

use super::clients::{GMA, NEW, OLD, SSO, installation, variables, with_value};
use super::installation::{BOTH, Installation};
use crate::procedure::sandbox::assert_said;

/// Exit code 1, a state that says so, and the same files as before.
fn expect_refused(
    installation: &Installation,
    program: &Program,
    words: &[&str],
) -> Result<Output> {
    let before = installation.sandbox.tree()?;
    let output = installation.checked(program)?;
    assert_said(&output, 1, &["nothing was changed"]);
    assert_said(&output, 1, words);
    installation.expect_as_before(&before)?;
    installation.expect_nothing_unfinished()?;
    // A check that failed is no news.
    let status = installation.run(&["status"])?;
    assert!(status.stdout.contains("none yet"), "{status:?}");
    Ok(output)
}

/// Valid, but issued for somebody else's client.
#[tokio::test(flavor = "multi_thread")]
async fn a_value_of_another_client() -> Result<()> {
    let (issuer, mut installation) = installation().await?;
    installation.keeps_secret("hunter2-anothers");
    issuer.accept("another-client", "hunter2-anothers");
    for client in [SSO, GMA] {
        let program = with_value(&installation, client, "hunter2-anothers");
        let words = [
            "it is not the secret of the client",
            client.id,
            "hint: see that",
        ];
        expect_refused(&installation, &program, &words)?;
        assert!(installation.restarts().is_empty(), "restarted");
    }
    Ok(())
}

/// The issuer has nothing against it. What reads `.env` would put another variable in its place.
#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_the_file_of_variables_cannot_hold() -> Result<()> {
    let (issuer, mut installation) = installation().await?;
    let value = "hunter2-${HOME}";
    installation.keeps_secret(value);
    issuer.accept(SSO.id, value);
    let program = with_value(&installation, SSO, value);
    expect_refused(&installation, &program, &["cannot be written to", "`${`"])?;
    Ok(())
}

/// Somebody pasted half of it, and the service runs with the whole one still: nothing restarts
/// it with a value that doesn't work.
#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_was_put_there_by_hand_and_does_not_work() -> Result<()> {
    let (_issuer, mut installation) = installation().await?;
    assert_said(
        &installation.checked(&with_value(&installation, SSO, NEW))?,
        0,
        &[],
    );
    installation.keeps_secret("hunter2-half");
    let edited = installation
        .sandbox
        .read(".env")?
        .replace(NEW, "hunter2-half");
    installation.sandbox.write_env(&edited)?;
    let restarts = installation.restarts();
    let program = with_value(&installation, SSO, OLD);
    let before = installation.sandbox.tree()?;
    let output = installation.checked(&program)?;
    let words = [
        "in its own configuration",
        "nothing was changed",
        "put back the value",
    ];
    assert_said(&output, 1, &words);
    installation.expect_as_before(&before)?;
    assert_eq!(installation.restarts(), restarts, "restarted");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_value_in_use() -> Result<()> {
    let (_issuer, installation) = installation().await?;
    let program = with_value(&installation, SSO, OLD);
    expect_refused(&installation, &program, &["is the value that", "already"])?;
    Ok(())
}

/// Somebody emptied it: what is stored would be no way back.
#[tokio::test(flavor = "multi_thread")]
async fn a_value_in_use_that_is_empty() -> Result<()> {
    let (_issuer, installation) = installation().await?;
    let emptied = installation.sandbox.read(".env")?.replace(OLD, "");
    installation.sandbox.write_env(&emptied)?;
    let program = with_value(&installation, SSO, NEW);
    expect_refused(&installation, &program, &["` reads is empty", "hint:"])?;
    Ok(())
}

/// Each with what it was, never with what it is.
#[tokio::test(flavor = "multi_thread")]
async fn values_that_can_be_no_clients_secret() -> Result<()> {
    let (_issuer, mut installation) = installation().await?;
    installation.keeps_secret("hunter2");
    for (value, what) in [
        ("", "is empty"),
        ("\n", "is empty"),
        (
            "hunter2-one\nhunter2-two\n",
            "a line break at position `12`",
        ),
        ("hunter2 of the team", "a space"),
        ("hunter2\u{2011}hyphen", "a character outside ASCII"),
        ("hunter2\u{1b}[A", "a control character"),
    ] {
        let program = with_value(&installation, SSO, value);
        let words = [
            "the new value of `red-hat-sso-client-secret`",
            what,
            "hint:",
        ];
        expect_refused(&installation, &program, &words)?;
        // Not even a run was begun.
        assert!(installation.sandbox.runs()?.is_empty(), "a run");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_there_or_is_a_folder() -> Result<()> {
    let (_issuer, installation) = installation().await?;
    for file in ["nowhere", "state-of-affairs"] {
        std::fs::create_dir_all(installation.sandbox.path("state-of-affairs"))?;
        let arguments = ["rotate-secret", SSO.rotation, "--value-file", file];
        expect_refused(&installation, &installation.program(&arguments), &[file])?;
    }
    Ok(())
}

/// Whoever types the value in place of the file's name is not quoted.
#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_that_cannot_be_reached() -> Result<()> {
    let (issuer, installation) = installation().await?;
    issuer.fault(Fault::for_ever(Effect::Reset));
    let program = with_value(&installation, SSO, NEW);
    let said = expect_refused(&installation, &program, &["localhost"])?;
    assert!(
        said.stderr.contains("run the same command again"),
        "{said:?}"
    );
    issuer.mend();
    let program = with_value(&installation, SSO, NEW);
    assert_said(&installation.checked(&program)?, 0, &["Rotated"]);
    Ok(())
}

/// A certificate of somebody else: whoever is in the middle gets no secret.
#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_with_another_certificate() -> Result<()> {
    let (issuer, installation) = installation().await?;
    let program = with_value(&installation, SSO, NEW);
    let program = program.env("SSL_CERT_FILE", issuer.other_authority_pem());
    expect_refused(&installation, &program, &["certificate"])?;
    assert!(issuer.requests().is_empty(), "it was sent something");
    Ok(())
}

/// It may be why the secret is rotated.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_value_that_works_no_more_is_said_and_stops_nothing() -> Result<()> {
    let (issuer, installation) = installation().await?;
    issuer.refuse(SSO.id);
    issuer.accept(SSO.id, NEW);
    let output = installation.checked(&with_value(&installation, SSO, NEW))?;
    assert_said(
        &output,
        0,
        &["the issuer refuses the value in use", "Rotated"],
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_without_a_client_or_with_no_issuer() -> Result<()> {
    let issuer = TestIssuer::start().await;
    let id = format!("RED_HAT_SSO_CLIENT_ID={}\n", SSO.id);
    let without_id = variables().replace(&id, "");
    let installation = Installation::of_issuer(&issuer, &without_id, BOTH)?;
    let program = with_value(&installation, SSO, NEW);
    expect_refused(&installation, &program, &["RED_HAT_SSO_CLIENT_ID"])?;

    let tables = format!("{BOTH}[issuers]\nred_hat_sso = \"http://sso.example.com\"\n");
    let installation = Installation::new(&variables(), &tables)?;
    let program = with_value(&installation, SSO, NEW);
    expect_refused(
        &installation,
        &program,
        &["`red_hat_sso` under `[issuers]`"],
    )?;
    Ok(())
}

/// Both looks before and after a rotation, with and without a value.
#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_changes_nothing_at_all() -> Result<()> {
    let (_issuer, mut installation) = installation().await?;
    installation.keeps_secret("hunter2-anothers");
    for _ in 0..2 {
        let before = installation.sandbox.tree()?;
        let dry = |client, value| with_value(&installation, client, value).arg("--dry-run");
        let words = ["Everything that was looked at is as it has to be"];
        assert_said(&installation.checked(&dry(GMA, NEW))?, 0, &words);
        let wrong = installation.checked(&dry(SSO, "hunter2-anothers"))?;
        assert_said(&wrong, 1, &["refuses the candidate", "nothing was changed"]);
        let without = installation.run(&["rotate-secret", SSO.rotation, "--dry-run"])?;
        assert_said(&without, 0, &["no new value is tested", "--value-file"]);
        let differences = before.differences(&installation.sandbox.tree()?);
        assert!(differences.is_empty(), "{differences:?}");
        let rotated = installation.checked(&with_value(&installation, SSO, NEW))?;
        if rotated.code != Some(0) {
            assert_said(&rotated, 1, &["already"]);
        }
    }
    Ok(())
}

/// It may be why the value is rotated: a rotation begins all the same, and a dry run says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_says_that_the_value_in_use_is_refused() -> Result<()> {
    let (issuer, installation) = installation().await?;
    let dry_run = ["rotate-secret", SSO.rotation, "--dry-run"];
    let output = installation.run(&dry_run)?;
    assert_said(&output, 0, &["Everything that was looked at"]);
    issuer.refuse(SSO.id);
    let before = installation.sandbox.tree()?;
    let output = installation.run(&dry_run)?;
    assert_said(&output, 0, &["The issuer refuses the value in use"]);
    let output = installation.run(&[&dry_run[..], &["--format", "json"]].concat())?;
    assert_said(
        &output,
        0,
        &["warning: the issuer refuses the value in use"],
    );
    installation.expect_as_before(&before)
}
