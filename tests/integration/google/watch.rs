//! What any user of the machine can see of a program's children while they run.
use std::collections::BTreeSet;
use std::fs;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Much shorter than the shortest run of `gcloud`.
const POLL: Duration = Duration::from_millis(10);

/// Looks at the children, and their children, until it is ended.
pub(super) struct Watch {
    is_over: Arc<AtomicBool>,
    watching: JoinHandle<BTreeSet<String>>,
}

impl Watch {
    pub(super) fn children_of(pid: u32) -> Watch {
        let is_over = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&is_over);
        let watching = thread::spawn(move || {
            let mut seen = BTreeSet::new();
            while !until.load(Ordering::Relaxed) {
                look(pid, &mut seen);
                thread::sleep(POLL);
            }
            seen
        });
        Watch { is_over, watching }
    }

    /// The arguments and environments that were seen.
    pub(super) fn end(self) -> String {
        self.is_over.store(true, Ordering::Relaxed);
        let seen = self
            .watching
            .join()
            .unwrap_or_else(|panic| resume_unwind(panic));
        let seen: String = seen.into_iter().collect();
        // Or nothing was watched at all. Other systems have no such files.
        assert!(seen.contains("--project=p1") || cfg!(not(target_os = "linux")));
        seen
    }
}

/// What ends meanwhile has no files any more: that is no error.
fn look(pid: u32, seen: &mut BTreeSet<String>) {
    let tasks = fs::read_dir(format!("/proc/{pid}/task"));
    for task in tasks.into_iter().flatten().flatten() {
        let children = fs::read_to_string(task.path().join("children"));
        for child in children.unwrap_or_default().split_whitespace() {
            for file in ["cmdline", "environ"] {
                let bytes = fs::read(format!("/proc/{child}/{file}")).unwrap_or_default();
                seen.insert(String::from_utf8_lossy(&bytes).into_owned());
            }
            if let Ok(child) = child.parse() {
                look(child, seen);
            }
        }
    }
}
