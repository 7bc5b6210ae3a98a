//! Values of flags that clap has no parser for.

use std::time::Duration;

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
