//! The local services: the `.env` file, restarts, and what is told of them.
use std::fs;
use std::time::Duration;

use anyhow::Result;
use platform::{Binding, Bound, Error, VersionState};

use super::lab::{Lab, NEW, OLD, SECRET, SERVICE, VARIABLE, binding, value};

#[tokio::test]
async fn a_cutover_writes_the_value_and_restarts_once() -> Result<()> {
    let lab = Lab::new()?;
    let (platform, _, revision) = lab.prepared().await?;
    assert_eq!(
        (lab.restarts(), revision.as_str()),
        (0, "marketplace-handler-1")
    );
    assert_eq!(lab.read(".env")?, format!("A=1\n{VARIABLE}={OLD}\nB=2\n"));
    for _ in 0..2 {
        platform.services.cut_over(SERVICE, &revision).await?;
        assert_eq!(lab.read(".env")?, format!("A=1\n{VARIABLE}={NEW}\nB=2\n"));
        assert_eq!(lab.read("running")?, lab.read(".env")?);
        assert_eq!(lab.restarts(), 1);
    }
    Ok(())
}

#[tokio::test]
async fn a_pin_to_the_value_that_runs_restarts_nothing() -> Result<()> {
    let lab = Lab::new()?;
    let platform = lab.platform_with_a_version().await?;
    let first = platform.store.versions(SECRET).await?[0].number;
    let pinned = Bound::Pinned(first);
    let services = &platform.services;
    let revision = services.prepare(SERVICE, &binding(), pinned).await?;
    services.cut_over(SERVICE, &revision).await?;
    assert_eq!(lab.restarts(), 0);
    assert_eq!(lab.describe().await?.bound, pinned);
    // And back to the revision that nobody made.
    services.cut_over(SERVICE, "marketplace-handler-0").await?;
    assert_eq!(lab.restarts(), 0);
    assert_eq!(lab.describe().await?.bound, Bound::Latest);
    Ok(())
}

#[tokio::test]
async fn without_a_record_the_file_and_the_store_tell() -> Result<()> {
    let lab = Lab::new()?;
    let inline = lab.describe().await?;
    assert_eq!(inline.serving, "marketplace-handler-0");
    assert_eq!((inline.bound, inline.ready), (Bound::Inline, true));
    let platform = lab.platform()?;
    let read = platform.services.inline_value(SERVICE, VARIABLE).await?;
    assert!(read == value(OLD));
    let first = platform.store.add(SECRET, &read).await?;
    assert_eq!(lab.describe().await?.bound, Bound::Latest);
    // What reads an older version must be seen by whoever retires that.
    platform.store.add(SECRET, &value(NEW)).await?;
    let older = lab.describe().await?;
    assert_eq!((older.bound, older.ready), (Bound::Pinned(first), true));
    Ok(())
}

#[tokio::test]
async fn what_reads_latest_is_told_by_what_is_in_the_file() -> Result<()> {
    let lab = Lab::new()?;
    let platform = lab.platform_with_a_version().await?;
    let first = platform.store.versions(SECRET).await?[0].number;
    let services = &platform.services;
    let pinned = services
        .prepare(SERVICE, &binding(), Bound::Pinned(first))
        .await?;
    let second = platform.store.add(SECRET, &value(NEW)).await?;
    let service = lab.describe().await?;
    assert_eq!((service.bound, service.ready), (Bound::Pinned(first), true));
    // The newest with the value that is there, but an enabled one before others.
    let third = platform.store.add(SECRET, &value(OLD)).await?;
    assert_eq!(lab.describe().await?.bound, Bound::Latest);
    platform.store.disable(SECRET, third).await?;
    assert_eq!(lab.describe().await?.bound, Bound::Pinned(first));
    platform.store.destroy(SECRET, second).await?;
    services.cut_over(SERVICE, &pinned).await?;
    assert_eq!(lab.describe().await?.bound, Bound::Pinned(first));
    assert_eq!(lab.restarts(), 0);
    Ok(())
}

