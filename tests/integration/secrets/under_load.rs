//! A service that logs in anew for everything it does, during a whole rotation and its rollback.
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tokio::task::JoinHandle;

use super::logins_lab::{Lab, SERVICES, log_in};
use crate::faults::random::say;
use crate::procedure::sandbox::assert_said;

/// How many logins worked, and what went wrong with others.
#[derive(Debug, Default)]
struct Served {
    logins: u32,
    failures: Vec<String>,
}

/// So many clients at a time.
const CLIENTS: usize = 2;

/// A restart is over when what the old process was at is over, as that of a service is.
const RESTART: &str = "cp .env running.$1 && mv running.$1 running\n\
                       for n in 0 1; do while test -e busy.$n; do sleep 0.003; done; done\n";

/// Logs in and queries, with the URL that the service has that was restarted last.
fn serve(lab: &Lab, number: usize, stop: &Arc<AtomicBool>) -> JoinHandle<Result<Served>> {
    let sandbox = &lab.installation.sandbox;
    let running = sandbox.path("running");
    let busy = sandbox.path(&format!("busy.{number}"));
    let stop = Arc::clone(stop);
    tokio::spawn(async move {
        let mut served = Served::default();
        while !stop.load(Ordering::Relaxed) {
            fs::write(&busy, "")?;
            match serve_once(&url_in(&running)?).await {
                Ok(()) => served.logins += 1,
                Err(error) => served.failures.push(format!("{error:?}")),
            }
            fs::remove_file(&busy)?;
            // Or who waits for that would hardly ever see it.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(served)
    })
}

async fn serve_once(url: &str) -> Result<(), tokio_postgres::Error> {
    let client = log_in(url).await?;
    client
        .query("select count(*) from dcr_clients", &[])
        .await?;
    Ok(())
}

fn url_in(path: &std::path::Path) -> Result<String> {
    let text = fs::read_to_string(path)?;
    let mut lines = text.lines();
    let line = lines.find_map(|line| line.strip_prefix("DATABASE_URL="));
    Ok(line.context("no URL")?.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_refused_while_the_roles_take_turns_and_back() -> Result<()> {
    let lab = Lab::new(SERVICES).await?;
    let env = lab.installation.sandbox.read(".env")?;
    lab.installation.sandbox.write("running", &env)?;
    let stop = Arc::new(AtomicBool::new(false));
    lab.installation.sandbox.write("restart.sh", RESTART)?;
    let services = (0..CLIENTS).map(|number| serve(&lab, number, &stop));
    let services: Vec<_> = services.collect();
    let work = || -> Result<()> {
        for _ in 0..2 {
            assert_said(&lab.installation.run(&lab.rotate(&[]))?, 0, &["Rotated"]);
        }
        let run = lab.installation.last_run()?;
        assert_said(
            &lab.installation.run(&["rollback", &run])?,
            0,
            &["Rolled back"],
        );
        let runs = lab.installation.sandbox.runs()?;
        assert_said(
            &lab.installation.run(&["rollback", &runs[0]])?,
            0,
            &["Rolled back"],
        );
        Ok(())
    };
    let worked = tokio::task::block_in_place(work);
    stop.store(true, Ordering::Relaxed);
    let mut logins = 0;
    for service in services {
        let served = service.await??;
        ensure!(served.failures.is_empty(), "{served:?}");
        logins += served.logins;
    }
    worked?;
    say(&format!("{logins} logins, none of which failed"));
    ensure!(logins > 20, "hardly any login: {logins}");
    lab.installation.expect_nothing_unfinished()
}

/// In place there is a gap, which is measured: from the first login that is refused to the
/// first one of the restarted service.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_place_the_gap_is_measured_and_ends_with_the_restart() -> Result<()> {
    let lab = Lab::with(SERVICES, "", super::installation::BOTH).await?;
    let env = lab.installation.sandbox.read(".env")?;
    lab.installation.sandbox.write("running", &env)?;
    let running = lab.installation.sandbox.path("running");
    let old = lab.in_env()?;
    let service = tokio::spawn(async move {
        let give_up = Instant::now() + Duration::from_secs(60);
        let mut refused_at = None;
        while Instant::now() < give_up {
            let url = url_in(&running)?;
            match serve_once(&url).await {
                Ok(()) if url != old => return Ok((refused_at, Instant::now())),
                Ok(()) => {}
                Err(_) => refused_at = refused_at.or(Some(Instant::now())),
            }
        }
        anyhow::bail!("the service never came back")
    });
    let rotate = || lab.installation.run(&lab.rotate(&["--in-place"]));
    assert_said(&tokio::task::block_in_place(rotate)?, 0, &["Rotated"]);
    let (refused_at, back_at) = service.await??;
    let gap = refused_at.map_or(Duration::ZERO, |refused_at| back_at - refused_at);
    say(&format!(
        "in place, nobody could log in for {} ms",
        gap.as_millis()
    ));
    ensure!(gap < Duration::from_secs(30), "{gap:?}");
    lab.expect_sound().await
}
