//! Roles of a server that accepts TLS only.
use anyhow::{Context, Result};
use integration_tests::{TestDatabase, TlsServer};
use platform::Error;
use platform::database_roles::{DatabaseRoles, Prepared, RolesError};
use secret::DatabaseUrl;

use super::lab::{Lab, use_tables};

async fn lab() -> Lab {
    let database = TestDatabase::create_on(TlsServer::shared().postgres()).await;
    Lab::of(database, "createrole").await
}

fn with_parameters(url: &str, parameters: &str) -> Result<DatabaseUrl> {
    Ok(DatabaseUrl::parse(&format!("{url}?{parameters}"))?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_keeps_to_what_the_url_says_of_tls() -> Result<()> {
    let lab = lab().await;
    let url = lab.database.url_as(lab.first.name(), lab.first.password());
    let authority = TlsServer::shared().authority_pem().display();
    let parameters = format!("sslmode=verify-full&sslrootcert={authority}");
    let in_use = with_parameters(&url, &parameters)?;
    let candidate = lab.candidate(&in_use)?;
    assert_eq!(lab.prepare(&in_use, &candidate).await?, Prepared::Made);
    use_tables(&candidate).await?;
    lab.lock_out(&in_use, &candidate).await?;
    assert!(!lab.is_accepted(&in_use).await?);
    // Nobody was asked, so that nobody refused.
    let plain = with_parameters(&url, "sslmode=disable")?;
    assert!(lab.roles.log_in(&plain, None).await.is_err());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_needs_no_password_proves_nothing() -> Result<()> {
    let lab = lab().await;
    let make = "create role trusted login";
    lab.database.connect().await.batch_execute(make).await?;
    let url = lab.database.url_as("trusted", "whatever");
    let url = with_parameters(&url, "sslmode=require")?;
    let looked = lab.roles.log_in(&url, None).await;
    let password = lab.in_use()?.password()?;
    let set = lab.roles.set_password(&url, &password);
    for error in [looked.err(), set.await.err()] {
        let error = error.context("accepted")?;
        let is_expected = matches!(error, Error::Roles(RolesError::NoPasswordAsked { .. }));
        assert!(is_expected, "{error:?}");
    }
    Ok(())
}
