//! One run of `gcloud`: the one place where this platform starts a process.

use std::io::{self, Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use secrecy::ExposeSecret as _;
use secret::SecretValue;
use xshell::Shell;
use zeroize::Zeroizing;

use super::Settings;
use crate::SECRET_VARIABLES;

/// What `gcloud` must do whatever the user's own configuration says: ask nothing,
/// write no log of arguments, print no requests, print its answer.
const ENVIRONMENT: [(&str, &str); 10] = [
    ("CLOUDSDK_CORE_DISABLE_PROMPTS", "1"),
    ("CLOUDSDK_CORE_DISABLE_FILE_LOGGING", "1"),
    ("CLOUDSDK_CORE_DISABLE_USAGE_REPORTING", "1"),
    ("CLOUDSDK_CORE_DISABLE_COLOR", "1"),
    ("CLOUDSDK_CORE_LOG_HTTP", "0"),
    ("CLOUDSDK_CORE_SHOW_STRUCTURED_LOGS", "never"),
    ("CLOUDSDK_CORE_USER_OUTPUT_ENABLED", "1"),
    ("CLOUDSDK_CORE_VERBOSITY", "warning"),
    ("CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK", "1"),
    ("CLOUDSDK_SURVEY_DISABLE_PROMPTS", "1"),
];

const POLL: Duration = Duration::from_millis(20);

/// Room for a value's answer: a buffer that grew would leave a copy behind.
const ROOM: usize = 256 * 1024;

/// A run to be made.
pub(super) struct Run {
    pub(super) words: Vec<String>,
    /// What it reads on standard input.
    pub(super) input: Option<SecretValue>,
    pub(super) limit: Duration,
}

/// How a run ended.
pub(super) enum Ended {
    /// By itself.
    Exited(Output),
    /// It took too long, and was killed.
    Killed,
}

/// What a run printed.
pub(super) struct Output {
    pub(super) status: ExitStatus,
    /// It may hold a value.
    pub(super) stdout: Zeroizing<Vec<u8>>,
    pub(super) stderr: Zeroizing<Vec<u8>>,
}

/// Kills the run when the future that waits for it is dropped.
struct Abandon(Arc<AtomicBool>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Run {
    /// Runs it to its end, in a thread where it may block.
    pub(super) async fn run(self, settings: &Settings) -> io::Result<Ended> {
        let command = self.command(settings)?;
        let is_abandoned = Arc::new(AtomicBool::new(false));
        let _abandon = Abandon(Arc::clone(&is_abandoned));
        let task = tokio::task::spawn_blocking(move || self.run_blocking(command, &is_abandoned));
        task.await
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
    }

    fn command(&self, settings: &Settings) -> io::Result<Command> {
        let shell = Shell::new().map_err(io::Error::other)?;
        let mut command = shell.cmd(&settings.gcloud).args(&self.words);
        for name in SECRET_VARIABLES {
            command = command.env_remove(name);
        }
        for (name, value) in ENVIRONMENT {
            command = command.env(name, value);
        }
        for (name, value) in &settings.environment {
            command = command.env(name, value);
        }
        let mut command = Command::from(command);
        // A group of its own: Ctrl-C is for this program, which ends the child itself.
        command.process_group(0);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let has_input = self.input.is_some();
        command.stdin(if has_input {
            Stdio::piped()
        } else {
            Stdio::null()
        });
        Ok(command)
    }

    fn run_blocking(self, mut command: Command, is_abandoned: &AtomicBool) -> io::Result<Ended> {
        let mut child = command.spawn()?;
        feed(&mut child, self.input);
        let stdout = drain(child.stdout.take());
        let stderr = drain(child.stderr.take());
        let Some(status) = wait(&mut child, self.limit, is_abandoned)? else {
            return Ok(Ended::Killed);
        };
        Ok(Ended::Exited(Output {
            status,
            stdout: joined(stdout)?,
            stderr: joined(stderr)?,
        }))
    }
}

/// Writes the input in a thread of its own: the child may end without reading it.
#[expect(
    clippy::disallowed_methods,
    reason = "the standard input of `gcloud` is the one way for a value to the store"
)]
fn feed(child: &mut Child, input: Option<SecretValue>) {
    if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
        std::thread::spawn(move || {
            // A child that doesn't want it says so by its status.
            let _ = stdin.write_all(input.expose_secret());
        });
    }
}

type Drained = JoinHandle<io::Result<Zeroizing<Vec<u8>>>>;

fn drain(pipe: Option<impl Read + Send + 'static>) -> Drained {
    std::thread::spawn(move || {
        let mut bytes = Zeroizing::new(Vec::with_capacity(ROOM));
        if let Some(mut pipe) = pipe {
            pipe.read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    })
}

fn joined(drained: Drained) -> io::Result<Zeroizing<Vec<u8>>> {
    drained
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Waits until it ends; nothing where it had to be killed.
fn wait(
    child: &mut Child,
    limit: Duration,
    is_abandoned: &AtomicBool,
) -> io::Result<Option<ExitStatus>> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if started.elapsed() >= limit || is_abandoned.load(Ordering::Relaxed) {
            kill(child)?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(POLL);
    }
}

/// The settings may name a script around `gcloud`, which starts it as another process: that
/// would go on, and might yet make a change that was looked for in vain.
fn kill(child: &mut Child) -> io::Result<()> {
    // One that has just ended has no group any more.
    let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
    child.kill()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(words: &[&str]) -> Run {
        Run {
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            input: None,
            limit: Duration::from_millis(300),
        }
    }

    fn settings(program: &str) -> Settings {
        Settings {
            project: "p1".to_owned(),
            region: "us-central1".to_owned(),
            instance: None,
            gcloud: program.into(),
            timeouts: super::super::Timeouts::default(),
            environment: vec![("FOR_TESTS".to_owned(), "1".to_owned())],
        }
    }

    #[test]
    fn a_child_gets_no_variable_that_may_hold_a_secret_and_asks_nothing() {
        let command = run(&["version"]).command(&settings("gcloud")).unwrap();
        let changed: Vec<_> = command.get_envs().collect();
        for name in SECRET_VARIABLES {
            assert!(changed.contains(&(name.as_ref(), None)), "{name}");
        }
        for (name, value) in ENVIRONMENT.into_iter().chain([("FOR_TESTS", "1")]) {
            assert!(
                changed.contains(&(name.as_ref(), Some(value.as_ref()))),
                "{name}"
            );
        }
    }

    #[tokio::test]
    async fn it_is_killed_after_its_time() {
        let started = Instant::now();
        let ended = run(&["30"]).run(&settings("sleep")).await.unwrap();
        assert!(matches!(ended, Ended::Killed));
        assert!(started.elapsed() < Duration::from_secs(20));
    }

    #[tokio::test]
    async fn what_it_started_is_killed_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let late = folder.path().join("late");
        let script = format!("(sleep 1; touch {}) & wait", late.display());
        let ended = run(&["-c", &script]).run(&settings("sh")).await.unwrap();
        assert!(matches!(ended, Ended::Killed));
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert!(!late.exists());
    }

    #[tokio::test]
    async fn it_reads_its_input_byte_for_byte() {
        let run = Run {
            input: Some(SecretValue::from(b"hunter2\r\n\0\xff".as_slice())),
            limit: Duration::from_secs(20),
            ..run(&[])
        };
        let Ended::Exited(output) = run.run(&settings("cat")).await.unwrap() else {
            panic!("killed");
        };
        assert_eq!(output.stdout.as_slice(), b"hunter2\r\n\0\xff");
    }
}
