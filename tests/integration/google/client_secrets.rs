//! The rotation of a client secret on Google Cloud: both services, and the issuer.
use anyhow::Result;
use integration_tests::issuer::TestIssuer;

use super::installation::{AGENT, HANDLER, Installation, Subject};

const SSO: Subject = Subject {
    secret: "redhat-sso-client-secret",
    variable: "RED_HAT_SSO_CLIENT_SECRET",
    services: &[AGENT, HANDLER],
};
const CLIENT: &str = "a-client";
const OLD: &str = "hunter2-old-value";
const WRONG: &str = "hunter2-wrong-value";
const NEW: &str = "hunter2-new-value";

/// An installation whose issuer knows the old value and the new one.
async fn installation(issuer: &TestIssuer) -> Result<Option<Installation>> {
    let Some(mut installation) = Installation::new(SSO, OLD).await? else {
        return Ok(None);
    };
    let id = "redhat-sso-client-id";
    let mut world = installation.google.world();
    world.secrets.add(id, CLIENT.as_bytes());
    drop(world);
    for value in [OLD, NEW] {
        issuer.accept(CLIENT, value);
    }
    installation.hide("wrong", WRONG)?;
    installation.hide("new", NEW)?;
    let issuers = format!("[issuers]\nred_hat_sso = \"{}\"\n", issuer.url());
    let authority = issuer.authority_pem();
    let installation = installation
        .set(&issuers)?
        .variable("SSL_CERT_FILE", &authority.to_string_lossy())
        // The issuer is no server of Google's.
        .variable("no_proxy", "localhost")
        .variable("NO_PROXY", "localhost");
    Ok(Some(installation))
}

/// The other team sends a wrong value first.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_value_changes_nothing_and_the_right_one_can_be_taken_back() -> Result<()> {
    let issuer = TestIssuer::start().await;
    let Some(installation) = installation(&issuer).await? else {
        return Ok(());
    };
    let told = installation.told();
    let rotate = ["rotate-secret", SSO.secret, "--value-file"];
    let refused = installation.run(&[&rotate[..], &["wrong"]].concat())?;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains(&issuer.url()), "{refused:?}");
    assert_eq!(installation.google.changes(), Vec::<String>::new());
    assert_eq!(installation.states(), ["ENABLED"]);
    assert_eq!(installation.told(), told);

    let asked = issuer.requests().len();
    let rotated = installation.run(&[&rotate[..], &["new"]].concat())?;
    assert_eq!(rotated.code, Some(0), "{rotated:?}");
    assert!(issuer.requests().len() > asked, "the issuer was not asked");
    assert_eq!(installation.states(), ["DISABLED", "ENABLED"]);
    assert!(installation.values()[1] == NEW, "another value is stored");
    assert_eq!(installation.bound()?, ["2", "2"]);

    let back = installation.run(&["rollback", &installation.run_name()?])?;
    assert_eq!(back.code, Some(0), "{back:?}");
    assert_eq!(installation.states(), ["ENABLED", "DISABLED", "ENABLED"]);
    assert!(installation.values()[2] == OLD, "the latest isn't the old");
    assert_eq!(installation.told(), told);
    Ok(())
}