/// As an undone rotation leaves it: the old value is the latest version again.
#[tokio::test]
async fn a_value_that_was_added_again_is_the_same_value() -> Result<()> {
    let lab = Lab::new()?;
    let (platform, second, new) = lab.prepared().await?;
    let services = &platform.services;
    services.cut_over(SERVICE, &new).await?;
    platform.store.add(SECRET, &value(OLD)).await?;
    platform.store.disable(SECRET, second).await?;
    let latest = services.prepare(SERVICE, &binding(), Bound::Latest).await?;
    assert_eq!(latest, "marketplace-handler-2");
    for _ in 0..2 {
        services.cut_over(SERVICE, &latest).await?;
        let service = lab.describe().await?;
        assert_eq!((service.bound, service.ready), (Bound::Latest, true));
        assert_eq!(lab.restarts(), 2);
    }
    Ok(())
}

/// Whether the file was edited or the store has learnt of its value, nobody knows: the revision
/// that serves is the same, and whether the service runs with it is to be settled.
#[tokio::test]
async fn a_value_that_is_stored_after_a_revision_was_made_of_it_stays_that_revision_s() -> Result<()>
{
    let lab = Lab::new()?;
    let platform = lab.platform()?;
    let new = platform.store.add(SECRET, &value(NEW)).await?;
    let to = Bound::Pinned(new);
    platform.services.prepare(SERVICE, &binding(), to).await?;
    let inline = lab.describe().await?;
    assert_eq!((inline.bound, inline.ready), (Bound::Inline, true));
    platform.store.add(SECRET, &value(OLD)).await?;
    let stored = lab.describe().await?;
    assert_eq!(stored.serving, inline.serving);
    assert_eq!((stored.bound, stored.ready), (Bound::Latest, false));
    Ok(())
}

#[tokio::test]
async fn a_hand_at_the_file_is_seen() -> Result<()> {
    let lab = Lab::new()?;
    let (platform, second, revision) = lab.prepared().await?;
    platform.services.cut_over(SERVICE, &revision).await?;
    lab.write_env(&format!("{VARIABLE}={OLD}\n"))?;
    let service = lab.describe().await?;
    let first = platform.store.versions(SECRET).await?[1].number;
    assert_eq!(
        (service.bound, service.ready),
        (Bound::Pinned(first), false)
    );
    assert_eq!(service.serving, "marketplace-handler-unrecorded");
    // It still can be sent to the revision on record.
    assert!(
        service
            .readers_of(second, None)
            .any(|one| one.name == revision)
    );
    lab.write_env(&format!("{VARIABLE}=hunter2-by-hand\n"))?;
    let service = lab.describe().await?;
    assert_eq!((service.bound, service.ready), (Bound::Inline, false));
    platform.services.cut_over(SERVICE, &revision).await?;
    assert_eq!(lab.restarts(), 2);
    assert!(lab.describe().await?.ready);
    Ok(())
}

#[tokio::test]
async fn a_version_that_was_disabled_gets_no_traffic() -> Result<()> {
    let lab = Lab::new()?;
    let (platform, second, revision) = lab.prepared().await?;
    platform.store.disable(SECRET, second).await?;
    let refused = platform.services.cut_over(SERVICE, &revision).await;
    let disabled = VersionState::Disabled;
    assert!(matches!(refused, Err(Error::VersionState { state, .. }) if state == disabled));
    assert_eq!((lab.restarts(), lab.describe().await?.ready), (0, true));
    Ok(())
}

#[tokio::test]
async fn a_service_that_serves_goes_on_with_a_disabled_version() -> Result<()> {
    let lab = Lab::new()?;
    let (platform, second, revision) = lab.prepared().await?;
    platform.services.cut_over(SERVICE, &revision).await?;
    platform.store.disable(SECRET, second).await?;
    platform.services.cut_over(SERVICE, &revision).await?;
    let service = lab.describe().await?;
    assert_eq!(
        (service.bound, service.ready),
        (Bound::Pinned(second), true)
    );
    assert_eq!(lab.restarts(), 1);
    Ok(())
}

