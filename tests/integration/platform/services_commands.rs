//! The commands that restart a service and tell that it is ready: when they are asked, and
//! what they see.
use std::time::Duration;

use anyhow::Result;
use platform::local::ServiceSettings;
use platform::{Binding, Bound, Error, Platform};

use super::lab::{Lab, OLD, SECRET, SERVICE, binding, value};

/// A platform whose service is restarted, and asked whether it is ready, by these scripts; the
/// folder is their `$1`.
fn with_scripts(lab: &Lab, restart: &str, ready: &str) -> Result<Platform, Error> {
    let words = |script: &str| {
        let folder = lab.path("").to_string_lossy().into_owned();
        let words = ["sh", "-c", script, "sh", &folder];
        Some(words.map(str::to_owned).to_vec())
    };
    let service = ServiceSettings {
        restart: words(restart),
        ready: words(ready),
        timeout: Duration::from_secs(20),
    };
    let mut settings = lab.settings();
    settings.services.insert(SERVICE.to_owned(), service);
    platform::local::platform(settings)
}

#[tokio::test]
async fn a_service_that_is_not_ready_at_once_is_waited_for() -> Result<()> {
    let lab = Lab::new()?;
    let (_, number, revision) = lab.prepared().await?;
    let ready = "echo asked >> \"$1/asked\"; test $(grep -c asked \"$1/asked\") -ge 3";
    let platform = with_scripts(&lab, "true", ready)?;
    platform.services.cut_over(SERVICE, &revision).await?;
    assert_eq!(lab.read("asked")?.lines().count(), 3);
    let service = platform.services.describe(SERVICE, &binding()).await?;
    assert_eq!(
        (service.bound, service.ready),
        (Bound::Pinned(number), true)
    );
    Ok(())
}

/// Nobody has made it, and it is there to be turned back to; no other one is.
#[tokio::test]
async fn without_a_record_traffic_is_where_it_is_and_can_go_nowhere_else() -> Result<()> {
    let lab = Lab::new()?;
    let services = lab.platform()?.services;
    services.cut_over(SERVICE, "marketplace-handler-0").await?;
    let refused = services.cut_over(SERVICE, "marketplace-handler-7").await;
    assert!(
        matches!(refused, Err(Error::NoSuchRevision { .. })),
        "{refused:?}"
    );
    assert_eq!(lab.restarts(), 0);
    Ok(())
}

/// What the tool has in its own environment may be an older value than the file's, and would
/// go before it.
#[tokio::test]
async fn commands_do_not_see_the_variables_that_a_revision_binds() -> Result<()> {
    // Cargo sets it for every test.
    const IN_ENVIRONMENT: &str = "CARGO_MANIFEST_DIR";
    let lab = Lab::new()?;
    lab.write_env(&format!("{IN_ENVIRONMENT}={OLD}\n"))?;
    let platform = with_scripts(&lab, "env > \"$1/restarted\"", "env > \"$1/ready\"")?;
    let binding = Binding {
        variable: IN_ENVIRONMENT.to_owned(),
        secret: SECRET.to_owned(),
    };
    let new = platform.store.add(SECRET, &value("hunter2-newer")).await?;
    let services = &platform.services;
    let revision = services.prepare(SERVICE, &binding, Bound::Pinned(new));
    services.cut_over(SERVICE, &revision.await?).await?;
    for name in ["restarted", "ready"] {
        let seen = lab.read(name)?;
        assert!(seen.contains("PATH="), "{name}: {seen}");
        assert!(!seen.contains(IN_ENVIRONMENT), "{name}: {seen}");
    }
    Ok(())
}
