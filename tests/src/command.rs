//! The one place where the harness makes a child process.
use std::ffi::OsStr;
use std::process::{Command, Output};

/// A child process to be set up and started.
#[expect(
    clippy::disallowed_methods,
    reason = "the harness starts servers and the program under test"
)]
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    Command::new(program)
}

/// Runs a command to its end and returns its standard output.
///
/// # Errors
///
/// A sentence with all that the command printed.
pub(crate) fn run(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .output()
        .map_err(|error| format!("`{name}` did not start: {error}"))?;
    let stdout = String::from_utf8_lossy(&stdout).trim().to_owned();
    if status.success() {
        return Ok(stdout);
    }
    let stderr = String::from_utf8_lossy(&stderr);
    Err(format!(
        "`{name}` ended with {status}: {stdout} {}",
        stderr.trim()
    ))
}
