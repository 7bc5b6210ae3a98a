//! Two roles that take turns.
use anyhow::Result;
use platform::database_roles::{DatabaseRoles, Prepared};

use super::lab::{Lab, connect, use_tables};

#[tokio::test]
async fn a_second_role_is_made_that_uses_all_tables() -> Result<()> {
    let lab = Lab::new().await?;
    let in_use = lab.in_use()?;
    let candidate = lab.candidate(&in_use)?;
    assert!(!lab.is_accepted(&candidate).await?);
    assert_eq!(
        lab.prepare(&in_use, &candidate).await?,
        Prepared::Made,
        "was there before"
    );
    use_tables(&candidate).await?;
    use_tables(&in_use).await?;
    let role = lab.roles.role(&in_use, lab.second.name()).await?;
    assert!(role.is_some_and(|role| role.can_login && role.may_create_roles));
    Ok(())
}

/// The service makes the tables that it lacks when it starts, as whichever role.
#[tokio::test]
async fn what_either_role_makes_later_is_the_others_to_use() -> Result<()> {
    let lab = Lab::new().await?;
    let in_use = lab.in_use()?;
    let candidate = lab.candidate(&in_use)?;
    lab.prepare(&in_use, &candidate).await?;
    for (maker, user, table) in [
        (&candidate, &in_use, "by_second"),
        (&in_use, &candidate, "by_first"),
    ] {
        let make = format!("create table {table} (id serial primary key, text text)");
        connect(maker).await?.batch_execute(&make).await?;
        let statements = format!(
            "insert into {table} (text) values ('x'); update {table} set text = 'y';
             select * from {table}; delete from {table};
             create table more_{table} (id integer references {table} (id))"
        );
        connect(user).await?.batch_execute(&statements).await?;
    }
    Ok(())
}

#[tokio::test]
async fn three_turns_in_a_row_leave_one_url_that_works() -> Result<()> {
    let lab = Lab::new().await?;
    let mut in_use = lab.in_use()?;
    let mut retired = Vec::new();
    for turn in 0..3 {
        let candidate = lab.candidate(&in_use)?;
        let prepared = lab.prepare(&in_use, &candidate).await?;
        let expected = [Prepared::Made, Prepared::Repassworded][usize::from(turn > 0)];
        assert_eq!(prepared, expected, "turn {turn}");
        // So that a rollback is to a URL that works.
        use_tables(&in_use).await?;
        use_tables(&candidate).await?;
        let made = format!("create table turn_{turn} (id serial primary key)");
        connect(&candidate).await?.batch_execute(&made).await?;
        assert!(lab.lock_out(&in_use, &candidate).await?);
        retired.push(std::mem::replace(&mut in_use, candidate));
        for old in &retired {
            assert!(!lab.is_accepted(old).await?, "turn {turn}");
        }
        use_tables(&in_use).await?;
    }
    assert_eq!(in_use.user()?, lab.second.name());
    Ok(())
}

/// With the old URL alone nobody gets in, neither as the one role nor as the other.
#[tokio::test]
async fn an_old_url_leads_to_neither_role() -> Result<()> {
    let lab = Lab::new().await?;
    let old = lab.in_use()?;
    let candidate = lab.candidate(&old)?;
    lab.prepare(&old, &candidate).await?;
    lab.lock_out(&old, &candidate).await?;
    assert!(!lab.is_accepted(&old).await?);
    assert!(!lab.is_accepted(&old.for_idle(lab.second.name())?).await?);
    assert!(
        lab.is_accepted(&candidate.for_idle(lab.first.name())?)
            .await?
    );
    Ok(())
}

#[tokio::test]
async fn a_rollback_after_the_lock_out_lets_the_first_role_in_again() -> Result<()> {
    let lab = Lab::new().await?;
    let old = lab.in_use()?;
    let candidate = lab.candidate(&old)?;
    lab.prepare(&old, &candidate).await?;
    lab.lock_out(&old, &candidate).await?;
    let idle = candidate.for_idle(lab.first.name())?;
    assert!(lab.roles.set_password(&idle, &old.password()?).await?);
    use_tables(&old).await?;
    assert!(lab.lock_out(&candidate, &old).await?);
    assert!(!lab.is_accepted(&candidate).await?);
    Ok(())
}

