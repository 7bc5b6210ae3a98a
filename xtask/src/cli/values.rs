//! Values of flags that clap has no parser for.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PathBufValueParser, TypedValueParser};

/// Shorter rounds to nothing, which Postgres takes for "no limit".
const SHORTEST: Duration = Duration::from_millis(1);
/// Longer is a mistake, and far longer doesn't fit Postgres's 31 bits of milliseconds.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Reads `10s`, `1m 30s`, `500ms`.
///
/// # Errors
///
/// What is expected. The text isn't quoted: whatever was typed by mistake may be a secret.
pub(crate) fn waiting_time(text: &str) -> Result<Duration, &'static str> {
    let time = humantime::parse_duration(text).ok();
    time.filter(|time| (SHORTEST..=LONGEST).contains(time))
        .ok_or("expected a time from `1ms` to `24h`, such as `10s` or `2min`")
}

/// The path, unless it is one of Windows, which would be taken for an odd name in the current
/// folder.
///
/// # Errors
///
/// How the file is named here.
pub(crate) fn local_path(path: PathBuf) -> Result<PathBuf, &'static str> {
    match path.to_str().is_some_and(secret::is_windows_path) {
        true => Err(
            "this is a path of Windows; name the file as this machine does, in WSL `/mnt/c/…` for `C:\\…`",
        ),
        false => Ok(path),
    }
}

/// The path of a file or folder.
pub(super) fn path() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(local_path)
}
