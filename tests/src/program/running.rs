//! A program that runs.
use std::fs;
use std::io::{Read, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::Output;

const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// A started program. It is killed when this value is dropped before its end.
pub struct Running {
    child: Child,
    stdout: Stream,
    stderr: Stream,
    timeout: Duration,
    give_up: Instant,
}

/// What came out of one pipe so far.
struct Stream {
    text: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Running {
    pub(super) fn new(mut child: Child, input: Vec<u8>, timeout: Duration) -> Self {
        let stdin = child.stdin.take();
        // A thread of its own: the program may print much before it reads.
        thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(&input)));
        Self {
            stdout: Stream::new(child.stdout.take()),
            stderr: Stream::new(child.stderr.take()),
            child,
            timeout,
            give_up: Instant::now() + timeout,
        }
    }

    /// Its process number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once, as a power cut would; [`wait`](Self::wait) still tells what it said.
    ///
    /// # Panics
    ///
    /// If the system refuses.
    pub fn kill(&mut self) {
        self.child.kill().expect("a kill");
    }

    /// The same with the processes that it has started, and those that they have.
    ///
    /// # Panics
    ///
    /// If the system refuses.
    pub fn kill_with_children(&mut self) {
        // Or it would start another one meanwhile. It may have ended by itself, as they may.
        let _ = kill_process(Pid::from_child(&self.child), Signal::STOP);
        let children = children_of(self.pid());
        self.kill();
        for child in children {
            let _ = kill_process(child, Signal::KILL);
        }
    }

    /// What it has printed on standard error so far.
    pub fn said_on_stderr(&self) -> String {
        self.stderr.text()
    }

    /// Sends it a signal, such as `Signal::INT` for Ctrl-C.
    ///
    /// # Panics
    ///
    /// If it has been waited for.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("a signal");
    }

    /// Whether it hasn't ended.
    ///
    /// # Panics
    ///
    /// If the system can't tell.
    pub fn is_running(&mut self) -> bool {
        self.status().is_none()
    }

    /// Waits until a text stands in what it printed, on either stream.
    ///
    /// # Panics
    ///
    /// If it ends, or its time is up, without that.
    pub fn wait_for(&mut self, text: &str) {
        loop {
            // In this order, or the last words of a program that ends would be missed.
            let ended = self.status().is_some() && self.has_said_all();
            if self.stdout.text().contains(text) || self.stderr.text().contains(text) {
                return;
            }
            assert!(!ended, "it never said `{text}`:\n{}", self.said());
            self.kill_if_late();
            thread::sleep(POLL_INTERVAL);
        }
    }

    /// Waits for its end.
    ///
    /// # Panics
    ///
    /// If its time is up first; it is killed then.
    pub fn wait(mut self) -> Output {
        loop {
            if let Some(status) = self.status() {
                while !self.has_said_all() {
                    // A child of its own may hold the pipes.
                    self.kill_if_late();
                    thread::sleep(POLL_INTERVAL);
                }
                return Output {
                    code: status.code(),
                    signal: status.signal(),
                    stdout: self.stdout.text(),
                    stderr: self.stderr.text(),
                };
            }
            self.kill_if_late();
            thread::sleep(POLL_INTERVAL);
        }
    }

    fn status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("its status")
    }

    fn has_said_all(&self) -> bool {
        self.stdout.reader.is_finished() && self.stderr.reader.is_finished()
    }

    fn said(&self) -> String {
        let (stdout, stderr) = (self.stdout.text(), self.stderr.text());
        format!("--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }

    fn kill_if_late(&mut self) {
        if Instant::now() > self.give_up {
            let _ = self.child.kill();
            panic!("not done within {:?}:\n{}", self.timeout, self.said());
        }
    }
}

/// The processes below one. Other systems than Linux don't tell.
fn children_of(pid: u32) -> Vec<Pid> {
    let mut found = Vec::new();
    let tasks = fs::read_dir(format!("/proc/{pid}/task"));
    for task in tasks.into_iter().flatten().flatten() {
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        for child in children.split_whitespace().flat_map(str::parse::<u32>) {
            found.extend(i32::try_from(child).ok().and_then(Pid::from_raw));
            found.extend(children_of(child));
        }
    }
    found
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Stream {
    fn new(pipe: Option<impl Read + Send + 'static>) -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&text);
        let reader = thread::spawn(move || {
            let Some(mut pipe) = pipe else { return };
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = pipe.read(&mut buffer) {
                let mut written = written.lock().unwrap_or_else(PoisonError::into_inner);
                written.extend_from_slice(&buffer[..length]);
            }
        });
        Self { text, reader }
    }

    fn text(&self) -> String {
        let text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&text).into_owned()
    }
}