#[tokio::test]
async fn a_repetition_changes_nothing() -> Result<()> {
    let lab = Lab::new().await?;
    let in_use = lab.in_use()?;
    let candidate = lab.candidate(&in_use)?;
    lab.prepare(&in_use, &candidate).await?;
    let prepared = lab.catalogue().await?;
    assert_eq!(lab.prepare(&in_use, &candidate).await?, Prepared::WasThere);
    assert_eq!(lab.catalogue().await?, prepared);
    assert!(lab.lock_out(&in_use, &candidate).await?);
    assert!(!lab.lock_out(&in_use, &candidate).await?);
    assert_eq!(lab.catalogue().await?, prepared);
    Ok(())
}

/// A search path decides which tables a service finds.
#[tokio::test]
async fn the_second_role_gets_the_settings_of_the_first() -> Result<()> {
    let lab = Lab::new().await?;
    let (role, database) = (lab.first.name(), lab.database.name());
    let statements = format!(
        "create schema elsewhere; create table elsewhere.own (id integer);
         alter role {role} set search_path = elsewhere, \"$user\", public;
         alter role {role} in database {database} set datestyle = german, dmy;
         alter role {role} set statement_timeout = '25s'"
    );
    let in_use = lab.in_use()?;
    connect(&in_use).await?.batch_execute(&statements).await?;
    let candidate = lab.candidate(&in_use)?;
    for _ in 0..2 {
        lab.prepare(&in_use, &candidate).await?;
        let client = connect(&candidate).await?;
        client.batch_execute("select * from own").await?;
        let query = "select current_setting('search_path'), current_setting('datestyle'),
            current_setting('statement_timeout')";
        let row = client.query_one(query, &[]).await?;
        let settings = [0, 1, 2].map(|column| row.get::<_, String>(column));
        let expected = [r#"elsewhere, "$user", public"#, "German, DMY", "25s"];
        assert_eq!(settings, expected);
    }
    Ok(())
}

/// What an earlier turn had would lead the service elsewhere.
#[tokio::test]
async fn a_setting_that_the_role_in_use_has_no_more_is_taken_from_the_other() -> Result<()> {
    let lab = Lab::new().await?;
    let (first, second) = (lab.first.name(), lab.second.name());
    let in_use = lab.in_use()?;
    let set = format!(
        "alter role {first} set search_path = elsewhere; alter role {first} set role = none"
    );
    connect(&in_use).await?.batch_execute(&set).await?;
    let candidate = lab.candidate(&in_use)?;
    lab.prepare(&in_use, &candidate).await?;
    lab.lock_out(&in_use, &candidate).await?;
    let reset = format!("alter role {second} reset search_path");
    connect(&candidate).await?.batch_execute(&reset).await?;
    let next = lab.candidate(&candidate)?;
    lab.prepare(&candidate, &next).await?;
    let client = connect(&next).await?;
    let row = client.query_one("show search_path", &[]).await?;
    assert_eq!(row.get::<_, String>(0), "\"$user\", public");
    Ok(())
}

/// On Cloud SQL the database belongs to a role of Google's, of which each user is a
/// member; only the tables belong to the user.
#[tokio::test]
async fn a_database_that_belongs_to_a_group_is_shared_as_well() -> Result<()> {
    let lab = Lab::new().await?;
    let group = lab.database.server().create_role("createrole").await;
    let statements = format!(
        "alter database {database} owner to {group}; grant {group} to {first};
         revoke connect on database {database} from public",
        database = lab.database.name(),
        group = group.name(),
        first = lab.first.name(),
    );
    let admin = lab.database.connect().await;
    admin.batch_execute(&statements).await?;
    let before = lab.catalogue().await?;
    let in_use = lab.in_use()?;
    let candidate = lab.candidate(&in_use)?;
    assert_eq!(lab.prepare(&in_use, &candidate).await?, Prepared::Made);
    let make = "create table by_second (id serial primary key)";
    connect(&candidate).await?.batch_execute(make).await?;
    connect(&in_use)
        .await?
        .batch_execute("insert into by_second default values")
        .await?;
    connect(&candidate)
        .await?
        .batch_execute("drop table by_second")
        .await?;
    lab.roles.drop_second(&in_use, lab.second.name()).await?;
    assert_eq!(lab.catalogue().await?, before);
    Ok(())
}
