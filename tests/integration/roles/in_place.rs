//! One role, and another password.
use anyhow::Result;
use integration_tests::Proxy;
use platform::database_roles::{DatabaseRoles, Sessions};
use secret::{DatabaseUrl, Password};

use super::lab::{Lab, connect, use_tables};

#[tokio::test]
async fn another_password_is_set_once_and_taken_back() -> Result<()> {
    let lab = Lab::with_first("").await?;
    let old = lab.in_use()?;
    let new = old.with_login(old.user()?, &Password::generate())?;
    let session = connect(&old).await?;
    for changes in [true, false] {
        assert_eq!(
            lab.roles.set_password(&old, &new.password()?).await?,
            changes
        );
        assert!(!lab.is_accepted(&old).await?);
        use_tables(&new).await?;
    }
    // Whoever is in stays in.
    session.batch_execute("select 1").await?;
    for changes in [true, false] {
        assert_eq!(
            lab.roles.set_password(&new, &old.password()?).await?,
            changes
        );
        assert!(!lab.is_accepted(&new).await?);
        use_tables(&old).await?;
    }
    Ok(())
}

#[tokio::test]
async fn sessions_are_counted_and_ended() -> Result<()> {
    let lab = Lab::with_first("").await?;
    let url = lab.in_use()?;
    let own = [connect(&url).await?, connect(&url).await?];
    let others = lab.database.connect().await;
    let here = |here| Sessions { here, elsewhere: 0 };
    let role = lab.first.name();
    assert_eq!(lab.roles.sessions(&url, role).await?, here(2));
    assert_eq!(lab.roles.end_sessions(&url).await?, 2);
    assert_eq!(lab.roles.sessions(&url, role).await?, here(0));
    assert_eq!(lab.roles.end_sessions(&url).await?, 0);
    for client in own {
        assert!(client.batch_execute("select 1").await.is_err());
    }
    others.batch_execute("select 1").await?;
    Ok(())
}

/// The proxy cuts the connection at a text that goes to the server.
#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "the proxy looks for the password"
)]
async fn only_a_verifier_goes_to_the_server() -> Result<()> {
    use secrecy::ExposeSecret;

    let lab = Lab::new().await?;
    let proxy = Proxy::start(lab.database.server());
    let through = |role: &str, password: &Password| -> Result<DatabaseUrl> {
        let url = lab.database.url_through(proxy.port());
        Ok(DatabaseUrl::parse(&url)?.with_login(role, password)?)
    };
    let old = through(lab.first.name(), &lab.in_use()?.password()?)?;
    let new = Password::generate();
    proxy.cut_before(new.expose_secret());
    lab.roles
        .prepare_second(&old, &through(lab.second.name(), &new)?)
        .await?;
    lab.roles.set_password(&old, &new).await?;
    assert_eq!(proxy.cuts(), 0, "the password was sent");

    let newer = Password::generate();
    let new = through(lab.first.name(), &new)?;
    proxy.cut_before("PASSWORD 'SCRAM-SHA-256$4096:");
    let cut = lab.roles.set_password(&new, &newer).await;
    assert!(cut.is_err() && proxy.cuts() == 1, "no verifier was sent");
    Ok(())
}