#[tokio::test]
async fn a_file_that_cannot_be_edited_stops_the_preparation() -> Result<()> {
    let lab = Lab::new()?;
    let platform = lab.platform_with_a_version().await?;
    let binding = binding();
    let prepare = || platform.services.prepare(SERVICE, &binding, Bound::Latest);
    lab.write_env("A=1\n")?;
    assert!(matches!(prepare().await, Err(Error::NoVariable { .. })));
    lab.write_env(&format!("{VARIABLE}=1\nA='\n{VARIABLE}=2'\n{VARIABLE}=3\n"))?;
    let repeated = prepare().await;
    assert!(matches!(repeated, Err(Error::RepeatedVariable { lines, .. }) if lines == [1, 4]));
    lab.write_env(&format!("{VARIABLE}=1\nA='1\n"))?;
    assert!(matches!(
        prepare().await,
        Err(Error::OpenQuote { line: 2, .. })
    ));
    fs::remove_file(lab.env())?;
    assert!(matches!(prepare().await, Err(Error::NoEnvFile { .. })));
    assert!(!lab.store().join("services.json").exists());
    Ok(())
}

#[tokio::test]
async fn no_revision_is_made_of_a_value_in_no_store() -> Result<()> {
    let lab = Lab::new()?;
    let (platform, _, _) = lab.prepared().await?;
    let services = &platform.services;
    let prepared = services.prepare(SERVICE, &binding(), Bound::Inline).await;
    assert!(matches!(prepared, Err(Error::InlineRevision { .. })));
    Ok(())
}

#[tokio::test]
async fn a_value_that_was_in_no_store_cannot_be_turned_back_to() -> Result<()> {
    let lab = Lab::new()?;
    let platform = lab.platform()?;
    platform.store.add(SECRET, &value(NEW)).await?;
    let services = &platform.services;
    let revision = services.prepare(SERVICE, &binding(), Bound::Latest).await?;
    services.cut_over(SERVICE, &revision).await?;
    let back = services.cut_over(SERVICE, "marketplace-handler-0").await;
    assert!(matches!(back, Err(Error::InlineValueGone { .. })));
    assert!(lab.describe().await?.ready);
    Ok(())
}

#[tokio::test]
async fn a_service_that_does_not_get_ready_is_an_error_and_can_be_turned_back() -> Result<()> {
    let lab = Lab::new()?;
    let (platform, _, revision) = lab.prepared().await?;
    let mut settings = lab.settings();
    let service = settings.services.get_mut(SERVICE).expect("the service");
    service.ready = Some(vec!["false".to_owned()]);
    service.timeout = Duration::from_millis(300);
    let slow = platform::local::platform(settings)?;
    let sent = slow.services.cut_over(SERVICE, &revision).await;
    assert!(matches!(sent, Err(Error::NotReady { .. })), "{sent:?}");
    let refused = platform.services.discard(SERVICE, &revision).await;
    assert!(matches!(refused, Err(Error::RevisionServes { .. })));
    let first = platform.store.versions(SECRET).await?[1].number;
    let services = &platform.services;
    let first = Bound::Pinned(first);
    let back = services.prepare(SERVICE, &binding(), first).await?;
    services.cut_over(SERVICE, &back).await?;
    services.discard(SERVICE, &revision).await?;
    let service = lab.describe().await?;
    assert_eq!((service.bound, service.ready), (first, true));
    assert_eq!(lab.read("running")?, lab.read(".env")?);
    Ok(())
}

