//! The text of a key, and of a client's secret.

use secrecy::ExposeSecret as _;

use super::tells_no_secret;
use crate::{
    ClientSecret, FernetKey, FernetKeyError, FernetKeyWarning, ParsedFernetKey, SecretValue,
    python_base64,
};

/// A text that somebody gives as a key or as a client's secret.
pub fn key(text: &[u8]) {
    match FernetKey::parse(text) {
        Ok(parsed) => is_the_key_of_the_service(text, &parsed),
        Err(error) => is_refused_without_quoting(text, &error),
    }
    base64_is_written_as_it_is_read(text);
    client_secret(text);
    client_id(text);
}

fn is_the_key_of_the_service(text: &[u8], parsed: &ParsedFernetKey) {
    let key = parsed.key.expose_secret();
    let read_by_python = python_base64::decode(text);
    assert!(
        read_by_python.is_ok_and(|bytes| bytes.as_slice() == key),
        "the service reads another key"
    );

    let white_space = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0x0b;
    let padding = text.iter().filter(|byte| **byte == b'=').count();
    for (warning, is_due) in [
        (FernetKeyWarning::WhiteSpace, text.iter().any(white_space)),
        (FernetKeyWarning::ExcessPadding, padding > 1),
    ] {
        let is_told = parsed.warnings.contains(&warning);
        assert!(is_told == is_due, "a warning that is not due: {warning:?}");
    }

    let canonical = parsed.key.to_text();
    assert!(canonical.len() == 44, "another length");
    let again = FernetKey::parse(canonical.as_bytes());
    assert!(
        again.is_ok_and(|again| {
            let is_same = again.key == parsed.key;
            is_same
                && again.warnings.is_empty()
                && again.key.fingerprint() == parsed.key.fingerprint()
        }),
        "what is written is not what was read"
    );

    let beside_others = [
        text.to_vec(),
        [b"NAME=", canonical.as_bytes()].concat(),
        [b"/run/secrets/", canonical.as_bytes()].concat(),
        [b"b'", canonical.as_bytes(), b"'\n"].concat(),
    ];
    for text in &beside_others {
        assert!(FernetKey::looks_like_key(text), "a key would be shown");
    }
    tells_no_secret(&format!("{parsed:?}"));
}

fn is_refused_without_quoting(text: &[u8], error: &FernetKeyError) {
    tells_no_secret(&format!("{error} {error:?} {:?}", error.hint()));
    match error {
        FernetKeyError::Hexadecimal
        | FernetKeyError::MissingPadding
        | FernetKeyError::DoubleEncoded => {
            assert!(FernetKey::looks_like_key(text), "a key would be shown");
        }
        FernetKeyError::OutsideAlphabet { positions } => {
            let is_within = |position: &usize| (1..=text.len()).contains(position);
            assert!(!positions.is_empty() && positions.iter().all(is_within));
        }
        FernetKeyError::PaddingInside { position } => {
            assert!(text.get(position - 1) == Some(&b'='), "no `=` there");
        }
        FernetKeyError::TooShort { bytes } => assert!(*bytes < 32),
        FernetKeyError::TooLong { bytes } => assert!(*bytes > 32),
        FernetKeyError::Empty | FernetKeyError::Quoted | FernetKeyError::FernetToken => {}
    }
}

fn base64_is_written_as_it_is_read(text: &[u8]) {
    let read_back = |bytes: &[u8]| {
        let written = python_base64::encode(bytes);
        python_base64::decode(written.as_bytes()).is_ok_and(|read| read.as_slice() == bytes)
    };
    assert!(read_back(text), "bytes are not read back");
    if let Ok(bytes) = python_base64::decode(text) {
        assert!(bytes.len() <= text.len() / 4 * 3 + 3, "too many bytes");
        assert!(read_back(&bytes), "what was read is not read back");
    }
}

fn client_secret(text: &[u8]) {
    match ClientSecret::parse(text) {
        Ok(parsed) => {
            let value = parsed.secret.value().expose_secret();
            assert!((1..=ClientSecret::LONGEST_BYTES).contains(&value.len()));
            assert!(value.iter().all(u8::is_ascii_graphic), "not visible");
            let after = text.strip_prefix(value);
            assert!(
                after.is_some_and(|after| matches!(after, b"" | b"\n" | b"\r\n")),
                "not what was given"
            );
            assert!(after == Some(b"") || !parsed.warnings.is_empty());
            tells_no_secret(&format!("{parsed:?}"));
        }
        Err(error) => tells_no_secret(&format!("{error} {error:?} {}", error.hint())),
    }
}

fn client_id(text: &[u8]) {
    let value = SecretValue::from(text);
    if let Some(id) = value.client_id() {
        assert!((1..=200).contains(&id.len()) && text.starts_with(id.as_bytes()));
    }
}
