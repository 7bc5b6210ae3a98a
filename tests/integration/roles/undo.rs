//! A role that a run has made, and its end.
use anyhow::{Context, Result};
use platform::Error;
use platform::database_roles::{DatabaseRoles, RolesError};

use super::lab::{Lab, connect, use_tables};

#[tokio::test]
async fn a_role_that_was_made_is_dropped_and_leaves_no_trace() -> Result<()> {
    let lab = Lab::new().await?;
    let before = lab.catalogue().await?;
    let in_use = lab.in_use()?;
    let candidate = lab.candidate(&in_use)?;
    lab.prepare(&in_use, &candidate).await?;
    assert_ne!(lab.catalogue().await?, before);
    for _ in 0..2 {
        lab.roles.drop_second(&in_use, lab.second.name()).await?;
        assert_eq!(lab.catalogue().await?, before);
    }
    use_tables(&in_use).await
}

#[tokio::test]
async fn its_tables_go_to_the_role_in_use_and_its_sessions_end() -> Result<()> {
    let lab = Lab::new().await?;
    let in_use = lab.in_use()?;
    let candidate = lab.candidate(&in_use)?;
    lab.prepare(&in_use, &candidate).await?;
    let session = connect(&candidate).await?;
    let make = "create table made (id serial primary key); insert into made default values";
    session.batch_execute(make).await?;
    let begin = "begin; insert into made default values";
    session.batch_execute(begin).await?;
    lab.roles.drop_second(&in_use, lab.second.name()).await?;
    assert!(session.batch_execute("select 1").await.is_err());
    let row = connect(&in_use)
        .await?
        .query_one(
            "select count(*), (select tableowner from pg_tables where tablename = 'made') from made",
            &[],
        )
        .await?;
    assert_eq!(row.get::<_, i64>(0), 1);
    assert_eq!(row.get::<_, &str>(1), lab.first.name());
    Ok(())
}

#[tokio::test]
async fn a_role_that_owns_something_elsewhere_is_kept_and_shut_out() -> Result<()> {
    let lab = Lab::new().await?;
    let other = Lab::new().await?;
    let in_use = lab.in_use()?;
    let candidate = lab.candidate(&in_use)?;
    lab.prepare(&in_use, &candidate).await?;
    let make = format!(
        "create table kept (id integer); alter table kept owner to {}",
        lab.second.name()
    );
    other.database.connect().await.batch_execute(&make).await?;
    let dropped = lab.roles.drop_second(&in_use, lab.second.name()).await;
    let Err(Error::Roles(RolesError::Statement { source, .. })) = dropped else {
        anyhow::bail!("{dropped:?}");
    };
    let said = source.to_string();
    assert!(said.contains("cannot be dropped"), "{said}");
    assert!(said.contains("1 object in database"), "{said}");
    assert!(!lab.is_accepted(&candidate).await?);
    Ok(())
}

#[tokio::test]
async fn the_role_in_use_does_not_drop_itself() -> Result<()> {
    let lab = Lab::new().await?;
    let in_use = lab.in_use()?;
    let dropped = lab.roles.drop_second(&in_use, lab.first.name()).await;
    let error = dropped.err().context("dropped")?;
    assert!(
        matches!(error, Error::Roles(RolesError::OwnRole { .. })),
        "{error:?}"
    );
    use_tables(&in_use).await
}