#[tokio::test]
async fn a_restart_that_hangs_is_ended() -> Result<()> {
    let lab = Lab::new()?;
    let (_, _, revision) = lab.prepared().await?;
    let mut settings = lab.settings();
    let service = settings.services.get_mut(SERVICE).expect("the service");
    service.restart = Some(vec!["sleep".to_owned(), "60".to_owned()]);
    service.timeout = Duration::from_millis(200);
    let hanging = platform::local::platform(settings)?;
    let sent = hanging.services.cut_over(SERVICE, &revision).await;
    assert!(
        matches!(sent, Err(Error::CommandTimeout { .. })),
        "{sent:?}"
    );
    Ok(())
}

#[tokio::test]
async fn two_services_of_one_variable_are_each_restarted() -> Result<()> {
    const OTHER: &str = "lightspeed-agent";
    let lab = Lab::new()?;
    let mut settings = lab.settings();
    let same = settings.services[SERVICE].clone();
    settings.services.insert(OTHER.to_owned(), same);
    let platform = platform::local::platform(settings)?;
    platform.store.add(SECRET, &value(OLD)).await?;
    let second = Bound::Pinned(platform.store.add(SECRET, &value(NEW)).await?);
    let services = &platform.services;
    let revision = services.prepare(SERVICE, &binding(), second).await?;
    services.cut_over(SERVICE, &revision).await?;
    // The value is there, but this one doesn't run with it yet.
    assert!(!services.describe(OTHER, &binding()).await?.ready);
    let revision = services.prepare(OTHER, &binding(), second).await?;
    services.cut_over(OTHER, &revision).await?;
    assert_eq!(lab.restarts(), 2);
    assert!(services.describe(OTHER, &binding()).await?.ready);
    Ok(())
}

/// Two secrets of one service: what the one run has cut over, a revision that the other one
/// made before doesn't take back.
#[tokio::test]
async fn a_revision_that_was_made_of_what_no_longer_serves_gets_no_traffic() -> Result<()> {
    let lab = Lab::new()?;
    lab.write_env(&format!("{VARIABLE}={OLD}\nOTHER={OLD}\n"))?;
    let other = Binding {
        variable: "OTHER".to_owned(),
        secret: "other".to_owned(),
    };
    let platform = lab.platform()?;
    let (store, services) = (&platform.store, &platform.services);
    let mut newest = Vec::new();
    for binding in [&binding(), &other] {
        let old = store.add(&binding.secret, &value(OLD)).await?;
        let revision = services.prepare(SERVICE, binding, Bound::Pinned(old));
        services.cut_over(SERVICE, &revision.await?).await?;
        newest.push(Bound::Pinned(
            store.add(&binding.secret, &value(NEW)).await?,
        ));
    }
    let first = services.prepare(SERVICE, &binding(), newest[0]).await?;
    let second = services.prepare(SERVICE, &other, newest[1]).await?;
    services.cut_over(SERVICE, &first).await?;
    let refused = services.cut_over(SERVICE, &second).await;
    assert!(
        matches!(refused, Err(Error::Overtaken { .. })),
        "{refused:?}"
    );
    assert_eq!(
        lab.read(".env")?,
        format!("{VARIABLE}={NEW}\nOTHER={OLD}\n")
    );
    // Made anew, it builds on what serves; so it does where people edited the file.
    lab.write_env(&format!("{VARIABLE}={OLD}\nOTHER={OLD}\n"))?;
    let second = services.prepare(SERVICE, &other, newest[1]).await?;
    services.cut_over(SERVICE, &second).await?;
    assert_eq!(
        lab.read(".env")?,
        format!("{VARIABLE}={OLD}\nOTHER={NEW}\n")
    );
    assert!(lab.describe().await?.ready);
    Ok(())
}

