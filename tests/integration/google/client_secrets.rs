//! The rotation of a client secret on Google Cloud: both services, and the issuer.
use anyhow::Result;
use integration_tests::issuer::TestIssuer;

use super::foretold::Recorder;
use super::installation::{AGENT, HANDLER, Installation, Subject};
use super::lab::gcloud;
use super::status;

pub(super) const SSO: Subject = Subject {
    secret: "redhat-sso-client-secret",
    variable: "RED_HAT_SSO_CLIENT_SECRET",
    services: &[AGENT, HANDLER],
};
const CLIENT: &str = "a-client";
const OLD: &str = "hunter2-old-value";
const WRONG: &str = "hunter2-wrong-value";
const NEW: &str = "hunter2-new-value";

/// Each run of `gcloud` takes a second. A quiet machine makes 83 and 60 of them; on one with
/// much else to do a look is older by the time that it is needed, and what is waited for is
/// looked at more often.
const MOST_CALLS: usize = 120;
const MOST_CALLS_BACK: usize = 100;

/// An installation whose issuer knows the old value and the new one.
pub(super) async fn installation(issuer: &TestIssuer) -> Result<Option<Installation>> {
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

/// Of two revisions that somebody has serve side by side, a cutover would end one in silence.
#[tokio::test(flavor = "multi_thread")]
async fn a_split_of_the_traffic_is_refused_with_how_it_ends() -> Result<()> {
    let issuer = TestIssuer::start().await;
    let Some(installation) = installation(&issuer).await? else {
        return Ok(());
    };
    let bind = format!("--update-secrets={}={}:1", SSO.variable, SSO.secret);
    let deploy = ["run", "services", "update", AGENT, &bind, "--no-traffic"];
    let (first, second) = (format!("{AGENT}-00001-abc"), "LATEST=30");
    let share = format!("--to-revisions={first}=70,{second}");
    let split = ["run", "services", "update-traffic", AGENT, &share];
    for words in [&deploy[..], &split] {
        let (done, printed) = gcloud(&installation.config, words).await?;
        assert!(done, "{printed}");
    }
    let told = installation.told();
    let rotate = ["rotate-secret", SSO.secret, "--value-file", "new"];
    for arguments in [[&rotate[..], &["--dry-run"]].concat(), rotate.to_vec()] {
        let refused = installation.run(&arguments)?;
        assert_eq!(refused.code, Some(1), "{refused:?}");
        let end = format!("gcloud run services update-traffic {AGENT} --to-revisions={first}=100");
        for text in [&*format!("`{first}` has 70 % of it"), &end] {
            assert!(refused.stderr.contains(text), "{refused:?}");
        }
        assert_eq!(installation.told(), told);
    }
    assert_eq!(installation.states(), ["ENABLED"]);

    let end = format!("--to-revisions={first}=100");
    let end = ["run", "services", "update-traffic", AGENT, &end];
    assert!(gcloud(&installation.config, &end).await?.0);
    let rotated = installation.run(&rotate)?;
    assert_eq!(rotated.code, Some(0), "{rotated:?}");
    Ok(())
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
    let refused = installation.run(&[&rotate[..], &["wrong", "--verbose"]].concat())?;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains(&issuer.url()), "{refused:?}");
    assert_eq!(installation.google.changes(), Vec::<String>::new());
    assert_eq!(installation.states(), ["ENABLED"]);
    assert_eq!(installation.told(), told);

    let recorder = Recorder::before(&installation.config)?;
    let installation = installation.variable("PATH", &recorder.path());
    let tried = ["--dry-run", "--format", "json"];
    let tried = installation.run(&[&rotate[..], &["new"], &tried].concat())?;
    assert_eq!(tried.code, Some(0), "{tried:?}");
    assert_eq!(installation.google.changes(), Vec::<String>::new());

    let asked = issuer.requests().len();
    let before = installation.google.calls();
    let rotated = installation.run(&[&rotate[..], &["new", "--verbose"]].concat())?;
    let forward = installation.google.calls() - before;
    assert_eq!(rotated.code, Some(0), "{rotated:?}");
    assert!(issuer.requests().len() > asked, "the issuer was not asked");
    assert_eq!(installation.states(), ["DISABLED", "ENABLED"]);
    assert!(installation.values()[1] == NEW, "another value is stored");
    assert_eq!(installation.bound()?, ["2", "2"]);
    assert!((1..=MOST_CALLS).contains(&forward), "{forward} calls");
    recorder.expect(&tried)?;

    status::expect_unpinning_is_told(&installation, SSO)?;
    status::expect_not_looked_at(&installation)?;

    let before = installation.google.calls();
    let back = installation.run(&["rollback", &installation.run_name()?, "--verbose"])?;
    let backward = installation.google.calls() - before;
    assert_eq!(back.code, Some(0), "{back:?}");
    assert!(
        (1..=MOST_CALLS_BACK).contains(&backward),
        "{backward} calls"
    );
    assert_eq!(installation.states(), ["ENABLED", "DISABLED", "ENABLED"]);
    assert!(installation.values()[2] == OLD, "the latest isn't the old");
    assert_eq!(installation.told(), told);
    Ok(())
}
