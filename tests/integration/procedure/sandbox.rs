//! A folder with what an installation on one machine has, and the program run in it.
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use integration_tests::{Output, Program};
use secret::FernetKey;
use serde_json::Value;
use tempfile::TempDir;

use super::tree::Tree;

/// What stands in no output, whatever a test does: how a token begins, and plaintexts.
const NEVER_PRINTED: [&str; 3] = ["gAAAA", "made-up-secret", "made-up-registration"];

/// The settings of [`Sandbox::with_clients`]: the service is restarted by a script, which a
/// file named `broken` makes fail.
pub(crate) const RESTART: &str = "[local.handler]\nrestart = [\"sh\", \"restart.sh\"]\n";

/// Who is told: a window can't be announced to nobody.
pub(crate) const CONTACTS: &str = "[contacts]\nusers = \"u\"\non_call = \"o\"\nincidents = \"i\"\n\
                        red_hat_sso = \"r\"\ngma = \"g\"\n";

/// A folder of a test's own. Everything in it is relative, so that it can be copied.
pub(crate) struct Sandbox {
    holder: TempDir,
}

/// A version as it lies in the store's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) number: u64,
    pub(crate) state: String,
    pub(crate) value: String,
}

impl Sandbox {
    /// A `.env` with a key, an SQLite database with so many clients under it, and settings.
    pub(crate) async fn with_clients(count: u64) -> Result<Sandbox> {
        let sandbox = Sandbox::empty()?;
        let key = FernetKey::generate();
        reencrypt::sample::create_sqlite(&sandbox.path("clients.sqlite"), count, &key).await?;
        sandbox.write_env(&format!(
            "LOG_LEVEL=INFO\nDATABASE_URL=sqlite+aiosqlite:///clients.sqlite\nDCR_ENCRYPTION_KEY={}\n",
            *key.to_text()
        ))?;
        sandbox.write(
            "restart.sh",
            "echo restarted >> restarts\ntest ! -e broken\n",
        )?;
        sandbox.settings("", RESTART)?;
        Ok(sandbox)
    }

    pub(crate) fn empty() -> Result<Sandbox> {
        // In memory where there is such a place: hundreds of runs sync their journals.
        let memory = Path::new("/dev/shm");
        let holder = match memory.is_dir() {
            true => TempDir::new_in(memory)?,
            false => TempDir::new()?,
        };
        fs::create_dir(holder.path().join("app"))?;
        fs::create_dir(holder.path().join("home"))?;
        Ok(Sandbox { holder })
    }

    /// Another one with the same files.
    pub(crate) fn copied(&self) -> Result<Sandbox> {
        let copy = Sandbox::empty()?;
        self.tree()?.write_to(&copy.folder())?;
        Ok(copy)
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.holder.path().join("app")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.holder.path().join("home")
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> Result<()> {
        Ok(fs::write(self.path(name), text)?)
    }

    pub(crate) fn read(&self, name: &str) -> Result<String> {
        fs::read_to_string(self.path(name)).with_context(|| name.to_owned())
    }

    pub(crate) fn write_env(&self, text: &str) -> Result<()> {
        self.write(".env", text)?;
        fs::set_permissions(self.path(".env"), fs::Permissions::from_mode(0o600))?;
        Ok(())
    }

    /// Writes `rotation.toml`: settings that stand before the first table, and tables.
    pub(crate) fn settings(&self, top: &str, tables: &str) -> Result<()> {
        let text =
            format!("platform = \"local\"\nstate_dir = \"state\"\n{top}\n{tables}\n{CONTACTS}");
        self.write("rotation.toml", &text)
    }

    /// Everything in the folder.
    pub(crate) fn tree(&self) -> Result<Tree> {
        Tree::read(&self.folder())
    }

    /// The value of the key in `.env`.
    pub(crate) fn env_key(&self) -> Result<String> {
        let text = self.read(".env")?;
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix("DCR_ENCRYPTION_KEY="));
        Ok(value.context("no key in .env")?.to_owned())
    }

