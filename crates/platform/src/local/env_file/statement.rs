//! The statements of a `.env` file, as python-dotenv's parser finds them.
#![expect(
    clippy::indexing_slicing,
    reason = "positions are those that were found in the same text"
)]

use std::ops::Range;

use zeroize::Zeroizing;

/// One `NAME=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Assignment {
    /// Where the name is, without quotes.
    pub(super) name: Range<usize>,
    /// Where the value is, with its quotes, and without a comment after it.
    pub(super) value: Range<usize>,
    pub(super) quotes: Quotes,
    /// The line that it begins on, from 1 on.
    pub(super) line: usize,
}

/// What a value stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quotes {
    None,
    Single,
    Double,
}

/// Every assignment of a file. A line that isn't one is passed over, as
/// python-dotenv does.
///
/// # Errors
///
/// The line where a quote opens that nothing closes: its readers disagree on what
/// follows.
pub(super) fn assignments(text: &[u8]) -> Result<Vec<Assignment>, usize> {
    let mut reader = Reader { text, position: 0 };
    let mut found = Vec::new();
    loop {
        reader.skip(|byte| is_blank(byte) || is_line_end(byte));
        if reader.peek().is_none() {
            return Ok(found);
        }
        let start = reader.position;
        match reader.assignment() {
            Ok(Some(assignment)) => found.push(Assignment {
                line: line_of(text, start),
                ..assignment
            }),
            Ok(None) => reader.skip(|byte| !is_line_end(byte)),
            Err(OpenQuote) => return Err(line_of(text, reader.position)),
        }
    }
}

struct OpenQuote;

struct Reader<'a> {
    text: &'a [u8],
    position: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.position).copied()
    }

    fn skip(&mut self, is_skipped: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&is_skipped) {
            self.position += 1;
        }
    }

    fn assignment(&mut self) -> Result<Option<Assignment>, OpenQuote> {
        self.skip_export();
        let Some(name) = self.name() else {
            return Ok(None);
        };
        self.skip(is_blank);
        if self.peek() != Some(b'=') {
            return Ok(None);
        }
        self.position += 1;
        self.skip(is_blank);
        let (value, quotes) = match self.peek() {
            Some(b'\'') => (self.quoted(b'\'')?, Quotes::Single),
            Some(b'"') => (self.quoted(b'"')?, Quotes::Double),
            _ => (self.unquoted(), Quotes::None),
        };
        self.skip(is_blank);
        if quotes == Quotes::None || self.peek() == Some(b'#') {
            self.skip(|byte| !is_line_end(byte));
        }
        let ends_here = self.peek().is_none_or(is_line_end);
        Ok(ends_here.then_some(Assignment {
            name,
            value,
            quotes,
            line: 0,
        }))
    }

    fn skip_export(&mut self) {
        let rest = &self.text[self.position..];
        if let Some([after, ..]) = rest.strip_prefix(b"export")
            && is_blank(*after)
        {
            self.position += b"export".len();
            self.skip(is_blank);
        }
    }

    fn name(&mut self) -> Option<Range<usize>> {
        let is_quoted = self.peek() == Some(b'\'');
        self.position += usize::from(is_quoted);
        let start = self.position;
        if is_quoted {
            self.skip(|byte| byte != b'\'');
        } else {
            self.skip(|byte| !matches!(byte, b'=' | b'#') && !is_blank(byte) && !is_line_end(byte));
        }
        let name = start..self.position;
        if is_quoted {
            self.peek()?;
            self.position += 1;
        }
        (!name.is_empty()).then_some(name)
    }

    /// A backslash before the quote keeps it from closing.
    fn quoted(&mut self, quote: u8) -> Result<Range<usize>, OpenQuote> {
        let start = self.position;
        let mut at = start + 1;
        loop {
            match &self.text[at..] {
                [] => return Err(OpenQuote),
                [b'\\', next, ..] if *next == quote => at += 2,
                [byte, ..] => {
                    at += 1;
                    if *byte == quote {
                        self.position = at;
                        return Ok(start..at);
                    }
                }
            }
        }
    }

    /// Up to the line's end, or a `#` with white space before it.
    fn unquoted(&mut self) -> Range<usize> {
        let start = self.position;
        self.skip(|byte| !is_line_end(byte));
        let line = &self.text[start..self.position];
        let comment = line
            .windows(2)
            .position(|pair| is_blank(pair[0]) && pair[1] == b'#');
        let value = &line[..comment.unwrap_or(line.len())];
        let blanks = value.iter().rev().take_while(|&&byte| is_blank(byte));
        start..start + value.len() - blanks.count()
    }
}

impl Assignment {
    /// The value, without its quotes and with its escapes resolved.
    pub(super) fn read(&self, text: &[u8]) -> Zeroizing<Vec<u8>> {
        let written = &text[self.value.clone()];
        let mut value = Zeroizing::new(Vec::with_capacity(written.len()));
        let (inner, escapes): (&[u8], &[u8]) = match self.quotes {
            Quotes::None => {
                value.extend_from_slice(written);
                return value;
            }
            Quotes::Single => (&written[1..written.len() - 1], b"\\'"),
            Quotes::Double => (&written[1..written.len() - 1], b"\\'\"abfnrtv"),
        };
        let mut rest = inner;
        loop {
            rest = match rest {
                [] => return value,
                [b'\\', escaped, rest @ ..] if escapes.contains(escaped) => {
                    value.push(resolved(*escaped));
                    rest
                }
                // Python reads every line end as a newline.
                [b'\r', b'\n', rest @ ..] | [b'\r', rest @ ..] => {
                    value.push(b'\n');
                    rest
                }
                [byte, rest @ ..] => {
                    value.push(*byte);
                    rest
                }
            };
        }
    }
}

fn resolved(escaped: u8) -> u8 {
    match escaped {
        b'a' => 0x07,
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0b,
        other => other,
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | 0x0b | 0x0c)
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

fn line_of(text: &[u8], position: usize) -> usize {
    let before = text[..position].iter();
    before.filter(|&&byte| byte == b'\n').count() + 1
}
