//! The demonstration's folder: a `.env`, a database, settings, and what grows there.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use secret::{DatabaseUrl, FernetKey};

/// Says that a folder is a demonstration's, so that the next may replace it.
const MARKER: &str = "made-by-cargo-xtask-demo";
/// What a demonstration, or a program on its behalf, puts into its folder.
const FILES: [&str; 11] = [
    ".env",
    "clients.sqlite",
    "clients.sqlite-journal",
    "clients.sqlite-wal",
    "clients.sqlite-shm",
    "clients.sqlite.rotation-lock",
    "rotation.toml",
    "service.log",
    "service.pid",
    "service.ready",
    "service.starting",
];
const FOLDERS: [&str; 2] = [".rotation", "state"];

/// The demonstration's folder.
pub(super) struct Sandbox {
    folder: PathBuf,
}

impl Sandbox {
    /// The folder of a demonstration that was made before.
    pub(super) fn at(folder: &Path) -> Sandbox {
        Sandbox {
            folder: folder.to_owned(),
        }
    }

    /// Makes the folder, or replaces what an earlier demonstration made there.
    ///
    /// # Errors
    ///
    /// When it can't be made, or somebody else's files are in it.
    pub(super) async fn make(folder: &Path, clients: u64) -> anyhow::Result<Sandbox> {
        let sandbox = Sandbox::at(folder);
        let url = sandbox.url();
        DatabaseUrl::parse(&url)
            .with_context(|| format!("`{url}` is no database URL: choose another folder"))?;
        clear(folder).with_context(|| format!("can't make `{}`", folder.display()))?;
        let key = FernetKey::generate();
        let settings = sandbox.settings()?;
        sandbox.write("rotation.toml", &[&settings])?;
        let database = format!("LOG_LEVEL=INFO\nDATABASE_URL={url}\nDCR_ENCRYPTION_KEY=");
        sandbox.write(".env", &[&database, &key.to_text(), "\n"])?;
        let file = sandbox.database();
        reencrypt::sample::create_sqlite(&file, clients, &key)
            .await
            .with_context(|| format!("can't make `{}`", file.display()))?;
        Ok(sandbox)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(super) fn database(&self) -> PathBuf {
        self.path("clients.sqlite")
    }

    /// Three slashes before a relative path; an absolute one brings the fourth.
    fn url(&self) -> String {
        format!("sqlite+aiosqlite:///{}", self.database().display())
    }

    /// The stand-in service is restarted by the program that is running now.
    fn settings(&self) -> anyhow::Result<String> {
        let program = std::env::current_exe().context("the program's own path is not known")?;
        let restart = [
            program.display().to_string(),
            "stand-in-service".to_owned(),
            self.folder.display().to_string(),
        ];
        // A JSON array of strings is a TOML array of strings.
        let restart = serde_json::to_string(&restart)?;
        Ok(format!(
            "platform = \"local\"\nstate_dir = \"state\"\n\n[local.handler]\nrestart = {restart}\n"
        ))
    }

    fn write(&self, name: &str, parts: &[&str]) -> anyhow::Result<()> {
        let path = self.path(name);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        file.and_then(|mut file| {
            parts
                .iter()
                .try_for_each(|part| file.write_all(part.as_bytes()))
        })
        .with_context(|| format!("can't write `{}`", path.display()))
    }
}

/// Makes the folder, or empties it if a demonstration made it. Files that no
/// demonstration makes are never touched.
fn clear(folder: &Path) -> anyhow::Result<()> {
    let marker = folder.join(MARKER);
    if !marker.is_file() && folder.exists() && fs::read_dir(folder)?.next().is_some() {
        bail!("there are files in it that no demonstration made; choose another with `--dir`");
    }
    fs::create_dir_all(folder)?;
    fs::write(
        &marker,
        "The next `cargo xtask demo` in this folder replaces its files.\n",
    )?;
    for name in FILES {
        removed(fs::remove_file(folder.join(name)), name)?;
    }
    for name in FOLDERS {
        removed(fs::remove_dir_all(folder.join(name)), name)?;
    }
    Ok(())
}

fn removed(result: io::Result<()>, name: &str) -> anyhow::Result<()> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("can't remove `{name}`"))
        }
        _ => Ok(()),
    }
}
