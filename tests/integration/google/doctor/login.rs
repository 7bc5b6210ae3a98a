//! Where `gcloud` can't be asked, that is all that is said.
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use anyhow::{Context as _, Result};
use integration_tests::Signal;
use rustix::process::{Pid, test_kill_process};

use super::Findings;
use super::installation::Installation;

const ALL: [&str; 5] = [
    "red-hat-sso-client-secret",
    "gma-client-secret",
    "database-url",
    "session-database-url",
    "dcr-encryption-key",
];

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_logged_in() -> Result<()> {
    let Some(installation) = Installation::new().await? else {
        return Ok(());
    };
    let no_token = [("CLOUDSDK_AUTH_ACCESS_TOKEN", "")];
    let examined = installation.doctor_with(&["--format", "json"], &no_token)?;
    assert_eq!(examined.code, Some(1), "{examined:?}");
    let findings = Findings::of(&examined)?;
    findings.assert("fault", "is not logged in", &ALL, &["gcloud auth login"])?;
    assert_eq!(findings.all().len(), 2, "{examined:?}");
    assert!(installation.google.world().requests.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_no_gcloud() -> Result<()> {
    let Some(installation) = Installation::new().await? else {
        return Ok(());
    };
    let no_path = [("PATH", "/no/such/folder")];
    let examined = installation.doctor_with(&["--format", "json"], &no_path)?;
    assert_eq!(examined.code, Some(1), "{examined:?}");
    let findings = Findings::of(&examined)?;
    let found = findings.find("fault", "`gcloud` did not start")?;
    assert!(found["mend"][0].to_string().contains("install"), "{found}");
    assert_eq!(findings.all().len(), 1, "{examined:?}");
    Ok(())
}

/// Ctrl-C, while `gcloud` hangs.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_behind_when_it_is_stopped() -> Result<()> {
    let Some(installation) = Installation::new().await? else {
        return Ok(());
    };
    let program = installation.folder().join("gcloud");
    fs::write(&program, "#!/bin/sh\necho $$ >> pids\nexec sleep 300\n")?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
    let path = format!("{}:/usr/bin:/bin", installation.folder().display());
    let running = installation.program(&[], &[("PATH", &path)]).spawn();
    let pids = installation.folder().join("pids");
    let started = || fs::read_to_string(&pids).unwrap_or_default();
    while started().lines().count() < 2 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    running.signal(Signal::INT);
    let stopped = running.wait();
    assert_eq!(stopped.code, Some(3), "{stopped:?}");
    for pid in started().lines() {
        let pid = Pid::from_raw(pid.parse()?).context("a process")?;
        assert!(test_kill_process(pid).is_err(), "{pid:?} still runs");
    }
    Ok(())
}
