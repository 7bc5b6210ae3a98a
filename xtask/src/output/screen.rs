//! What standard error is: whether it can be drawn on, in colours, and how wide it is.

use std::env;
use std::io::{self, IsTerminal};

use rustix::termios::tcgetwinsize;

/// Whether a bar, and other text over text, helps whoever watches: not in a file, and
/// not on a terminal that says it can't.
pub(crate) fn draws() -> bool {
    let is_dumb = env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    io::stderr().is_terminal() && !is_dumb
}

/// Whether colours are wanted: <https://no-color.org>.
pub(crate) fn has_colours() -> bool {
    draws() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// How many characters a line of the terminal has; none where there is no terminal, or
/// it doesn't tell.
pub(crate) fn width() -> Option<usize> {
    let size = tcgetwinsize(io::stderr()).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}
