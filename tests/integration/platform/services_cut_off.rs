//! Cutovers that were cut off: what is told of them, and that repeating mends it.
use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};
use platform::{Bound, Error, Platform};

use super::lab::{Lab, NEW, OLD, SECRET, SERVICE, VARIABLE, binding};

/// A cutover whose restart fails leaves everything as a crash during it would.
async fn cut_off(lab: &Lab) -> Result<(Platform, String)> {
    let (platform, _, revision) = lab.prepared().await?;
    fs::write(lab.path("fails"), "")?;
    let failed = platform.services.cut_over(SERVICE, &revision).await;
    let error = failed.err().context("the restart did not fail")?;
    assert!(matches!(error, Error::CommandFailed { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        "the restart command `sh` of `marketplace-handler` ended with exit status: 1"
    );
    fs::remove_file(lab.path("fails"))?;
    assert_eq!(
        (lab.restarts(), lab.read("running")?.contains(OLD)),
        (1, true)
    );
    Ok((platform, revision))
}

#[tokio::test]
async fn between_the_write_and_the_restart_it_is_not_ready() -> Result<()> {
    let lab = Lab::new()?;
    let (platform, revision) = cut_off(&lab).await?;
    let newest = platform.store.versions(SECRET).await?[0].number;
    let service = lab.describe().await?;
    assert_eq!(
        (service.bound, service.ready),
        (Bound::Pinned(newest), false)
    );
    assert!(service.revisions.iter().any(|one| one.name == revision));
    assert!(
        service
            .revisions
            .iter()
            .any(|one| one.name == service.serving)
    );
    Ok(())
}

/// Whoever binds the service next settles it, with what the file holds by now.
#[tokio::test]
async fn nobody_is_at_it_any_more_and_the_next_change_settles_it() -> Result<()> {
    let lab = Lab::new()?;
    let (platform, _) = cut_off(&lab).await?;
    assert!(lab.describe_at_rest().await?.is_unsettled);
    let newest = Bound::Pinned(platform.store.versions(SECRET).await?[0].number);
    let services = lab.platform()?.services;
    let revision = services.prepare(SERVICE, &binding(), newest).await?;
    services.cut_over(SERVICE, &revision).await?;
    assert_eq!(
        (lab.restarts(), lab.read("running")?.contains(NEW)),
        (2, true)
    );
    let service = lab.describe().await?;
    assert_eq!((service.ready, service.is_unsettled), (true, false));
    Ok(())
}

/// What is down isn't settled by a restart that may fail again.
#[tokio::test]
async fn what_is_not_up_is_not_only_unsettled() -> Result<()> {
    let lab = Lab::new()?;
    cut_off(&lab).await?;
    let running = lab.read("running")?;
    fs::remove_file(lab.path("running"))?;
    let service = lab.describe().await?;
    assert_eq!((service.ready, service.is_unsettled), (false, false));
    fs::write(lab.path("running"), running)?;
    assert!(lab.describe_at_rest().await?.is_unsettled);
    Ok(())
}

/// It is under way then, and no leftover.
#[tokio::test(flavor = "multi_thread")]
async fn while_a_restart_takes_its_time_somebody_is_at_it() -> Result<()> {
    let lab = Lab::new()?;
    let (_, _, revision) = lab.prepared().await?;
    let mut settings = lab.settings();
    let service = settings.services.get_mut(SERVICE).expect("the service");
    let slow = format!(
        "touch '{0}'; while test -e '{0}'; do sleep 0.01; done",
        lab.path("slow").display()
    );
    service.restart = Some(["sh", "-c", &slow].map(str::to_owned).to_vec());
    let slow = platform::local::platform(settings)?.services;
    let looked = async {
        while !lab.path("slow").exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let service = lab.describe().await?;
        assert_eq!((service.ready, service.is_unsettled), (false, false));
        anyhow::Ok(fs::remove_file(lab.path("slow"))?)
    };
    let (sent, looked) = tokio::join!(slow.cut_over(SERVICE, &revision), looked);
    looked?;
    sent?;
    assert!(lab.describe().await?.ready);
    Ok(())
}

#[tokio::test]
async fn repeating_it_restarts_though_the_file_is_right() -> Result<()> {
    let lab = Lab::new()?;
    let (_, revision) = cut_off(&lab).await?;
    assert!(lab.read(".env")?.contains(NEW));
    // As another process, which knows nothing but the files.
    lab.platform()?
        .services
        .cut_over(SERVICE, &revision)
        .await?;
    assert_eq!(
        (lab.restarts(), lab.read("running")?.contains(NEW)),
        (2, true)
    );
    let service = lab.describe().await?;
    assert_eq!((service.serving, service.ready), (revision, true));
    Ok(())
}

#[tokio::test]
async fn before_the_write_it_is_not_ready_either_and_repeating_mends_it() -> Result<()> {
    let lab = Lab::new()?;
    let (platform, _, revision) = lab.prepared().await?;
    let path = lab.store().join("services.json");
    let settled = fs::read_to_string(&path)?;
    let under_way = format!("\"under_way\": \"{revision}\"");
    let marked = settled.replace("\"under_way\": null", &under_way);
    assert_ne!(marked, settled);
    fs::write(&path, marked)?;
    let service = lab.describe().await?;
    assert_eq!(service.serving, "marketplace-handler-0");
    assert!(!service.ready);
    platform.services.cut_over(SERVICE, &revision).await?;
    assert_eq!(
        (lab.restarts(), lab.read("running")?.contains(NEW)),
        (1, true)
    );
    assert!(lab.describe().await?.ready);
    Ok(())
}

#[tokio::test]
async fn turning_back_restarts_with_the_old_value() -> Result<()> {
    let lab = Lab::new()?;
    let before = lab.read(".env")?;
    let (platform, _) = cut_off(&lab).await?;
    let first = Bound::Pinned(platform.store.versions(SECRET).await?[1].number);
    let services = lab.platform()?.services;
    let old = services.prepare(SERVICE, &binding(), first).await?;
    services.cut_over(SERVICE, &old).await?;
    assert_eq!((lab.restarts(), lab.read(".env")?), (2, before));
    let service = lab.describe().await?;
    assert_eq!((service.bound, service.ready), (first, true));
    Ok(())
}

#[tokio::test]
async fn a_file_that_never_got_whole_is_no_file() -> Result<()> {
    let lab = Lab::new()?;
    let (platform, _, revision) = lab.prepared().await?;
    let leftover = lab.path(".env.unfinished");
    fs::write(&leftover, format!("{VARIABLE}=hunter2-pie"))?;
    fs::write(lab.store().join("services.json.unfinished"), "{")?;
    assert!(lab.describe().await?.ready);
    platform.services.cut_over(SERVICE, &revision).await?;
    assert!(!leftover.exists());
    assert_eq!(lab.read(".env")?, format!("A=1\n{VARIABLE}={NEW}\nB=2\n"));
    Ok(())
}

/// A run that was killed while it wrote, and is then undone, has nothing to write.
#[tokio::test]
async fn a_file_that_never_got_whole_goes_when_there_is_nothing_to_write_either() -> Result<()> {
    let lab = Lab::new()?;
    let (platform, _, revision) = lab.prepared().await?;
    platform.services.cut_over(SERVICE, &revision).await?;
    let (env, restarts) = (lab.read(".env")?, lab.restarts());
    let leftover = lab.path(".env.unfinished");
    fs::write(&leftover, format!("{VARIABLE}=hunter2-pie"))?;
    platform.services.cut_over(SERVICE, &revision).await?;
    assert!(!leftover.exists(), "a value is left");
    assert_eq!((lab.read(".env")?, lab.restarts()), (env, restarts));
    Ok(())
}
