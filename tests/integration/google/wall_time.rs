//! How long the rotation of a client's secret takes, and how much of that no `gcloud` runs,
//! beside the calls of the hand procedure made one after another.
//!
//! Only `TEST_GCLOUD=cold` measures what an operator has; otherwise `gcloud` is loaded once.
#![expect(clippy::print_stderr, reason = "what was measured is said")]

use std::fs;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Result;
use integration_tests::issuer::TestIssuer;

use super::client_secrets::{SSO, installation};
use super::installation::{AGENT, HANDLER, Installation};
use super::lab::gcloud;

/// How often the children are looked at.
const POLL: Duration = Duration::from_millis(1);
/// What of a rotation may be this program's own.
const MOST_IDLE: f64 = 0.05;
/// What the hand procedure slept after its restarts.
const SLEEP: Duration = Duration::from_secs(10);

struct Measured {
    calls: usize,
    took: Duration,
    /// How long no `gcloud` ran.
    idle: Duration,
}

impl Measured {
    fn idle_share(&self) -> f64 {
        self.idle.as_secs_f64() / self.took.as_secs_f64()
    }

    fn told(&self) -> String {
        format!(
            "{} calls of gcloud in {:.1} s, of which none ran for {:.1} %",
            self.calls,
            self.took.as_secs_f64(),
            100.0 * self.idle_share()
        )
    }
}

/// Runs the program, and sees that it succeeds.
fn measured(installation: &Installation, arguments: &[&str]) -> Measured {
    let calls = installation.google.calls();
    let began = Instant::now();
    let running = installation.program(arguments).spawn();
    let idle = Idle::of(running.pid());
    let output = running.wait();
    let took = began.elapsed();
    assert_eq!(output.code, Some(0), "{output:?}");
    Measured {
        calls: installation.google.calls() - calls,
        took,
        idle: idle.end(),
    }
}

/// Adds up the time in which a process has no child that runs.
struct Idle {
    is_over: Arc<AtomicBool>,
    watching: JoinHandle<Duration>,
}

impl Idle {
    fn of(pid: u32) -> Idle {
        let is_over = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&is_over);
        let watching = thread::spawn(move || {
            let mut idle = Duration::ZERO;
            while !until.load(Ordering::Relaxed) {
                let since = Instant::now();
                let is_idle = !has_running_child(pid);
                thread::sleep(POLL);
                if is_idle {
                    idle += since.elapsed();
                }
            }
            idle
        });
        Idle { is_over, watching }
    }

    fn end(self) -> Duration {
        self.is_over.store(true, Ordering::Relaxed);
        self.watching
            .join()
            .unwrap_or_else(|panic| resume_unwind(panic))
    }
}

/// One that has ended and is only waited for runs no more.
fn has_running_child(pid: u32) -> bool {
    let tasks = fs::read_dir(format!("/proc/{pid}/task"));
    tasks.into_iter().flatten().flatten().any(|task| {
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        let mut children = children.split_whitespace();
        children.any(|child| {
            let told = fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
            let state = told.rsplit_once(") ").map(|(_, rest)| rest.chars().next());
            state.flatten().is_some_and(|state| state != 'Z')
        })
    })
}

/// The hand procedure's own calls of `gcloud`, one after another. Its restarts have a flag
/// here, without which they are refused.
async fn by_hand(installation: &Installation) -> Result<(usize, Duration)> {
    let value = format!(
        "--data-file={}",
        installation.folder().join("new").display()
    );
    let variable = SSO.variable;
    let bind = format!("--update-secrets={variable}={}:latest", SSO.secret);
    let first = "--format=value(status.conditions[0].status)";
    let calls: [&[&str]; 7] = [
        &["secrets", "versions", "add", SSO.secret, &value],
        &["secrets", "versions", "list", SSO.secret, "--limit=3"],
        &["run", "services", "update", AGENT, &bind],
        &["run", "services", "update", HANDLER, &bind],
        &["run", "services", "describe", AGENT, first],
        &["run", "services", "describe", HANDLER, first],
        &[
            "run",
            "services",
            "describe",
            AGENT,
            "--format=value(status.url)",
        ],
    ];
    let began = Instant::now();
    for words in calls {
        let (done, printed) = gcloud(&installation.config, words).await?;
        assert!(done, "{words:?}: {printed}");
    }
    Ok((calls.len(), began.elapsed()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_s_secret_beside_the_hand_procedure() -> Result<()> {
    let issuer = TestIssuer::start().await;
    let (Some(ours), Some(theirs)) = (installation(&issuer).await?, installation(&issuer).await?)
    else {
        return Ok(());
    };
    let rotate = ["rotate-secret", SSO.secret, "--value-file", "new"];
    let forward = measured(&ours, &rotate);
    let back = measured(&ours, &["rollback", &ours.run_name()?]);
    let (calls, took) = by_hand(&theirs).await?;
    assert_eq!(theirs.states(), ["ENABLED", "ENABLED"]);

    let is_cold = std::env::var_os("TEST_GCLOUD").is_some_and(|value| value == "cold");
    eprintln!(
        "a client's secret on Google Cloud, two services, gcloud {}:\n  the rotation: {}\n  \
         its way back: {}\n  the hand procedure: {calls} calls in {:.1} s, and {} s of sleep",
        if is_cold {
            "started anew for every call"
        } else {
            "loaded once"
        },
        forward.told(),
        back.told(),
        took.as_secs_f64(),
        SLEEP.as_secs()
    );
    // A `gcloud` that is loaded already is done too soon for a share to mean anything.
    for measured in [forward, back] {
        let share = measured.idle_share();
        assert!(!is_cold || share < MOST_IDLE, "{share}");
    }
    Ok(())
}
