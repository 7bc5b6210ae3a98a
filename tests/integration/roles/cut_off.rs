//! Connections that end at the worst moment: a repetition finishes the work.
use anyhow::Result;
use integration_tests::Proxy;
use platform::database_roles::DatabaseRoles;
use secret::{DatabaseUrl, Password};

use super::lab::{Lab, use_tables};

/// The lab's URLs, by way of a proxy.
fn through(proxy: &Proxy, lab: &Lab, url: &DatabaseUrl) -> Result<DatabaseUrl> {
    let by_proxy = DatabaseUrl::parse(&lab.database.url_through(proxy.port()))?;
    Ok(by_proxy.with_login(url.user()?, &url.password()?)?)
}

#[tokio::test]
async fn a_preparation_that_is_cut_off_is_finished_by_a_repetition() -> Result<()> {
    for (cut, after) in [
        ("CREATE ROLE", false),
        ("CREATE ROLE", true),
        ("ALTER DEFAULT", true),
        ("GRANT SELECT", false),
        ("GRANT SELECT", true),
        ("COMMIT", false),
        ("COMMIT", true),
    ] {
        let lab = Lab::new().await?;
        let proxy = Proxy::start(lab.database.server());
        let in_use = through(&proxy, &lab, &lab.in_use()?)?;
        let candidate = lab.candidate(&in_use)?;
        if after {
            proxy.cut_after(cut);
        } else {
            proxy.cut_before(cut);
        }
        let cut_off = lab.roles.prepare_second(&in_use, &candidate).await;
        assert!(cut_off.is_err() && proxy.cuts() == 1, "{cut} {after}");
        lab.prepare(&in_use, &candidate).await?;
        use_tables(&candidate).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_password_whose_answer_was_lost_is_found_to_be_set() -> Result<()> {
    for after in [false, true] {
        let lab = Lab::new().await?;
        let proxy = Proxy::start(lab.database.server());
        let url = through(&proxy, &lab, &lab.in_use()?)?;
        let password = Password::generate();
        if after {
            proxy.cut_after("ALTER ROLE");
        } else {
            proxy.cut_before("ALTER ROLE");
        }
        assert!(lab.roles.set_password(&url, &password).await.is_err());
        assert_eq!(lab.roles.set_password(&url, &password).await?, !after);
        let new = url.with_login(url.user()?, &password)?;
        assert!(lab.is_accepted(&new).await?);
    }
    Ok(())
}

#[tokio::test]
async fn an_undo_that_is_cut_off_is_finished_by_a_repetition() -> Result<()> {
    for (cut, after) in [("NOLOGIN", true), ("REASSIGN", true), ("COMMIT", true)] {
        let lab = Lab::new().await?;
        let proxy = Proxy::start(lab.database.server());
        let in_use = through(&proxy, &lab, &lab.in_use()?)?;
        lab.prepare(&in_use, &lab.candidate(&in_use)?).await?;
        let second = lab.second.name();
        if after {
            proxy.cut_after(cut);
        }
        assert!(lab.roles.drop_second(&in_use, second).await.is_err());
        // A run may also go on from there.
        if cut == "NOLOGIN" {
            lab.prepare(&in_use, &lab.candidate(&in_use)?).await?;
        }
        lab.roles.drop_second(&in_use, second).await?;
        assert!(lab.roles.role(&in_use, second).await?.is_none());
    }
    Ok(())
}
