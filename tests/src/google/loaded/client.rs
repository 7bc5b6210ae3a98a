//! What stands in front of the `PATH` as `gcloud`: hands its run over.
use std::io::{IoSlice, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use anyhow::Context as _;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use serde_json::json;

use super::SOCKET;

/// Has the server run `gcloud` with this process's arguments, environment, folder and
/// standard streams, and ends as the run does.
pub fn run_loaded_gcloud() -> ExitCode {
    match hand_over() {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            crate::runtime::say(&format!("the server of gcloud: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn hand_over() -> anyhow::Result<u8> {
    let socket = std::env::var_os(SOCKET).with_context(|| format!("{SOCKET} is not set"))?;
    let mut server = UnixStream::connect(socket)?;
    let environment: serde_json::Map<_, _> = std::env::vars()
        .map(|(name, value)| (name, value.into()))
        .collect();
    let mut wanted = json!({
        "arguments": std::env::args().skip(1).collect::<Vec<_>>(),
        "environment": environment,
        "folder": std::env::current_dir()?,
    })
    .to_string();
    wanted.push('\n');
    let sent = send_with_streams(&server, wanted.as_bytes())?;
    server.write_all(wanted.as_bytes().get(sent..).unwrap_or_default())?;
    let mut status = String::new();
    server.read_to_string(&mut status)?;
    // There is none where the run was killed.
    status.trim().parse().context("the run's status")
}

/// Sends as much as fits at once, and the three standard streams.
fn send_with_streams(server: &UnixStream, bytes: &[u8]) -> anyhow::Result<usize> {
    let (stdin, stdout, stderr) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
    let streams = [stdin.as_fd(), stdout.as_fd(), stderr.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
    let mut extra = SendAncillaryBuffer::new(&mut space);
    anyhow::ensure!(
        extra.push(SendAncillaryMessage::ScmRights(&streams)),
        "no room"
    );
    Ok(rustix::net::sendmsg(
        server,
        &[IoSlice::new(bytes)],
        &mut extra,
        SendFlags::empty(),
    )?)
}
