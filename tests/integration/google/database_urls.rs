//! The rotation of a database's URL on Google Cloud, on a real Postgres: two roles
//! take turns.
use anyhow::Result;
use secret::DatabaseUrl;

use super::foretold::Recorder;
use super::installation::{AGENT, HANDLER, Installation, Subject};
use crate::roles::lab::Lab;

const URL: Subject = Subject {
    secret: "database-url",
    variable: "DATABASE_URL",
    services: &[AGENT, HANDLER],
};
const SESSION_URL: Subject = Subject {
    secret: "session-database-url",
    variable: "SESSION_DATABASE_URL",
    services: &[AGENT],
};

/// An installation whose store has the only URL, and the database that it leads to.
async fn installation(subject: Subject) -> Result<Option<(Installation, Lab)>> {
    let lab = Lab::new().await?;
    let url = lab.database.url_as(lab.first.name(), lab.first.password());
    let installation = Installation::new(subject, &url).await?;
    Ok(installation.map(|installation| (installation, lab)))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_role_takes_over() -> Result<()> {
    let Some((installation, lab)) = installation(URL).await? else {
        return Ok(());
    };
    let recorder = Recorder::before(&installation.config)?;
    let installation = installation.variable("PATH", &recorder.path());
    let rotate = ["rotate-secret", URL.secret, "--verbose"];
    let tried = installation.run(&[&rotate[..], &["--dry-run", "--format=json"]].concat())?;
    assert_eq!(tried.code, Some(0), "{tried:?}");
    let rotated = installation.run(&rotate)?;
    assert_eq!(rotated.code, Some(0), "{rotated:?}");
    recorder.expect(&tried)?;
    assert_eq!(installation.states(), ["DISABLED", "ENABLED"]);
    assert_eq!(installation.bound()?, ["2", "2"]);
    let new = DatabaseUrl::parse(&installation.values()[1])?;
    assert_eq!(new.user()?, lab.second.name());
    assert!(lab.is_accepted(&new).await?, "the new URL is refused");
    assert!(!lab.is_accepted(&lab.in_use()?).await?, "the old one isn't");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revision_that_does_not_start_with_the_new_url_is_undone() -> Result<()> {
    let Some((installation, lab)) = installation(URL).await? else {
        return Ok(());
    };
    let (told, roles) = (installation.told(), lab.catalogue().await?);
    installation.google.world().run.failing_with = Some((URL.secret, "2"));
    let failed = installation.run(&[
        "rotate-secret",
        URL.secret,
        "--rollback-on-failure",
        "--format=json",
    ])?;
    assert_eq!(failed.code, Some(4), "{failed:?}");
    assert_eq!(installation.told(), told);
    assert_eq!(installation.states(), ["ENABLED", "DISABLED", "ENABLED"]);
    let values = installation.values();
    assert!(values[2] == values[0], "the latest isn't the old");
    assert_eq!(lab.catalogue().await?, roles);
    assert!(
        lab.is_accepted(&lab.in_use()?).await?,
        "the old URL is refused"
    );
    Ok(())
}

/// All but the name and the reader is the same code.
#[tokio::test(flavor = "multi_thread")]
async fn the_session_database_is_the_agents_alone() -> Result<()> {
    let Some((installation, lab)) = installation(SESSION_URL).await? else {
        return Ok(());
    };
    let roles = lab.catalogue().await?;
    let tried = installation.run(&[
        "rotate-secret",
        SESSION_URL.secret,
        "--dry-run",
        "--verbose",
    ])?;
    assert_eq!(tried.code, Some(0), "{tried:?}");
    assert!(installation.google.count("GET", AGENT) > 0, "never asked");
    assert_eq!(installation.google.count("GET", HANDLER), 0);
    assert_eq!(installation.google.changes(), Vec::<String>::new());
    assert_eq!(lab.catalogue().await?, roles);
    Ok(())
}
