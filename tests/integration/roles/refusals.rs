//! What can't be done is said before anything is changed, with the way out.
use anyhow::{Context, Result};
use platform::Error;
use platform::database_roles::{DatabaseRoles, Prepared, RolesError};
use secret::{DatabaseUrl, Password};

use super::lab::{Lab, connect};

/// Preparing fails and changes nothing.
async fn refusal(lab: &Lab, in_use: &DatabaseUrl, candidate: &DatabaseUrl) -> Result<RolesError> {
    let before = lab.catalogue().await?;
    let prepared = lab.roles.prepare_second(in_use, candidate).await;
    assert_eq!(lab.catalogue().await?, before);
    match prepared.err().context("prepared")? {
        Error::Roles(error) => Ok(error),
        error => Err(error.into()),
    }
}

#[tokio::test]
async fn a_role_that_may_not_create_roles_is_refused() -> Result<()> {
    let lab = Lab::with_first("").await?;
    let in_use = lab.in_use()?;
    let error = refusal(&lab, &in_use, &lab.candidate(&in_use)?).await?;
    assert!(
        matches!(error, RolesError::MayNotCreateRoles { .. }),
        "{error:?}"
    );
    let hint = error.hint().context("a hint")?;
    assert!(hint.contains("CREATEROLE"), "{hint}");
    Ok(())
}

/// Nobody at hand knows its password or may change it.
#[tokio::test]
async fn a_role_that_somebody_else_made_is_refused() -> Result<()> {
    let lab = Lab::with_first("").await?;
    let admin = lab.database.connect().await;
    let make = format!("create role {} login password 'x'", lab.second.name());
    admin.batch_execute(&make).await?;
    let in_use = lab.in_use()?;
    let candidate = lab.candidate(&in_use)?;
    let error = refusal(&lab, &in_use, &candidate).await?;
    assert!(
        matches!(error, RolesError::SomebodyElses { .. }),
        "{error:?}"
    );
    let hint = error.hint().context("a hint")?;
    assert!(hint.contains("WITH ADMIN OPTION"), "{hint}");
    Ok(())
}

/// Another service's, whose name happens to end in `_b`.
#[tokio::test]
async fn a_role_that_somebody_uses_keeps_its_password() -> Result<()> {
    let lab = Lab::new().await?;
    let admin = lab.database.connect().await;
    let make = format!("create role {} login password 'x'", lab.second.name());
    admin.batch_execute(&make).await?;
    let in_use = lab.in_use()?;
    let theirs = lab.database.url_as(lab.second.name(), "x");
    let theirs = connect(&DatabaseUrl::parse(&theirs)?).await?;
    let error = refusal(&lab, &in_use, &lab.candidate(&in_use)?).await?;
    assert!(
        matches!(error, RolesError::NotIdle { count: 1, .. }),
        "{error:?}"
    );
    theirs.batch_execute("select 1").await?;
    Ok(())
}

/// The way out that the hint above names.
#[tokio::test]
async fn a_role_over_which_the_role_in_use_has_a_say_is_taken() -> Result<()> {
    let lab = Lab::new().await?;
    let admin = lab.database.connect().await;
    let (first, second) = (lab.first.name(), lab.second.name());
    let make = format!("create role {second} nologin createrole");
    admin.batch_execute(&make).await?;
    let in_use = lab.in_use()?;
    let candidate = lab.candidate(&in_use)?;
    let error = refusal(&lab, &in_use, &candidate).await?;
    assert!(
        matches!(error, RolesError::SomebodyElses { .. }),
        "{error:?}"
    );
    let grant = format!("grant {second} to {first} with admin option");
    admin.batch_execute(&grant).await?;
    assert_eq!(
        lab.prepare(&in_use, &candidate).await?,
        Prepared::Repassworded
    );
    Ok(())
}

/// From Postgres 16 on, the role that was made by the other has no say over that one.
#[tokio::test]
async fn a_role_whose_password_is_lost_is_taken_as_the_hint_says() -> Result<()> {
    let lab = Lab::new().await?;
    let (first, second) = (lab.first.name(), lab.second.name());
    let in_use = lab.in_use()?;
    let candidate = lab.candidate(&in_use)?;
    lab.prepare(&in_use, &candidate).await?;
    let admin = lab.database.connect().await;
    let change = format!("alter role {first} password 'elsewhere'");
    admin.batch_execute(&change).await?;
    let next = lab.candidate(&candidate)?;
    if lab.database.server().major_version() >= 16 {
        let error = refusal(&lab, &candidate, &next).await?;
        assert!(matches!(error, RolesError::NotOurs { .. }), "{error:?}");
        let hint = error.hint().context("a hint")?;
        let statements = hint.split('`').nth(1).context("statements")?;
        let revoke = format!("REVOKE \"{second}\" FROM \"{first}\"");
        assert!(statements.starts_with(&revoke), "{hint}");
        admin.batch_execute(statements).await?;
    }
    let prepared = lab.prepare(&candidate, &next).await?;
    assert_eq!(prepared, Prepared::Repassworded);
    Ok(())
}

#[tokio::test]
async fn urls_that_do_not_belong_together_are_refused() -> Result<()> {
    let lab = Lab::new().await?;
    let in_use = lab.in_use()?;
    let error = refusal(&lab, &in_use, &in_use).await?;
    assert!(matches!(error, RolesError::OwnRole { .. }), "{error:?}");

    let elsewhere = lab
        .database
        .url_as("x", "y")
        .replace(lab.database.name(), "postgres");
    let elsewhere = DatabaseUrl::parse(&elsewhere)?;
    let error = refusal(&lab, &in_use, &elsewhere).await?;
    assert!(
        matches!(error, RolesError::DifferentDatabases { .. }),
        "{error:?}"
    );

    // The server would cut it to 63 bytes: to another role's name.
    let long = in_use.with_login(&"ü".repeat(32), &Password::generate())?;
    let error = refusal(&lab, &in_use, &long).await?;
    assert!(matches!(error, RolesError::NameTooLong { .. }), "{error:?}");
    Ok(())
}
