//! The program under test, run as a release engineer would run it.
mod running;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use crate::command::command;
pub use running::Running;

/// What of the test's own environment the program sees; the last is where coverage is written to,
/// which the program would do in the folder that it runs in.
const KEPT_VARIABLES: [&str; 4] = ["PATH", "HOME", "TMPDIR", "LLVM_PROFILE_FILE"];

/// A program with its arguments, environment and standard input.
///
/// The path of the one under test is known to the integration tests only:
/// `Program::xtask(env!("CARGO_BIN_EXE_xtask-under-test"))`.
#[derive(Clone)]
#[must_use]
pub struct Program {
    path: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    stdin: Vec<u8>,
    current_dir: Option<PathBuf>,
    timeout: Duration,
}

/// What a program did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// The exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// All of its standard output.
    pub stdout: String,
    /// All of its standard error.
    pub stderr: String,
}

impl Program {
    /// The binary under test, with no argument yet.
    pub fn xtask(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            stdin: Vec::new(),
            current_dir: None,
            timeout: Duration::from_secs(120),
        }
    }

    /// Adds an argument.
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds arguments.
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// The same, run by another program: what that is given to run stands after its own
    /// arguments.
    pub fn through(mut self, path: impl Into<PathBuf>, arguments: &[&str]) -> Self {
        let inner = std::mem::replace(&mut self.path, path.into());
        let arguments = arguments.iter().map(OsString::from);
        let inner = arguments.chain([inner.into_os_string()]);
        self.arguments = inner.chain(self.arguments).collect();
        self
    }

    /// Sets a variable. Of the others the program sees `PATH`, `HOME` and `TMPDIR` only.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Sets the standard input, which is empty otherwise.
    pub fn stdin(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.stdin = text.into();
        self
    }

    /// Sets the folder it runs in.
    pub fn current_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.current_dir = Some(folder.into());
        self
    }

    /// Sets how long it may take, two minutes otherwise.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Runs it to its end.
    ///
    /// # Panics
    ///
    /// If it can't be started, or takes too long.
    pub fn run(&self) -> Output {
        self.spawn().wait()
    }

    /// Starts it, to be watched and killed.
    ///
    /// # Panics
    ///
    /// If it can't be started.
    pub fn spawn(&self) -> Running {
        let mut command = command(&self.path);
        command.args(&self.arguments).env_clear();
        for name in KEPT_VARIABLES {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.envs(self.environment.iter().cloned());
        if let Some(folder) = &self.current_dir {
            command.current_dir(folder);
        }
        command.stdin(Stdio::piped());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().expect("the program did not start");
        Running::new(child, self.stdin.clone(), self.timeout)
    }
}
