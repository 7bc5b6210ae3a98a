//! A client that goes on registering new orders under the key that it read when it started, from
//! before the run to its end.
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use fernet::Fernet;
use reencrypt::sample::StandIn;
use secret::FernetKey;

use super::sandbox::{Sandbox, assert_said};

const CLIENTS: u64 = 2_000;
const PLAINTEXT: &[u8] = b"made-up-secret-of-a-new-order";

/// The service: it reads its key when it is started, and whenever the restart command was run.
/// Gives the orders that it registered.
fn serve(sandbox: &Sandbox, stop: &AtomicBool) -> Result<Vec<String>> {
    let restarts = || sandbox.read("restarts").unwrap_or_default().lines().count();
    let mut registered = Vec::new();
    let mut started_after = None;
    let mut service = None;
    while !stop.load(Ordering::Relaxed) {
        let restarted = restarts();
        if started_after != Some(restarted) {
            let key = FernetKey::parse(sandbox.env_key()?.as_bytes())?.key;
            service = Some(StandIn::start(&sandbox.path("clients.sqlite"), &key)?);
            started_after = Some(restarted);
        }
        let order_id = format!("new-order-{:05}", registered.len());
        let service = service.as_mut().context("a service")?;
        service.register(&order_id)?;
        registered.push(order_id);
        // As a service that is stopped slowly: it goes on for a while with the old key.
        sleep(Duration::from_millis(3));
    }
    Ok(registered)
}

fn assert_all_there(sandbox: &Sandbox, registered: &[String]) -> Result<()> {
    let key = sandbox.env_key()?;
    let cipher = Fernet::new(&key).context("a key")?;
    let rows = sandbox.rows()?;
    for order_id in registered {
        let row = rows.iter().find(|row| row.order_id == *order_id);
        let row = row.with_context(|| format!("{order_id} is lost"))?;
        let secret = cipher.decrypt(&row.client_secret).ok();
        ensure!(
            secret.as_deref() == Some(PLAINTEXT),
            "{order_id} can't be read"
        );
    }
    Ok(())
}

/// Stops the service when it is dropped, be it by a panic.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Carries something out while the service registers; gives what was registered.
fn meanwhile(sandbox: &Sandbox, work: impl FnOnce() -> Result<()>) -> Result<Vec<String>> {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let service = scope.spawn(|| serve(sandbox, &stop));
        // It has begun with the key that is to go.
        let stopped = Stop(&stop);
        while !service.is_finished() && sandbox.rows()?.len() < 2_005 {
            sleep(Duration::from_millis(5));
        }
        let worked = work();
        drop(stopped);
        let registered = service
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        worked.and(registered)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_registered_meanwhile_are_swept() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    let old = sandbox.env_key()?;
    // The old process goes on for a while after the restart command has returned.
    let registered = meanwhile(&sandbox, || {
        let output = sandbox.run(&["rotate-dcr"])?;
        assert_said(&output, 0, &["Rotated"]);
        Ok(())
    })?;
    ensure!(registered.len() > 20, "hardly any order was registered");
    let (under_old, _) = sandbox.opened_by(&old)?;
    assert_eq!(under_old, 0, "after {} new orders", registered.len());
    assert_all_there(&sandbox, &registered)?;
    sandbox.expect_sound(CLIENTS)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_takes_them_back_too() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    let old = sandbox.env_key()?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 0, &[]);
    let run = sandbox.run_name()?;
    let registered = meanwhile(&sandbox, || {
        let output = sandbox.run(&["rollback", &run])?;
        assert_said(&output, 0, &["Rolled back"]);
        Ok(())
    })?;
    assert!(sandbox.env_key()? == old, "another key");
    assert_all_there(&sandbox, &registered)?;
    sandbox.expect_sound(CLIENTS)
}

/// Whoever still runs with the old key after the cutover is found: the run fails and names the
/// command that sweeps again.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_never_restarted_is_found() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    let key = FernetKey::parse(sandbox.env_key()?.as_bytes())?.key;
    let stop = AtomicBool::new(false);
    let sandbox = &sandbox;
    let output = thread::scope(|scope| {
        let old = scope.spawn(|| -> Result<u32> {
            let mut service = StandIn::start(&sandbox.path("clients.sqlite"), &key)?;
            let mut registered = 0;
            while !stop.load(Ordering::Relaxed) {
                service.register(&format!("new-order-{registered:05}"))?;
                registered += 1;
                sleep(Duration::from_millis(2));
            }
            Ok(registered)
        });
        let output = sandbox.run(&["rotate-dcr"]);
        stop.store(true, Ordering::Relaxed);
        let registered = old
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        ensure!(registered > 20, "hardly any order was registered");
        output
    })?;
    // It may find a moment of rest between two of them; what it says is true either way.
    if output.code == Some(2) {
        assert_said(&output, 2, &["old key", "hint: "]);
        let next = sandbox.next_commands()?;
        assert_said(&sandbox.pasted(&next[0])?, 0, &["Rotated"]);
        return sandbox.expect_sound(CLIENTS);
    }
    assert_said(&output, 0, &["Rotated"]);
    Ok(())
}
