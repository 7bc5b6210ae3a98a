//! Asking before something is changed.

use tokio_util::sync::CancellationToken;

use super::{Answer, Terminal};
use crate::failure::{Failure, chain};

/// Proof that whoever may say no was asked. Only [`confirm`] makes one, and what
/// changes a database demands it.
pub(crate) struct Confirmed(());

/// Asks on the terminal, if there is one to ask on. Without one this goes on:
/// scripts were written for a program that never asked.
///
/// # Errors
///
/// When the answer is not yes, or didn't come.
pub(crate) fn confirm(
    question: &str,
    ask_on: Option<&Terminal>,
    interrupt: &CancellationToken,
) -> Result<Confirmed, Failure> {
    let Some(terminal) = ask_on else {
        return Ok(Confirmed(()));
    };
    match terminal.ask(&format!("{question} [y/N]"), interrupt) {
        Ok(Answer::Line(line)) if is_yes(&line) => Ok(Confirmed(())),
        Ok(_) if interrupt.is_cancelled() => Err(Failure::stopped("interrupted")),
        Ok(_) => Err(Failure::stopped("stopped: it was not confirmed")
            .hint("answer `y` to go on; `--yes` doesn't ask")),
        Err(error) => Err(
            Failure::stopped(format!("nobody could be asked: {}", chain(&error)))
                .hint("`--yes` doesn't ask"),
        ),
    }
}

pub(crate) fn is_yes(line: &[u8]) -> bool {
    matches!(
        line.trim_ascii().to_ascii_lowercase().as_slice(),
        b"y" | b"yes"
    )
}
