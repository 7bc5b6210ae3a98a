//! Base64 with the leniency of Python's `base64.urlsafe_b64decode`.
//!
//! The service reads its key and its tokens with that function, and what it
//! reads well must not stop a rotation. Its rules are those of
//! `binascii.a2b_base64` without strict mode (CPython's `Modules/binascii.c`),
//! after `-` and `_` are mapped to `+` and `/`:
//!
//! - both alphabets are accepted, even mixed, and other characters ignored;
//! - a `=` counts only after the second or third character of a group of four,
//!   and when characters and padding make four, all that follows is ignored;
//! - a character of the alphabet after a `=` makes that `=` as if never read;
//! - bits that belong to no byte may be anything.
#![expect(
    clippy::indexing_slicing,
    reason = "a table has a place for each byte, the alphabet one for each six bits"
)]

use thiserror::Error;
use zeroize::Zeroizing;

/// Why a text is not base64, not even to Python.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Base64Error {
    /// The last group of four has one character, which is less than a byte.
    #[error("base64 text has one more character than a multiple of four")]
    OneCharacterTooMany,
    /// The last group of four has two or three characters and too few `=`.
    #[error("padding is missing from the end of the base64 text")]
    MissingPadding,
}

/// The characters that [`encode`] writes: base64url of RFC 4648, section 5.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// What [`VALUES`] holds for a byte outside the alphabet. Its top bits are set,
/// and those of a value are not, so that one `|` checks several bytes at once.
const OUTSIDE: u8 = 0xff;

/// The six bits that each byte stands for, in either alphabet.
const VALUES: [u8; 256] = {
    let mut values = [OUTSIDE; 256];
    let mut value = 0;
    while value < 64 {
        values[ALPHABET[value] as usize] = value as u8;
        value += 1;
    }
    values[b'+' as usize] = 62;
    values[b'/' as usize] = 63;
    values
};

/// The bytes that `text` stands for, as Python's `base64.urlsafe_b64decode`
/// decodes it; see the module's documentation for the rules.
///
/// # Errors
/// When the last group of four is incomplete, as Python does. Nothing else is
/// an error: an empty text, or one without any base64 in it, gives no bytes.
pub fn decode(text: &[u8]) -> Result<Zeroizing<Vec<u8>>, Base64Error> {
    // Enough for the whole text: a buffer that grew would leave a copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() / 4 * 3 + 3));
    let read = decode_clean_groups(text, &mut bytes);
    let (_, rest) = text.split_at(read);
    decode_leniently(rest, &mut bytes)?;
    Ok(bytes)
}

/// Decodes groups of four up to the first that is not of the alphabet
/// throughout, and returns how much of `text` that was: nearly all of nearly
/// every token, and several times faster than a character at a time.
fn decode_clean_groups(text: &[u8], bytes: &mut Vec<u8>) -> usize {
    let (groups, _) = text.as_chunks::<4>();
    let mut read = 0;
    for group in groups {
        let values = group.map(|byte| VALUES[usize::from(byte)]);
        let [a, b, c, d] = values;
        if (a | b | c | d) >= 64 {
            break;
        }
        bytes.extend_from_slice(&joined(values));
        read += 4;
    }
    read
}

/// The bytes that four values of six bits make up.
fn joined([a, b, c, d]: [u8; 4]) -> [u8; 3] {
    [a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d]
}

/// `a2b_base64`'s own loop, for what is left: the names are those of its source.
fn decode_leniently(text: &[u8], bytes: &mut Vec<u8>) -> Result<(), Base64Error> {
    let mut quad_pos = 0;
    let mut pads = 0;
    let mut left = 0;
    for &byte in text {
        if byte == b'=' {
            if quad_pos >= 2 {
                pads += 1;
                if quad_pos + pads >= 4 {
                    return Ok(());
                }
            }
            continue;
        }
        let value = VALUES[usize::from(byte)];
        if value == OUTSIDE {
            continue;
        }
        pads = 0;
        match quad_pos {
            0 => {}
            1 => bytes.push(left << 2 | value >> 4),
            2 => bytes.push(left << 4 | value >> 2),
            _ => bytes.push(left << 6 | value),
        }
        left = value;
        quad_pos = (quad_pos + 1) % 4;
    }
    match quad_pos {
        0 => Ok(()),
        1 => Err(Base64Error::OneCharacterTooMany),
        _ => Err(Base64Error::MissingPadding),
    }
}

/// `bytes` as canonical base64url with padding (RFC 4648, section 5): what
/// Python's `base64.urlsafe_b64encode` writes.
pub fn encode(bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(bytes.len().div_ceil(3) * 4));
    for group in bytes.chunks(3) {
        let byte = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for position in 0..4 {
            // n bytes fill n + 1 characters of a group.
            text.push(if position <= group.len() {
                char::from(ALPHABET[(bits >> (18 - 6 * position) & 63) as usize])
            } else {
                '='
            });
        }
    }
    text
}

