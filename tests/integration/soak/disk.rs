//! Disks of a run's own: one that is full from one moment on, and one whose power is cut.
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use integration_tests::{Program, Running};
use tempfile::TempDir;

use super::case::Victim;
use crate::faults::disk_full::private_mounts;

const FULL: &str = include_str!("full_disk.sh");
const POWER: &str = include_str!("power_cut.sh");

/// Longer than any script takes to do what it is told.
const PATIENCE: Duration = Duration::from_secs(60);

/// A disk that something happens to.
pub(super) struct Disk {
    /// By which files a script and this process tell each other how far they are.
    signals: TempDir,
}

/// What a victim asks for.
pub(super) enum Asked {
    /// No disk of its own.
    Nothing,
    /// One that this machine can't have.
    Impossible,
    Disk(Disk),
}

/// The program, on a disk of its own if that is what is struck.
pub(super) fn on_its_own(
    program: Program,
    folder: &Path,
    victim: Victim,
) -> Result<(Program, Asked)> {
    let (script, disk): (&str, PathBuf) = match victim {
        Victim::JournalsDisk => (FULL, folder.join("state")),
        Victim::Disk => (FULL, folder.to_owned()),
        Victim::Power => (POWER, folder.to_owned()),
        _ => return Ok((program, Asked::Nothing)),
    };
    let Some(unshare) = private_mounts() else {
        return Ok((program, Asked::Impossible));
    };
    // In memory where there is such a place: images of disks are copied there.
    let memory = Path::new("/dev/shm");
    let signals = match memory.is_dir() {
        true => TempDir::new_in(memory)?,
        false => TempDir::new()?,
    };
    let shell = ["sh", "-c", script, "disk"];
    let program = program
        .through("unshare", &[&unshare[..], &shell].concat())
        .env("SOAK_DISK", disk)
        .env("SOAK_SIGNALS", signals.path());
    Ok((program, Asked::Disk(Disk { signals })))
}

impl Disk {
    /// Until the program begins.
    pub(super) fn wait_until_ready(&self, running: &mut Running) -> Result<()> {
        self.wait_for("ready", running)
    }

    /// Has it happen, unless the program is at its end.
    pub(super) fn strike(&self, running: &mut Running) -> Result<()> {
        fs::write(self.signals.path().join("strike"), "")?;
        self.wait_for("struck", running)
    }

    fn wait_for(&self, signal: &str, running: &mut Running) -> Result<()> {
        let give_up = Instant::now() + PATIENCE;
        while running.is_running() && !self.signals.path().join(signal).exists() {
            ensure!(Instant::now() < give_up, "the disk never says `{signal}`");
            sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    /// What it is like for services when the machine is back: they start, and read what
    /// their file has.
    pub(super) fn start_services(folder: &Path) -> Result<()> {
        let started = fs::copy(folder.join(".env"), folder.join("running"));
        started.context("no `.env`")?;
        Ok(())
    }
}