/// Somebody put the value of a version back that is disabled: that is no reason to leave the
/// service without its other secret's new value.
#[tokio::test]
async fn another_secret_s_disabled_version_that_the_file_holds_stops_no_cutover() -> Result<()> {
    let lab = Lab::new()?;
    lab.write_env(&format!("{VARIABLE}={OLD}\nOTHER={NEW}\n"))?;
    let other = Binding {
        variable: "OTHER".to_owned(),
        secret: "other".to_owned(),
    };
    let platform = lab.platform()?;
    let (store, services) = (&platform.store, &platform.services);
    let disabled = store.add("other", &value(OLD)).await?;
    let current = Bound::Pinned(store.add("other", &value(NEW)).await?);
    let revision = services.prepare(SERVICE, &other, current).await?;
    services.cut_over(SERVICE, &revision).await?;
    store.disable("other", disabled).await?;
    lab.write_env(&format!("{VARIABLE}={OLD}\nOTHER={OLD}\n"))?;

    let new = Bound::Pinned(store.add(SECRET, &value(NEW)).await?);
    let revision = services.prepare(SERVICE, &binding(), new).await?;
    services.cut_over(SERVICE, &revision).await?;
    let env = format!("{VARIABLE}={NEW}\nOTHER={OLD}\n");
    assert_eq!(lab.read(".env")?, env);
    Ok(())
}

/// The one run restarts the service; the other one waits for that before it looks, and before it
/// makes unreachable what doesn't serve.
#[tokio::test]
async fn another_s_change_is_waited_for() -> Result<()> {
    let lab = Lab::new()?;
    let (platform, second, revision) = lab.prepared().await?;
    let mut settings = lab.settings();
    let service = settings.services.get_mut(SERVICE).expect("the service");
    let held = "touch \"$1/restarting\"; while test ! -e \"$1/go\"; do sleep 0.01; done";
    let folder = lab.path("").display().to_string();
    service.restart = Some(
        ["sh", "-c", held, "sh", &folder]
            .map(str::to_owned)
            .to_vec(),
    );
    let slow = platform::local::platform(settings)?;
    let (services, binding) = (&platform.services, binding());
    let others = async {
        while !lab.path("restarting").exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let short = Duration::from_millis(200);
        let looked = tokio::time::timeout(short, services.describe_at_rest(SERVICE, &binding));
        assert!(looked.await.is_err(), "it didn't wait");
        let discarded = tokio::time::timeout(short, services.discard_others(SERVICE));
        assert!(discarded.await.is_err(), "it didn't wait");
        // Who only looks isn't kept.
        let described = services.describe(SERVICE, &binding).await?;
        assert!(!described.ready && !described.is_unsettled);
        fs::write(lab.path("go"), "")?;
        let described = services.describe_at_rest(SERVICE, &binding).await?;
        services.discard_others(SERVICE).await?;
        anyhow::Ok(described)
    };
    let (cut_over, described) = tokio::join!(slow.services.cut_over(SERVICE, &revision), others);
    cut_over?;
    let described = described?;
    assert_eq!(
        (described.bound, described.ready),
        (Bound::Pinned(second), true)
    );
    let left: Vec<_> = lab.describe().await?.revisions;
    assert_eq!(left.len(), 1, "{left:?}");
    Ok(())
}

/// What it was, nobody can be found to have.
#[tokio::test]
async fn a_version_whose_value_is_lost_is_nobody_s() -> Result<()> {
    let lab = Lab::new()?;
    let (platform, second, revision) = lab.prepared().await?;
    platform.services.cut_over(SERVICE, &revision).await?;
    fs::remove_file(lab.store().join(SECRET).join("1.value"))?;
    let lost = platform.store.versions(SECRET).await?[1].number;
    let gone = platform
        .store
        .access(SECRET, platform::Reference::Number(lost));
    assert!(matches!(gone.await, Err(Error::ValueGone { version, .. }) if version == lost));
    assert_eq!(lab.describe().await?.bound, Bound::Pinned(second));
    lab.write_env(&format!("{VARIABLE}={OLD}\n"))?;
    assert_eq!(lab.describe().await?.bound, Bound::Inline);
    Ok(())
}
