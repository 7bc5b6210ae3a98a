//! The program with its surroundings; whatever it prints is searched for secrets.
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use integration_tests::{Output, Program, Running};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::subject::{FOREIGN, NEW, OLD, OLDER, Subject};

/// Pieces of secrets that no output may hold, whatever a test does: the keys of all
/// tests, how a token begins, and the plaintexts of made-up and recorded clients.
const NEVER_PRINTED: [&str; 10] = [
    "gAAAA",
    "EREREREREREREREREREREU",
    "IiIiIiIiIiIiIiIiIiIiInh",
    "MzMzMzMzMzMzMzMzMzMzM2l",
    "RERERERERERERERERERERB4",
    "made-up-secret",
    "made-up-registration",
    "hunter2",
    "plaintext-secret",
    "not-a-token",
];

/// A run of the program to be.
#[derive(Clone)]
pub(super) struct Xtask {
    program: Program,
    secrets: Vec<String>,
}

/// A run that is over.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) code: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// A run that goes on.
pub(super) struct Started {
    pub(super) running: Running,
    secrets: Vec<String>,
}

impl Xtask {
    /// A command with nothing in its environment.
    pub(super) fn new(command: &str) -> Xtask {
        Xtask::by(Program::xtask(env!("CARGO_BIN_EXE_xtask-under-test"))).arg(command)
    }

    /// Without a command, or by way of another program.
    pub(super) fn by(program: Program) -> Xtask {
        let secrets = NEVER_PRINTED.into_iter().chain([OLD, NEW, OLDER, FOREIGN]);
        Xtask {
            program,
            secrets: secrets.map(str::to_owned).collect(),
        }
    }

    /// A command on a database, with the two keys: the three variables that the
    /// script had.
    pub(super) fn on(command: &str, subject: &Subject) -> Xtask {
        Xtask::at(command, &subject.url())
    }

    /// The same with a URL.
    pub(super) fn at(command: &str, url: &str) -> Xtask {
        Xtask::new(command).with_keys().env("DATABASE_URL", url)
    }

    /// Both keys, in the environment.
    pub(super) fn with_keys(self) -> Xtask {
        self.env("DCR_OLD_KEY", OLD).env("DCR_NEW_KEY", NEW)
    }

    pub(super) fn arg(mut self, argument: impl Into<OsString>) -> Xtask {
        self.program = self.program.arg(argument);
        self
    }

    pub(super) fn args(mut self, arguments: &[&str]) -> Xtask {
        self.program = self.program.args(arguments);
        self
    }

    /// Sets a variable. What is secret about it must not be printed.
    pub(super) fn env(mut self, name: &str, value: &str) -> Xtask {
        self.program = self.program.env(name, value);
        match name {
            "DCR_OLD_KEY" | "DCR_NEW_KEY" => self.secret(value),
            "DATABASE_URL" => passwords(value)
                .iter()
                .fold(self, |this, it| this.secret(it)),
            _ => self,
        }
    }

    /// Sets the standard input, which must not be printed.
    pub(super) fn stdin(mut self, text: &str) -> Xtask {
        self.program = self.program.stdin(text);
        self.secret(text)
    }

    pub(super) fn current_dir(mut self, folder: &Path) -> Xtask {
        self.program = self.program.current_dir(folder);
        self
    }

    /// A text that must not be printed. A short one might be a word by chance.
    pub(super) fn secret(mut self, text: &str) -> Xtask {
        let text = text.trim();
        if text.len() >= 6 {
            self.secrets.push(text.to_owned());
        }
        self
    }

    /// Runs it to its end.
    pub(super) fn run(&self) -> Ended {
        assert_no_secret_in(self.program.run(), &self.secrets)
    }

    /// Starts it.
    pub(super) fn spawn(&self) -> Started {
        Started {
            running: self.program.spawn(),
            secrets: self.secrets.clone(),
        }
    }
}

impl Started {
    /// Waits for its end.
    pub(super) fn wait(self) -> Ended {
        assert_no_secret_in(self.running.wait(), &self.secrets)
    }
}

impl Ended {
    /// The one object on standard output, where nothing else may be.
    pub(super) fn json(&self) -> Result<Value> {
        let line = self.stdout.strip_suffix('\n').context("no line")?;
        assert!(!line.contains('\n'), "more than a line: {self:?}");
        let value: Value = serde_json::from_str(line)?;
        assert!(value.is_object(), "no object: {line}");
        Ok(value)
    }

    /// Both streams, each under its name, for a snapshot.
    pub(super) fn streams(&self) -> String {
        let code = self
            .code
            .map_or_else(|| "none".to_owned(), |code| code.to_string());
        let (stdout, stderr) = (&self.stdout, &self.stderr);
        format!("exit code {code}\n--- stdout\n{stdout}--- stderr\n{stderr}")
    }
}

/// Fails without showing what was printed if a secret is in it.
fn assert_no_secret_in(output: Output, secrets: &[String]) -> Ended {
    for (number, secret) in secrets.iter().enumerate() {
        for (name, stream) in [("output", &output.stdout), ("error", &output.stderr)] {
            assert!(
                !stream.contains(secret.as_str()),
                "secret {number} of this test is in standard {name}"
            );
        }
    }
    assert_eq!(output.signal, None, "{output:?}");
    Ended {
        code: output.code,
        stdout: output.stdout,
        stderr: output.stderr,
    }
}

/// What stands between a URL's user and its host, as it is written and decoded.
fn passwords(url: &str) -> Vec<String> {
    let login = url
        .split_once("://")
        .and_then(|(_, rest)| rest.rsplit_once('@'));
    let password = login.and_then(|(login, _)| login.split_once(':'));
    password.map_or_else(Vec::new, |(_, password)| {
        let decoded = percent_decode_str(password)
            .decode_utf8_lossy()
            .into_owned();
        vec![password.to_owned(), decoded]
    })
}

/// A file that only its owner may read.
pub(super) fn key_file(folder: &Path, name: &str, text: &str) -> Result<PathBuf> {
    let path = folder.join(name);
    fs::write(&path, text)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    Ok(path)
}
