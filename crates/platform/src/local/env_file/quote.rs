//! A value in a form that both python-dotenv and docker compose read back.

use zeroize::Zeroizing;

use super::statement::Quotes;

/// The value as it is to be written, in the quotes that it had if it can be, else
/// in none or others; nothing where some reader would read something else.
///
/// The two differ in these: python-dotenv puts a variable's value in the place of
/// `${NAME}` whatever the quotes, compose does so for `$NAME` too, but not between
/// single quotes; and there only python-dotenv takes `\\` for one backslash.
pub(super) fn write(value: &[u8], kept: Quotes) -> Option<Zeroizing<Vec<u8>>> {
    let text = str::from_utf8(value).ok()?;
    if text.contains(is_unwritable) {
        return None;
    }
    [kept, Quotes::None, Quotes::Single, Quotes::Double]
        .into_iter()
        .find_map(|quotes| in_quotes(text, quotes))
}

fn is_unwritable(character: char) -> bool {
    character.is_control() && !matches!(character, '\n' | '\r' | '\t')
}

fn in_quotes(text: &str, quotes: Quotes) -> Option<Zeroizing<Vec<u8>>> {
    match quotes {
        Quotes::None => text
            .bytes()
            .all(needs_no_quotes)
            .then(|| Zeroizing::new(text.as_bytes().to_vec())),
        Quotes::Single => fits_single(text).then(|| enclosed(text, b'\'', b"'")),
        Quotes::Double => fits_double(text).then(|| enclosed(text, b'"', b"\"\\\r")),
    }
}

/// What a shell would take as it is, too.
fn needs_no_quotes(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_=+/.:@%,".contains(&byte)
}

fn fits_single(text: &str) -> bool {
    !["\\\\", "\\'", "${", "\r"]
        .iter()
        .any(|part| text.contains(part))
        && !text.ends_with('\\')
}

/// A backslash before the closing quote would hide it from python-dotenv.
fn fits_double(text: &str) -> bool {
    !text.contains('$') && !text.ends_with('\\')
}

fn enclosed(text: &str, quote: u8, escaped: &[u8]) -> Zeroizing<Vec<u8>> {
    // Enough if every byte is escaped: a buffer that grew would leave a copy behind.
    let mut written = Zeroizing::new(Vec::with_capacity(text.len() * 2 + 2));
    written.push(quote);
    for byte in text.bytes() {
        if escaped.contains(&byte) {
            written.push(b'\\');
        }
        written.push(if byte == b'\r' { b'r' } else { byte });
    }
    written.push(quote);
    written
}
