//! A process, measured from outside: its time from start to end, and its peak memory.
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

/// Often enough to see the peak, seldom enough not to be measured itself.
const POLL_INTERVAL: Duration = Duration::from_millis(4);

/// One run of a process.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) time: Duration,
    /// What Linux calls VmHWM; zero elsewhere.
    pub(crate) peak_kb: u64,
    pub(crate) stdout: String,
}

/// Runs a program to its good end.
#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark of whole processes starts them"
)]
pub(crate) fn run(
    program: &Path,
    arguments: &[&str],
    environment: &[(&str, String)],
    input: &str,
) -> Result<Measured> {
    let mut command = Command::new(program);
    command.args(arguments).env_clear();
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let began = Instant::now();
    let mut child = command.spawn()?;
    let pid = child.id();
    let peak = thread::spawn(move || peak_kb(pid));
    child
        .stdin
        .take()
        .context("no standard input")?
        .write_all(input.as_bytes())?;
    let output = child.wait_with_output()?;
    let time = began.elapsed();
    ensure!(
        output.status.success(),
        "{}: {}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(Measured {
        time,
        peak_kb: peak.join().unwrap_or_default(),
        stdout: String::from_utf8(output.stdout)?,
    })
}

/// Polled to the end: the last value before it is the peak.
fn peak_kb(pid: u32) -> u64 {
    let mut peak_kb = 0;
    while let Some(now_kb) = high_water_mark_kb(pid) {
        peak_kb = now_kb.max(peak_kb);
        thread::sleep(POLL_INTERVAL);
    }
    peak_kb
}

/// None when the process has ended.
fn high_water_mark_kb(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// The one in the middle; of an even number, the slower of the two.
pub(crate) fn median<T: Copy + Ord>(values: impl Iterator<Item = T>) -> Option<T> {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}
