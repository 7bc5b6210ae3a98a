//! Values of flags that clap has no parser for.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PathBufValueParser, TypedValueParser};

/// Shorter rounds to nothing, which Postgres takes for "no limit".
const SHORTEST: Duration = Duration::from_millis(1);
/// Longer is a mistake, and far longer doesn't fit Postgres's 31 bits of milliseconds.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The text is no time to wait.
#[derive(Debug)]
pub(crate) struct WaitingTimeError;

impl std::fmt::Display for WaitingTimeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("expected a time from `1ms` to `24h`, such as `10s` or `2min`")
    }
}

impl std::error::Error for WaitingTimeError {}

/// Reads `10s`, `1m 30s`, `500ms`. The message doesn't quote the text, for
/// whatever was typed by mistake may be a secret.
pub(crate) fn waiting_time(text: &str) -> Result<Duration, WaitingTimeError> {
    let time = humantime::parse_duration(text).map_err(|_| WaitingTimeError)?;
    if (SHORTEST..=LONGEST).contains(&time) {
        Ok(time)
    } else {
        Err(WaitingTimeError)
    }
}

/// The path is one of Windows.
#[derive(Debug)]
pub(crate) struct WindowsPathError;

impl std::fmt::Display for WindowsPathError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("this is a path of Windows; name the file as this machine does, in WSL `/mnt/c/…` for `C:\\…`")
    }
}

impl std::error::Error for WindowsPathError {}

/// Refuses a path of Windows, which would be taken for an odd name in the current folder.
pub(crate) fn local_path(path: PathBuf) -> Result<PathBuf, WindowsPathError> {
    match path.to_str().is_some_and(secret::is_windows_path) {
        true => Err(WindowsPathError),
        false => Ok(path),
    }
}

/// The path of a file or folder.
pub(super) fn path() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(local_path)
}
