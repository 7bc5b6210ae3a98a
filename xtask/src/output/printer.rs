//! The one place that prints: data to standard output, the rest to standard error.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use super::screen;
use super::text::{is_unprintable, plain_lines};
use crate::failure::Failure;

const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[1;33m";
const BOLD: &str = "\x1b[1m";
const NORMAL: &str = "\x1b[0m";

/// Whether data could not be written, which was told then: once is enough.
static DATA_LOST: AtomicBool = AtomicBool::new(false);

/// Whether something that was asked for could not be printed; a reader that went away has
/// had what it wanted.
pub(crate) fn is_data_lost() -> bool {
    DATA_LOST.load(Ordering::Relaxed)
}

/// Prints, or holds back, each kind of line. A reader that went away, such as
/// `head`, is no reason to stop a rotation: what can't be written is dropped,
/// but for data, whose loss is told on standard error.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Printer {
    /// Whether remarks are held back.
    quiet: bool,
    /// Whether details are shown.
    verbose: bool,
}

impl Printer {
    /// With `quiet`, [`note`](Printer::note) says nothing; with `verbose`,
    /// [`detail`](Printer::detail) speaks.
    pub(crate) fn new(quiet: bool, verbose: bool) -> Printer {
        Printer { quiet, verbose }
    }

    /// The same that says nothing with [`note`](Printer::note).
    pub(crate) fn without_notes(self) -> Printer {
        Printer {
            quiet: true,
            ..self
        }
    }

    /// What was asked for.
    pub(crate) fn data(&self, text: &str) {
        self.write_data(&plain_lines(text));
    }

    /// A text of this program's own that a machine reads: nothing in it is escaped.
    pub(crate) fn script(&self, text: &str) {
        self.write_data(text.trim_end());
    }

    /// What was asked for, as JSON on one line.
    pub(crate) fn json(&self, object: &str) {
        // JSON's own escapes for what it allows to stand as it is: these
        // characters occur within strings only.
        let mut json = String::with_capacity(object.len());
        for character in object.chars() {
            if is_unprintable(character) {
                json.extend(
                    character
                        .encode_utf16(&mut [0; 2])
                        .iter()
                        .map(|unit| format!("\\u{unit:04x}")),
                );
            } else {
                json.push(character);
            }
        }
        self.write_data(&json);
    }

    /// A remark for the person who waits.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            self.line(text);
        }
    }

    /// More than most people want to know.
    pub(crate) fn detail(&self, text: &str) {
        if self.verbose {
            self.line(text);
        }
    }

    /// Something that is odd and doesn't stop anything.
    pub(crate) fn warning(&self, text: &str) {
        self.titled("warning", YELLOW, text);
    }

    /// An error, the state that things are in, and advice.
    pub(crate) fn failure(&self, failure: &Failure) {
        let colour = if failure.title == "error" {
            RED
        } else {
            YELLOW
        };
        self.titled(failure.title, colour, &failure.message);
        if let Some(state) = &failure.state {
            self.titled("state", BOLD, state);
        }
        if let Some(hint) = &failure.hint {
            self.titled("hint", BOLD, hint);
        }
    }

    /// A line that begins with what it is, which a colour helps to find where there are
    /// colours.
    fn titled(&self, title: &str, colour: &str, text: &str) {
        let text = plain_lines(&format!("{title}: {text}"));
        let coloured = match text.strip_prefix(title) {
            Some(rest) if screen::has_colours() => format!("{colour}{title}{NORMAL}{rest}"),
            _ => text,
        };
        // Nobody is left to be told.
        let _ = write_line(&mut io::stderr().lock(), &coloured);
    }

    /// A line on standard error, whatever the settings.
    pub(crate) fn line(&self, text: &str) {
        // Nobody is left to be told.
        let _ = write_line(&mut io::stderr().lock(), &plain_lines(text));
    }

    /// A line on standard error while a progress bar may be drawn there.
    pub(crate) fn line_over_bar(&self, text: &str) {
        let clear_line = if screen::draws() { "\r\x1b[2K" } else { "" };
        let _ = write_line(&mut io::stderr().lock(), &format!("{clear_line}{text}"));
    }

    fn write_data(&self, text: &str) {
        if let Err(error) = write_line(&mut io::stdout().lock(), text)
            && error.kind() != io::ErrorKind::BrokenPipe
            && !DATA_LOST.swap(true, Ordering::Relaxed)
        {
            self.warning(&format!("standard output can't be written to: {error}"));
        }
    }
}

/// Writes with one call, so that lines of several threads don't mix.
fn write_line(to: &mut impl Write, text: &str) -> io::Result<()> {
    to.write_all(format!("{text}\n").as_bytes())?;
    to.flush()
}
