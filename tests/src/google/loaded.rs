//! The real `gcloud`, loaded once for all tests of a process.
//!
//! `server.py` says what that is and why. The program under test finds a `gcloud` in
//! front of its `PATH` that hands the run over to it. `TEST_GCLOUD=cold` does without,
//! and a test compares both.
mod client;

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use serde_json::Value;

pub use self::client::run_loaded_gcloud;
use crate::command;

const SERVER: &str = include_str!("loaded/server.py");
/// Tells the client where the server is.
const SOCKET: &str = "TEST_GCLOUD_SOCKET";

/// A server, and a folder with a `gcloud` that reaches it.
#[derive(Debug)]
pub(super) struct LoadedGcloud {
    folder: PathBuf,
    /// Its standard input closes with this process, and so it ends.
    _server: Child,
}

impl LoadedGcloud {
    /// Starts one. `client` is the program that becomes its `gcloud`.
    pub(super) fn start(client: &Path) -> anyhow::Result<LoadedGcloud> {
        let (python, root) = installation()?;
        // The server deletes it.
        let folder = tempfile::tempdir()?.keep();
        std::os::unix::fs::symlink(client, folder.join("gcloud"))?;
        let server = folder.join("server.py");
        std::fs::write(&server, SERVER)?;
        let mut server = command::command(python)
            .arg("-S")
            .arg(server)
            .arg(root)
            .arg(folder.join("socket"))
            // Nobody's own configuration is looked at.
            .env("CLOUDSDK_CONFIG", &folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let ready = server.stdout.take().map(read_line).transpose()?;
        anyhow::ensure!(
            ready.as_deref() == Some("ready"),
            "the server of gcloud ended: {ready:?}"
        );
        Ok(LoadedGcloud {
            folder,
            _server: server,
        })
    }

    /// The variables by which a program finds it.
    pub(super) fn environment(&self) -> Vec<(String, String)> {
        let path = std::env::var("PATH").unwrap_or_default();
        let folder = self.folder.to_string_lossy();
        vec![
            ("PATH".to_owned(), format!("{folder}:{path}")),
            (SOCKET.to_owned(), format!("{folder}/socket")),
        ]
    }
}

fn read_line(stdout: std::process::ChildStdout) -> std::io::Result<String> {
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line)?;
    Ok(line.trim().to_owned())
}

/// The Python that `gcloud` runs in, and the folder that it lies in.
fn installation() -> anyhow::Result<(String, String)> {
    let mut info = command::command("gcloud");
    let said = command::run(info.args(["info", "--format=json"])).map_err(anyhow::Error::msg)?;
    let said: Value = serde_json::from_str(&said)?;
    let read = |pointer: &str| {
        let text = said.pointer(pointer).and_then(Value::as_str);
        text.map(str::to_owned)
            .ok_or_else(|| anyhow::anyhow!("`gcloud info` has no {pointer}"))
    };
    Ok((
        read("/basic/python_location")?,
        read("/installation/sdk_root")?,
    ))
}
