//! Recognising a key that was typed where something else was expected.

use super::FernetKeyError;
use super::text::{decode_without_padding, read};
use crate::python_base64;

/// See [`FernetKey::looks_like_key`](super::FernetKey::looks_like_key).
///
/// The runs find a key beside other text, such as `NAME=key` or a path before
/// it. `/` ends a run of one kind only, for both alphabets occur.
pub(super) fn looks_like_key(text: &[u8]) -> bool {
    let has_run = |in_run: fn(u8) -> bool| {
        text.split(|&byte| !in_run(byte))
            .any(|run| (40..=64).contains(&run.len()))
    };
    has_run(python_base64::in_alphabet)
        || has_run(|byte| python_base64::in_alphabet(byte) && byte != b'/')
        || has_run(|byte| python_base64::in_alphabet(byte) || byte == b'=')
        || decode_without_padding(text).len() == 32
        || is_read_as_key(text)
}

/// Whether it is a key by the reader's own word, or would be in another form: in `0x…`, in
/// pairs of digits with spaces between them, encoded twice and over several lines.
fn is_read_as_key(text: &[u8]) -> bool {
    use FernetKeyError::{DoubleEncoded, Hexadecimal, MissingPadding};
    matches!(
        read(text),
        Ok(_) | Err(Hexadecimal | MissingPadding | DoubleEncoded)
    )
}

#[cfg(test)]
#[expect(clippy::string_slice, reason = "a test's own text")]
mod tests {
    use super::*;

    /// The key of 32 bytes `0xfb`, so that both alphabets show.
    const KEY: &str = "-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s=";

    #[test]
    fn knows_a_key_where_a_path_was_expected() {
        let yes = [
            KEY.to_owned(),
            format!("{KEY}\n"),
            format!("'{KEY}'"),
            format!("b'{KEY}'"),
            format!("DCR_ENCRYPTION_KEY={KEY}"),
            format!("/a/path/of/some/length/before/{KEY}"),
            KEY[..42].to_owned(),
            KEY[..43].to_owned(),
            // Of 40 characters, but for the padding that is one of them.
            format!("{}=", &KEY[..39]),
            KEY.replace('-', "+").replace('_', "/"),
            KEY.replace('_', "*_"),
            "fb".repeat(32),
            format!("0x{}", "fb".repeat(32)),
            "fb ".repeat(32),
            python_base64::encode(format!("{KEY}{}", "\n".repeat(9)).as_bytes()).to_string(),
            python_base64::encode(KEY.as_bytes()).to_string(),
        ];
        for text in yes {
            assert!(looks_like_key(text.as_bytes()), "{text}");
        }
        for text in [
            "",
            "old.key",
            "/run/secrets/dcr-encryption-key",
            "keys/2025-11/new.key",
        ] {
            assert!(!looks_like_key(text.as_bytes()), "{text}");
        }
    }
}