    /// The versions in the store, the oldest first; none where there is no store.
    pub(crate) fn stored(&self) -> Result<Vec<Stored>> {
        self.stored_as(".rotation/dcr-encryption-key")
    }

    pub(crate) fn stored_as(&self, folder: &str) -> Result<Vec<Stored>> {
        let index = format!("{folder}/versions.json");
        if !self.path(&index).is_file() {
            return Ok(Vec::new());
        }
        let index: Value = serde_json::from_str(&self.read(&index)?)?;
        let versions = index["versions"].as_array().context("versions")?;
        let stored = |version: &Value| {
            let number = version["number"].as_u64().context("a number")?;
            let state = version["state"].as_str().context("a state")?.to_owned();
            let value = match state.as_str() {
                "destroyed" => String::new(),
                _ => self.read(&format!("{folder}/{number}.value"))?,
            };
            Ok(Stored {
                number,
                state,
                value,
            })
        };
        versions.iter().map(stored).collect()
    }

    /// The names of the runs, the oldest first.
    pub(crate) fn runs(&self) -> Result<Vec<String>> {
        let folder = self.path("state/runs");
        if !folder.exists() {
            return Ok(Vec::new());
        }
        let mut names = Vec::new();
        for entry in fs::read_dir(folder)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    /// The only run.
    pub(crate) fn run_name(&self) -> Result<String> {
        let mut names = self.runs()?;
        ensure!(names.len() == 1, "{names:?}");
        names.pop().context("a run")
    }

    /// The program with arguments, in this folder.
    pub(crate) fn program(&self, arguments: &[&str]) -> Program {
        self.at_home(Program::xtask(env!("CARGO_BIN_EXE_xtask-under-test")))
            .args(arguments)
    }

    /// A line of a shell in which `cargo xtask` is the program.
    pub(crate) fn shell(&self, line: &str) -> Program {
        let program = format!("'{}'", env!("CARGO_BIN_EXE_xtask-under-test"));
        let line = line.replace("cargo xtask", &program);
        self.at_home(Program::xtask("/bin/sh")).args(["-c", &line])
    }

    fn at_home(&self, program: Program) -> Program {
        program.env("HOME", self.home()).current_dir(self.folder())
    }

    /// Runs the program to its end, and looks that it printed no secret.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<Output> {
        self.checked(&self.program(arguments))
    }

    /// Runs a line of a shell, likewise.
    pub(crate) fn pasted(&self, line: &str) -> Result<Output> {
        self.checked(&self.shell(line))
    }

    pub(crate) fn checked(&self, program: &Program) -> Result<Output> {
        let mut secrets = self.secrets()?;
        let output = program.run();
        secrets.extend(self.secrets()?);
        assert_none_in(&output, &secrets);
        Ok(output)
    }

    /// The keys that there are: in `.env`, and in the store.
    pub(crate) fn secrets(&self) -> Result<Vec<String>> {
        let mut secrets: Vec<String> = self.env_key().into_iter().collect();
        secrets.extend(self.stored()?.into_iter().map(|version| version.value));
        secrets.retain(|secret| !secret.is_empty());
        Ok(secrets)
    }
}

/// Fails without showing what was printed if a secret is in it.
pub(crate) fn assert_none_in(output: &Output, secrets: &[String]) {
    let never = NEVER_PRINTED.iter().copied();
    for (number, secret) in never.chain(secrets.iter().map(String::as_str)).enumerate() {
        for (name, stream) in [("output", &output.stdout), ("error", &output.stderr)] {
            assert!(
                !stream.contains(secret),
                "secret {number} of this test is in standard {name}"
            );
        }
    }
}

/// That it ended with this code, saying each of these.
#[track_caller]
pub(crate) fn assert_said(output: &Output, code: i32, words: &[&str]) {
    assert_eq!(output.code, Some(code), "{output:#?}");
    for word in words {
        assert!(
            output.stdout.contains(word) || output.stderr.contains(word),
            "not said: `{word}`: {output:#?}"
        );
    }
}
