//! Text that people can read: nothing hidden in it, digits in groups, lines that end between
//! words.

use std::fmt::Write as _;

/// What is the widest that is easily read.
const WIDEST: usize = 100;

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

/// [`plain`] for text of several lines: whatever of a database slipped through.
pub(super) fn plain_lines(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(plain).collect();
    lines.join("\n")
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

/// `text` in lines of at most `width` characters, if its words are that short.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else {
            continue;
        };
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// A line with the rest of it below where it begins, for a terminal. Not for what may
/// be copied, which a terminal breaks so that it can be.
pub(crate) fn hanging(line: &str, below: usize, terminal_width: Option<usize>) -> String {
    let Some(width) = terminal_width else {
        return line.to_owned();
    };
    let text = line.trim_start();
    let indent = line.len() - text.len();
    // The last place stays empty: some terminals go on in the next line then.
    let room = width.min(WIDEST).saturating_sub(below + 1).max(20);
    let below = format!("\n{:below$}", "");
    format!("{:indent$}{}", "", wrapped(text, room).join(&below))
}

/// Control characters, separators of lines and paragraphs, marks and overrides of
/// direction.
pub(super) fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{061c}' | '\u{200e}' | '\u{200f}')
        || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
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

    #[test]
    fn lines_end_between_words() {
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("longer-than-that x", 8), ["longer-than-that", "x"]);
        assert_eq!(wrapped("", 8), [""]);
    }

    #[test]
    fn a_long_line_goes_on_below_its_text_and_fits_any_terminal() {
        let line = "  1. Check that the rotation can end before it begins";
        for (width, lines) in [(None, 1), (Some(200), 1), (Some(80), 1), (Some(40), 2)] {
            let shown = hanging(line, 5, width);
            assert_eq!(shown.lines().count(), lines, "{shown}");
            let fits = |line: &str| line.chars().count() < width.unwrap_or(1000);
            assert!(shown.lines().all(fits), "{shown}");
            let rest = shown.lines().skip(1);
            assert!(
                rest.clone().all(|line| line.starts_with("     ")),
                "{shown}"
            );
        }
        // Words aren't cut, however narrow the terminal says it is.
        assert!(hanging(line, 5, Some(1)).contains("rotation"));
    }
}
