//! What a login tells.
use anyhow::{Context, Result, bail};
use platform::Error;
use platform::database_roles::{DatabaseRoles, Login, RolesError};
use secret::{DatabaseUrl, Password};

use super::lab::Lab;

#[tokio::test]
async fn wrong_passwords_unknown_roles_and_locked_roles_are_refused() -> Result<()> {
    let lab = Lab::new().await?;
    let url = lab.in_use()?;
    let wrong = url.with_login(url.user()?, &Password::generate())?;
    let unknown = url.with_login("nobody_of_that_name", &Password::generate())?;
    for refused in [&wrong, &unknown] {
        assert!(!lab.is_accepted(refused).await?);
    }
    assert!(lab.is_accepted(&url).await?);
    let lock = format!("alter role {} nologin", lab.first.name());
    lab.database.connect().await.batch_execute(&lock).await?;
    assert!(!lab.is_accepted(&url).await?);
    Ok(())
}

/// A login that was never tried is no refused one.
#[tokio::test]
async fn a_server_that_cannot_be_reached_is_an_error() -> Result<()> {
    let lab = Lab::new().await?;
    let nowhere = DatabaseUrl::parse("postgresql://u:pw@127.0.0.1:1/db")?;
    let error = lab.roles.log_in(&nowhere, None).await.err().context("in")?;
    let is_connection = matches!(
        error,
        Error::Roles(RolesError::Connection(connection::Error::Connect { .. }))
    );
    assert!(is_connection, "{error:?}");
    let no_database = lab
        .database
        .url_as(lab.first.name(), lab.first.password())
        .replace(lab.database.name(), "no_such_database");
    let no_database = DatabaseUrl::parse(&no_database)?;
    assert!(lab.roles.log_in(&no_database, None).await.is_err());
    Ok(())
}

#[tokio::test]
async fn what_a_role_lacks_is_named() -> Result<()> {
    let lab = Lab::new().await?;
    let in_use = lab.in_use()?;
    let candidate = lab.candidate(&in_use)?;
    lab.prepare(&in_use, &candidate).await?;
    let revoke = format!(
        "revoke insert, delete on dcr_clients from {second};
         revoke usage on sequence usage_records_id_seq from {second};
         alter table marketplace_entitlements enable row level security;
         alter role {first} set my.word = 'x'",
        first = lab.first.name(),
        second = lab.second.name()
    );
    lab.database.connect().await.batch_execute(&revoke).await?;
    let login = lab.roles.log_in(&candidate, Some(lab.first.name())).await?;
    let Login::Accepted(accepted) = login else {
        bail!("{login:?}");
    };
    assert_eq!(accepted.server_major, lab.database.server().major_version());
    let missing: Vec<String> = accepted.missing.iter().map(ToString::to_string).collect();
    let setting = format!("SET my.word on ROLE \"{}\"", lab.second.name());
    assert_eq!(
        missing,
        [
            "USAGE on SEQUENCE public.usage_records_id_seq",
            "DELETE, INSERT on TABLE public.dcr_clients",
            "freedom from row security on TABLE public.marketplace_entitlements",
            setting.as_str(),
        ]
    );
    Ok(())
}
