//! Lines that end between words.

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

/// What is the widest that is easily read.
const WIDEST: usize = 100;

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

#[cfg(test)]
mod tests {
    use super::*;

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
