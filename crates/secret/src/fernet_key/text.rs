//! From the text of a key to its bytes, or to what the text seems to be instead.

use zeroize::Zeroizing;

use super::{FernetKey, FernetKeyError, FernetKeyWarning, ParsedFernetKey};
use crate::python_base64;

/// How many characters of the alphabet 32 bytes take, without padding.
const KEY_CHARACTERS: usize = 43;

/// The shortest Fernet token: version, time, vector, one block, signature.
const SHORTEST_TOKEN_BYTES: usize = 1 + 8 + 16 + 16 + 32;

/// What a Fernet token starts with.
const TOKEN_VERSION: u8 = 0x80;

/// The key that `text` holds, and what is odd about it.
pub(super) fn read(text: &[u8]) -> Result<ParsedFernetKey, FernetKeyError> {
    let compact = without_white_space(text);
    refuse_other_forms(text, &compact)?;

    // From here on `compact` is characters of the alphabet, then padding.
    let padding = compact.iter().filter(|&&byte| byte == b'=').count();
    let bytes = decode_without_padding(&compact);
    let Ok(key) = <&[u8; 32]>::try_from(bytes.as_slice()) else {
        return Err(wrong_length(&bytes));
    };
    if padding == 0 {
        return Err(FernetKeyError::MissingPadding);
    }
    let mut warnings = Vec::new();
    if compact.len() < text.len() {
        warnings.push(FernetKeyWarning::WhiteSpace);
    }
    if padding > 1 {
        warnings.push(FernetKeyWarning::ExcessPadding);
    }
    Ok(ParsedFernetKey {
        key: FernetKey::from_bytes(key),
        warnings,
    })
}

/// White space as Python's `bytes.split` has it: ASCII's, vertical tab included.
fn is_white_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

fn without_white_space(text: &[u8]) -> Zeroizing<Vec<u8>> {
    // As large as the text: a buffer that grew would leave a copy behind.
    let mut compact = Zeroizing::new(Vec::with_capacity(text.len()));
    compact.extend(text.iter().copied().filter(|&byte| !is_white_space(byte)));
    compact
}

/// Refuses what is not a row of characters of the alphabet and then padding.
fn refuse_other_forms(text: &[u8], compact: &[u8]) -> Result<(), FernetKeyError> {
    if compact.is_empty() {
        return Err(FernetKeyError::Empty);
    }
    if is_quoted(compact) {
        return Err(FernetKeyError::Quoted);
    }
    if is_hexadecimal(compact) {
        return Err(FernetKeyError::Hexadecimal);
    }
    let positions = positions_outside_alphabet(text);
    if !positions.is_empty() {
        return Err(FernetKeyError::OutsideAlphabet { positions });
    }
    // Python stops reading at most such places and ignores the `=` at others:
    // either way the key it ends up with is hardly the one that was meant.
    match text.iter().position(|&byte| byte == b'=') {
        Some(index)
            if text
                .iter()
                .skip(index)
                .any(|&byte| python_base64::in_alphabet(byte)) =>
        {
            Err(FernetKeyError::PaddingInside {
                position: index + 1,
            })
        }
        _ => Ok(()),
    }
}

/// Whether there is a quote at either end: one is enough to be a mistake.
fn is_quoted(compact: &[u8]) -> bool {
    const QUOTES: [&[u8]; 7] = [
        b"'",
        b"\"",
        b"`",
        "‘".as_bytes(),
        "’".as_bytes(),
        "“".as_bytes(),
        "”".as_bytes(),
    ];
    let after_b = compact.strip_prefix(b"b").unwrap_or(compact);
    QUOTES
        .iter()
        .any(|quote| after_b.starts_with(quote) || compact.ends_with(quote))
}

fn is_hexadecimal(compact: &[u8]) -> bool {
    let digits = compact.strip_prefix(b"0x").unwrap_or(compact);
    digits.len() == 64 && digits.iter().all(u8::is_ascii_hexdigit)
}

