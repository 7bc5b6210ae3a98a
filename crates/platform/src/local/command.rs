//! Commands of the settings: the one place where this platform starts a process.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use xshell::Shell;

use crate::{Error, SECRET_VARIABLES};

const POLL: Duration = Duration::from_millis(20);

/// A command of a service's settings.
#[derive(Clone, Debug)]
pub(super) struct ServiceCommand {
    pub(super) service: String,
    /// `restart` or `ready`.
    pub(super) purpose: &'static str,
    /// The program and its arguments.
    pub(super) words: Vec<String>,
    /// The variables that the service has from its file: one that this program
    /// has too would take precedence over the file's in docker compose.
    pub(super) withheld: Vec<String>,
    /// Whether what it prints is for people to see.
    pub(super) is_shown: bool,
}

impl ServiceCommand {
    /// Runs it to its end, in a thread where it may block.
    pub(super) async fn run(self, limit: Duration) -> Result<ExitStatus, Error> {
        let task = tokio::task::spawn_blocking(move || self.run_blocking(limit));
        task.await
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
    }

    /// How it failed.
    pub(super) fn failed(&self, status: ExitStatus) -> Error {
        Error::CommandFailed {
            service: self.service.clone(),
            purpose: self.purpose,
            program: self.program(),
            status,
        }
    }

    /// Sees that the program is there, before anything depends on it.
    pub(super) fn check(&self) -> Result<(), Error> {
        let program = self.program();
        let is_there = if program.contains('/') {
            is_executable(Path::new(&program))
        } else {
            std::env::var_os("PATH").is_some_and(|path| {
                std::env::split_paths(&path).any(|folder| is_executable(&folder.join(&program)))
            })
        };
        if is_there {
            return Ok(());
        }
        Err(Error::CommandNotStarted {
            service: self.service.clone(),
            purpose: self.purpose,
            program,
            source: io::ErrorKind::NotFound.into(),
        })
    }

    fn program(&self) -> String {
        self.words.first().cloned().unwrap_or_default()
    }

    fn run_blocking(&self, limit: Duration) -> Result<ExitStatus, Error> {
        let not_started = |source| Error::CommandNotStarted {
            service: self.service.clone(),
            purpose: self.purpose,
            program: self.program(),
            source,
        };
        let mut child = self.start().map_err(not_started)?;
        match wait(&mut child, limit).map_err(not_started)? {
            Some(status) => Ok(status),
            None => Err(Error::CommandTimeout {
                service: self.service.clone(),
                purpose: self.purpose,
                program: self.program(),
                limit,
            }),
        }
    }

    fn start(&self) -> io::Result<Child> {
        let mut command = self.command()?;
        // In a group of its own, Ctrl-C on the terminal is ours alone: a restart is
        // never cut off in its middle.
        command.stdin(Stdio::null()).process_group(0);
        if self.is_shown {
            // This program's standard output is for data.
            command.stdout(io::stderr()).stderr(Stdio::inherit());
        } else {
            command.stdout(Stdio::null()).stderr(Stdio::null());
        }
        command.spawn()
    }

    fn command(&self) -> io::Result<Command> {
        let Some((program, arguments)) = self.words.split_first() else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no command"));
        };
        let shell = Shell::new().map_err(io::Error::other)?;
        let mut command = shell.cmd(program).args(arguments);
        let ours = self.withheld.iter().map(String::as_str);
        for name in SECRET_VARIABLES.into_iter().chain(ours) {
            command = command.env_remove(name);
        }
        Ok(Command::from(command))
    }
}

fn is_executable(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// Waits until it ends; nothing where it had to be killed.
fn wait(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if started.elapsed() >= limit {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(POLL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(words: &[&str]) -> ServiceCommand {
        ServiceCommand {
            service: "handler".to_owned(),
            purpose: "restart",
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            withheld: vec!["DCR_ENCRYPTION_KEY".to_owned()],
            is_shown: false,
        }
    }

    #[test]
    fn a_child_gets_no_variable_that_may_hold_a_secret() {
        let command = command(&["true"]).command().unwrap();
        let changed: Vec<_> = command.get_envs().collect();
        for name in SECRET_VARIABLES.iter().chain(&["DCR_ENCRYPTION_KEY"]) {
            assert!(changed.contains(&(name.as_ref(), None)), "{name}");
        }
    }

    #[tokio::test]
    async fn an_error_names_the_program_and_not_its_arguments() {
        let missing = command(&["no-such-program", "hunter2"]);
        let error = missing.run(Duration::from_secs(9)).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "the restart command `no-such-program` of `handler` did not start"
        );
        assert!(!format!("{error:?}").contains("hunter2"));
        assert!(command(&[]).run(Duration::from_secs(9)).await.is_err());
    }
}
