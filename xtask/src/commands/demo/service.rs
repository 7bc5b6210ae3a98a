//! The demonstration's stand-in for the service: a process that reads its key when
//! it starts, answers known orders, registers new ones, and logs when it can't.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use platform::SECRET_VARIABLES;
use reencrypt::sample::StandIn;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::sandbox::Sandbox;

/// Nobody has to stop it.
const LIFE: Duration = Duration::from_secs(60);
const BETWEEN_ANSWERS: Duration = Duration::from_millis(5);
const BETWEEN_REGISTRATIONS: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(10);

/// Stops the service if it runs, and starts it anew: it is ready when this returns.
///
/// # Errors
///
/// When it doesn't get ready.
pub(super) fn restart(folder: &Path) -> anyhow::Result<()> {
    let sandbox = Sandbox::at(folder);
    stop(&sandbox)?;
    remove(&sandbox, "service.ready")?;
    let pid = start(folder)?;
    fs::write(sandbox.path("service.pid"), pid.to_string())?;
    let began = Instant::now();
    while !sandbox.path("service.ready").exists() {
        if began.elapsed() > PATIENCE {
            bail!("the stand-in service isn't ready: its log is `service.log`");
        }
        std::thread::sleep(BETWEEN_ANSWERS);
    }
    Ok(())
}

/// Stops the service if it runs, and waits until it is gone.
///
/// # Errors
///
/// When it doesn't go.
pub(super) fn stop(sandbox: &Sandbox) -> anyhow::Result<()> {
    let pid = fs::read_to_string(sandbox.path("service.pid"));
    let Some(pid) = pid
        .ok()
        .and_then(|pid| Pid::from_raw(pid.trim().parse().ok()?))
    else {
        return Ok(());
    };
    let began = Instant::now();
    while is_running(sandbox) && test_kill_process(pid).is_ok() {
        if began.elapsed() > PATIENCE {
            bail!("the stand-in service doesn't end");
        }
        // It may have ended in between, which is what is wanted.
        let _ = kill_process(pid, Signal::TERM);
        std::thread::sleep(BETWEEN_ANSWERS);
    }
    remove(sandbox, "service.pid")
}

/// The system uses numbers of processes again. The service holds a lock while it
/// runs: where nobody does, the number is somebody else's by now.
fn is_running(sandbox: &Sandbox) -> bool {
    fs::File::open(sandbox.path("service.ready")).is_ok_and(|file| file.try_lock_shared().is_err())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the stand-in service is a process of its own, as the service is"
)]
fn start(folder: &Path) -> anyhow::Result<u32> {
    let program = std::env::current_exe().context("the program's own path is not known")?;
    let mut command = std::process::Command::new(program);
    for name in SECRET_VARIABLES {
        command.env_remove(name);
    }
    let child = command
        .arg("stand-in-service")
        .arg("--serve")
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .context("the stand-in service can't be started")?;
    Ok(child.id())
}

/// What the process does until it is stopped, or a minute is over.
///
/// # Errors
///
/// When its key, its table or its log can't be used.
pub(super) fn serve(folder: &Path) -> anyhow::Result<()> {
    let sandbox = Sandbox::at(folder);
    let value = platform::local::variable(&sandbox.path(".env"), "DCR_ENCRYPTION_KEY")?;
    let key = value.fernet_key()?.key;
    let mut service = StandIn::start(&sandbox.database(), &key)?;
    let mut log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(sandbox.path("service.log"))?;
    let began = Instant::now();
    let ready = fs::File::create(sandbox.path("service.starting"))?;
    ready.lock()?;
    let mut tell = |what: &str| {
        let time = Timestamp::now().strftime("%H:%M:%S%.3f").to_string();
        writeln!(log, "{time}  {what}")
    };
    tell(&format!("started with the key {}", key.fingerprint()))?;
    fs::rename(
        sandbox.path("service.starting"),
        sandbox.path("service.ready"),
    )?;

    let process = std::process::id();
    let mut registered = 0;
    let mut last_registration = began;
    let mut answers = None;
    while began.elapsed() < LIFE {
        let now_answers = service.answers_known_order()?;
        if answers != Some(now_answers) {
            answers = Some(now_answers);
            tell(if now_answers {
                "answers known orders"
            } else {
                "can't answer known orders"
            })?;
        }
        if last_registration.elapsed() > BETWEEN_REGISTRATIONS {
            service.register(&format!("new-order-{process}-{registered}"))?;
            registered += 1;
            last_registration = Instant::now();
        }
        std::thread::sleep(BETWEEN_ANSWERS);
    }
    Ok(())
}

fn remove(sandbox: &Sandbox, name: &str) -> anyhow::Result<()> {
    match fs::remove_file(sandbox.path(name)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("can't remove `{name}`"))
        }
        _ => Ok(()),
    }
}