fn positions_outside_alphabet(text: &[u8]) -> Vec<usize> {
    let is_outside =
        |byte: u8| !python_base64::in_alphabet(byte) && byte != b'=' && !is_white_space(byte);
    let positions = |outside: &mut dyn Iterator<Item = bool>| {
        outside
            .enumerate()
            .filter_map(|(index, is)| is.then_some(index + 1))
            .collect()
    };
    match std::str::from_utf8(text) {
        Ok(text) => positions(
            &mut text
                .chars()
                .map(|character| u8::try_from(character).map_or(true, is_outside)),
        ),
        Err(_) => positions(&mut text.iter().copied().map(is_outside)),
    }
}

/// Every whole byte that the alphabet's characters in `text` stand for, whatever
/// the padding.
pub(super) fn decode_without_padding(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut padded = Zeroizing::new(Vec::with_capacity(text.len() + 2));
    padded.extend(
        text.iter()
            .copied()
            .filter(|&byte| python_base64::in_alphabet(byte)),
    );
    if padded.len() % 4 == 1 {
        // Six bits are no byte.
        padded.pop();
    }
    while padded.len() % 4 != 0 {
        padded.push(b'=');
    }
    // Never an error, for the last group was just completed.
    python_base64::decode(&padded).unwrap_or_default()
}

/// What base64 of other than 32 bytes seems to be.
fn wrong_length(bytes: &[u8]) -> FernetKeyError {
    if is_text_of_key(bytes) {
        FernetKeyError::DoubleEncoded
    } else if bytes.len() >= SHORTEST_TOKEN_BYTES && bytes.first() == Some(&TOKEN_VERSION) {
        FernetKeyError::FernetToken
    } else {
        match bytes.len() {
            bytes @ ..32 => FernetKeyError::TooShort { bytes },
            bytes => FernetKeyError::TooLong { bytes },
        }
    }
}

fn is_text_of_key(bytes: &[u8]) -> bool {
    let compact = without_white_space(bytes);
    let end = compact
        .iter()
        .rposition(|&byte| byte != b'=')
        .map_or(0, |last| last + 1);
    end == KEY_CHARACTERS
        && compact
            .iter()
            .copied()
            .take(end)
            .all(python_base64::in_alphabet)
}

#[cfg(test)]
#[expect(clippy::string_slice, reason = "a test's own text")]
mod tests {
    use super::*;

    /// The key of 32 bytes `0xfb`, so that both alphabets show.
    const KEY: &str = "-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s=";
    const TOKEN: &str = "gAAAAABmONLB56Zr8x7D2SiRHUw9t9JgUaK8JD5m79S_Bc0SdriNWZ7Ggavqu4ij4FhvBZq_\
        2YEO1l-ve_aUqz8xkRSdZLQSVA==";

    fn warnings(text: &str) -> Vec<FernetKeyWarning> {
        let parsed = read(text.as_bytes()).unwrap();
        assert_eq!(*parsed.key.to_text(), KEY, "{text:?}");
        parsed.warnings
    }

    fn error(text: impl AsRef<[u8]>) -> FernetKeyError {
        read(text.as_ref()).unwrap_err()
    }

    #[test]
    fn reads_what_the_service_reads() {
        use FernetKeyWarning::{ExcessPadding, WhiteSpace};
        assert_eq!(warnings(KEY), []);
        assert_eq!(warnings(&KEY.replace('-', "+").replace('_', "/")), []);
        assert_eq!(warnings(&KEY.replace('-', "+")), []);
        // The last character's last two bits belong to no byte.
        assert_eq!(warnings(&KEY.replace("s=", "t=")), []);
        assert_eq!(warnings(&format!("{KEY}\n")), [WhiteSpace]);
        assert_eq!(
            warnings(&format!(" \t{}\r\n{}\x0b", &KEY[..20], &KEY[20..])),
            [WhiteSpace]
        );
        assert_eq!(warnings(&format!("{KEY}=")), [ExcessPadding]);
        assert_eq!(
            warnings(&format!("{KEY} ==\n")),
            [WhiteSpace, ExcessPadding]
        );
    }

