//! The program at a terminal, which `script` makes; what is typed comes through a named pipe,
//! when the question for it has been shown.
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Result;
use integration_tests::{Output, Program, Running};

use super::sandbox::{Sandbox, assert_none_in};

/// The program at a terminal.
pub(crate) struct Seated {
    pub(crate) running: Running,
    keyboard: PathBuf,
    /// What it must not show.
    secrets: Vec<String>,
}

impl Seated {
    /// Starts a command in the sandbox's folder.
    pub(crate) fn at(sandbox: &Sandbox, command: &str) -> Result<Seated> {
        Seated::with(sandbox, command, |shell| shell, sandbox.secrets()?)
    }

    /// The same with another environment, and with other secrets.
    pub(crate) fn with(
        sandbox: &Sandbox,
        command: &str,
        environment: impl FnOnce(Program) -> Program,
        secrets: Vec<String>,
    ) -> Result<Seated> {
        Seated::on_screen(sandbox, command, None, environment, secrets)
    }

    /// The same at a terminal with so many columns and rows.
    pub(crate) fn on_screen(
        sandbox: &Sandbox,
        command: &str,
        size: Option<(usize, usize)>,
        environment: impl FnOnce(Program) -> Program,
        secrets: Vec<String>,
    ) -> Result<Seated> {
        let resized = size.map(|(columns, rows)| format!("stty cols {columns} rows {rows} && "));
        let resized = resized.unwrap_or_default();
        let program = env!("CARGO_BIN_EXE_xtask-under-test");
        let line = format!("{resized}exec env --default-signal=HUP '{program}' {command}");
        Seated::started(sandbox, &line, environment, secrets)
    }

    /// The same with words of a shell that start the program, among others.
    pub(crate) fn through(
        sandbox: &Sandbox,
        words: &str,
        environment: impl FnOnce(Program) -> Program,
        secrets: Vec<String>,
    ) -> Result<Seated> {
        let line = format!("exec env --default-signal=HUP {words}");
        Seated::started(sandbox, &line, environment, secrets)
    }

    /// Under `nohup` the tests would hand on that nobody minds a closed terminal: the line
    /// takes that back.
    fn started(
        sandbox: &Sandbox,
        line: &str,
        environment: impl FnOnce(Program) -> Program,
        secrets: Vec<String>,
    ) -> Result<Seated> {
        let keyboard = sandbox.home().join("keyboard");
        // Open for both, so that neither side waits for the other.
        let script = r#"rm -f "$KEYBOARD" && mkfifo "$KEYBOARD" && exec 3<>"$KEYBOARD" && exec script -qefc "$COMMAND" /dev/null <&3"#;
        let shell = Program::xtask("/bin/sh")
            .args(["-c", script])
            .env("KEYBOARD", &keyboard)
            .env("COMMAND", line)
            .env("SHELL", "/bin/sh")
            .env("TERM", "xterm")
            .env("HOME", sandbox.home())
            .current_dir(sandbox.folder());
        Ok(Seated {
            running: environment(shell).spawn(),
            keyboard,
            secrets,
        })
    }

    /// Waits for a question and types the answer.
    pub(crate) fn answer(&mut self, question: &str, text: &str) -> Result<()> {
        self.running.wait_for(question);
        let mut keyboard = OpenOptions::new().write(true).open(&self.keyboard)?;
        Ok(keyboard.write_all(text.as_bytes())?)
    }

    /// Waits for its end, and looks that it showed no secret.
    pub(crate) fn wait(self, sandbox: &Sandbox) -> Result<Output> {
        let secrets = self.secrets.clone();
        let output = self.wait_without(&secrets)?;
        // Those that it has made.
        assert_none_in(&output, &sandbox.secrets()?);
        Ok(output)
    }

    /// The same with other secrets.
    pub(crate) fn wait_without(self, secrets: &[String]) -> Result<Output> {
        let output = self.running.wait();
        assert_none_in(&output, &self.secrets);
        assert_none_in(&output, secrets);
        Ok(output)
    }
}
