//! The one place that prints: data to standard output, the rest to standard error.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::failure::Failure;
use crate::screen;

const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[1;33m";
const BOLD: &str = "\x1b[1m";
const NORMAL: &str = "\x1b[0m";

/// Whether it was told that data could not be written: once is enough.
static DATA_LOST: AtomicBool = AtomicBool::new(false);

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

/// `text` with what could move a cursor, hide or reorder other text written as
/// an escape: order ids and names come from databases and are anybody's.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if is_unprintable(character) {
            // Never fails on a String.
            let _ = write!(plain, "{}", character.escape_default());
        } else {
            plain.push(character);
        }
    }
    plain
}

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Control characters, separators of lines and paragraphs, marks and overrides of
/// direction.
fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{061c}' | '\u{200e}' | '\u{200f}')
        || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// [`plain`] for text of several lines: whatever of a database slipped through.
fn plain_lines(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(plain).collect();
    lines.join("\n")
}

/// Writes with one call, so that lines of several threads don't mix.
fn write_line(to: &mut impl Write, text: &str) -> io::Result<()> {
    to.write_all(format!("{text}\n").as_bytes())?;
    to.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_database_holds_cannot_move_the_cursor() {
        assert_eq!(
            plain("order\u{1b}[2J\n\u{202e}x"),
            "order\\u{1b}[2J\\n\\u{202e}x"
        );
        assert_eq!(plain("Bestellung 7, ünïcødé"), "Bestellung 7, ünïcødé");
    }

    #[test]
    fn digits_are_grouped_by_three() {
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(grouped),
            ["0", "999", "1,000", "1,234,567"]
        );
    }
}