    #[test]
    fn says_what_a_text_is_instead() {
        use FernetKeyError::*;
        assert_eq!(error(""), Empty);
        assert_eq!(error(" \n"), Empty);
        for (before, after) in [
            ("'", "'"),
            ("\"", "\""),
            ("b'", "'"),
            ("b\"", "\""),
            ("“", "”"),
            ("'", ""),
            ("", "'"),
        ] {
            assert_eq!(error(format!("{before}{KEY}{after}\n")), Quoted);
        }
        assert_eq!(
            error("0123456789abcdefABCDEF".repeat(3).get(..64).unwrap()),
            Hexadecimal
        );
        assert_eq!(error(format!("0x{}", "fb".repeat(32))), Hexadecimal);
        assert_eq!(error(&KEY[..43]), MissingPadding);
        assert_eq!(error(format!(" {}\n", &KEY[..43])), MissingPadding);
        assert_eq!(error(TOKEN), FernetToken);
        assert_eq!(error(TOKEN.trim_end_matches('=')), FernetToken);
    }

    #[test]
    fn counts_the_bytes_of_another_length() {
        use FernetKeyError::{TooLong, TooShort};
        assert_eq!(error("="), TooShort { bytes: 0 });
        assert_eq!(error("A"), TooShort { bytes: 0 });
        assert_eq!(error(&KEY[..42]), TooShort { bytes: 31 });
        assert_eq!(error(format!("{}==", &KEY[..42])), TooShort { bytes: 31 });
        assert_eq!(error(&KEY[..41]), TooShort { bytes: 30 });
        assert_eq!(error("A".repeat(44)), TooLong { bytes: 33 });
        assert_eq!(error("A".repeat(45)), TooLong { bytes: 33 });
        assert_eq!(error("A".repeat(88)), TooLong { bytes: 66 });
        // Long enough for a token, but without its first byte.
        assert_eq!(error("A".repeat(100)), TooLong { bytes: 75 });
    }

    #[test]
    fn finds_a_key_that_was_encoded_twice() {
        for inner in [KEY.to_owned(), format!("{KEY}\n"), KEY[..43].to_owned()] {
            let outer = python_base64::encode(inner.as_bytes());
            assert_eq!(error(outer.as_bytes()), FernetKeyError::DoubleEncoded);
            let cut = outer.trim_end_matches('=');
            assert_eq!(error(cut), FernetKeyError::DoubleEncoded);
        }
    }

    #[test]
    fn tells_positions_and_not_what_stands_there() {
        let refused = error(format!("{}*{}", &KEY[..3], &KEY[3..]));
        assert_eq!(
            refused,
            FernetKeyError::OutsideAlphabet { positions: vec![4] }
        );
        let refused = error(format!("é{}é", KEY.replace('-', ".")));
        assert!(
            matches!(refused, FernetKeyError::OutsideAlphabet { positions } if {
                positions.first() == Some(&1) && positions.last() == Some(&46)
            })
        );
        let refused = error([KEY.as_bytes(), &[0xff]].concat());
        assert_eq!(
            refused,
            FernetKeyError::OutsideAlphabet {
                positions: vec![45]
            }
        );
    }

    #[test]
    fn refuses_more_than_one_key_and_a_name_before_it() {
        let position = |position| FernetKeyError::PaddingInside { position };
        assert_eq!(error(format!("{KEY}\n{KEY}\n")), position(44));
        assert_eq!(error(format!("{KEY}x")), position(44));
        assert_eq!(error(format!("DCR_ENCRYPTION_KEY={KEY}")), position(19));
        assert_eq!(error(format!("={KEY}")), position(1));
    }

    #[test]
    fn no_error_or_hint_holds_a_piece_of_the_text() {
        let hex = "fb".repeat(32);
        let twice = python_base64::encode(KEY.as_bytes());
        let with_junk = format!("{KEY}*");
        let doubled = format!("{KEY}{KEY}");
        for text in [
            &KEY[..42],
            &KEY[..43],
            &hex,
            &twice,
            TOKEN,
            &with_junk,
            &doubled,
        ] {
            let refused = error(text);
            let printed = format!("{refused} {refused:?} {:?}", refused.hint());
            for piece in text.as_bytes().windows(6) {
                let piece = str::from_utf8(piece).unwrap();
                assert!(!printed.contains(piece), "{printed}");
            }
        }
    }
}