/// Whether `byte` is a character of either base64 alphabet; `=` is not.
pub(crate) fn in_alphabet(byte: u8) -> bool {
    VALUES[usize::from(byte)] != OUTSIDE
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What CPython 3.11 answers; it was asked.
    #[test]
    fn decodes_as_python_does() {
        use Base64Error::{MissingPadding, OneCharacterTooMany};
        let table: &[(&str, Result<&[u8], Base64Error>)] = &[
            ("", Ok(b"")),
            ("=", Ok(b"")),
            ("====", Ok(b"")),
            ("!", Ok(b"")),
            ("YWJj", Ok(b"abc")),
            ("YWI=", Ok(b"ab")),
            ("YQ==", Ok(b"a")),
            ("YWJ", Err(MissingPadding)),
            ("YW", Err(MissingPadding)),
            ("Y", Err(OneCharacterTooMany)),
            ("YWJjZ", Err(OneCharacterTooMany)),
            ("YQ=", Err(MissingPadding)),
            ("YWI", Err(MissingPadding)),
            ("YWI==", Ok(b"ab")),
            ("YQ===", Ok(b"a")),
            ("YWJj=", Ok(b"abc")),
            ("YWJj====", Ok(b"abc")),
            ("=YWJj", Ok(b"abc")),
            ("Y=WJj", Ok(b"abc")),
            ("Y=WI=", Ok(b"ab")),
            ("YW=Jj", Ok(b"abc")),
            ("YW=J=", Ok(b"ab")),
            ("YQ=!=", Ok(b"a")),
            ("YQ=\n=", Ok(b"a")),
            ("YQ==YWJj", Ok(b"a")),
            ("YWI=YWJj", Ok(b"ab")),
            ("YQ==!", Ok(b"a")),
            ("YW=J", Err(MissingPadding)),
            ("=YQ==", Ok(b"a")),
            ("YW Jj\n", Ok(b"abc")),
            ("\nYW\tJ\x0bj", Ok(b"abc")),
            ("YW*J.j", Ok(b"abc")),
            ("-_-_", Ok(b"\xfb\xff\xbf")),
            ("+/+/", Ok(b"\xfb\xff\xbf")),
            ("-/+_", Ok(b"\xfb\xff\xbf")),
            ("\"YWI=\"", Ok(b"ab")),
            ("'YWJj'", Ok(b"abc")),
            ("b'YWI='", Ok(b"m\x85\x88")),
            ("YWJ=", Ok(b"ab")),
            ("YWJ_", Ok(b"ab\x7f")),
            ("YR==", Ok(b"a")),
            ("YX==", Ok(b"a")),
            ("Y!=!=W=J=j", Ok(b"ab")),
            ("Y===WJj", Ok(b"abc")),
        ];
        for (text, expected) in table {
            let decoded = decode(text.as_bytes());
            let decoded = decoded.as_ref().map(|bytes| bytes.as_slice());
            assert_eq!(decoded, expected.as_ref().map(|bytes| *bytes), "{text:?}");
        }
    }

    #[test]
    fn stray_bytes_in_a_group_do_not_cancel_each_other_out() {
        for stray in ["\n\nYWJj", "\nY\nWJj", "Y\nW\nJj", "Y\n\nWJj", "YW\n\nJj"] {
            assert_eq!(*decode(stray.as_bytes()).unwrap(), b"abc", "{stray:?}");
        }
    }

    #[test]
    fn ignores_bytes_that_are_not_ascii() {
        assert_eq!(*decode(b"YW\xffJj\x80\xc3\xbc").unwrap(), b"abc");
    }

    #[test]
    fn writes_what_it_reads() {
        let bytes: Vec<u8> = (0..=255).collect();
        for length in 0..=bytes.len() {
            let text = encode(&bytes[..length]);
            assert_eq!(text.len(), length.div_ceil(3) * 4);
            assert_eq!(*decode(text.as_bytes()).unwrap(), bytes[..length]);
        }
        assert_eq!(*encode(b"\xfb\xff\xfe"), "-__-");
        assert_eq!(*encode(b"f"), "Zg==");
        assert_eq!(*encode(b"fo"), "Zm8=");
    }

    #[test]
    fn the_buffer_never_grows() {
        for length in 0..64 {
            let text = vec![b'A'; length];
            let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 3);
            let before = bytes.capacity();
            let read = decode_clean_groups(&text, &mut bytes);
            let _ = decode_leniently(&text[read..], &mut bytes);
            assert_eq!(bytes.capacity(), before);
        }
    }
}
