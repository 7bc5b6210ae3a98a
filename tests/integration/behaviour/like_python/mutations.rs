//! Texts that are nearly tokens: the same number gives the same text, anywhere.
use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

use crate::faults::random::Random;
use crate::subject::OLD;

/// What Python's reader may take for a part of base64, skip, or stumble over.
const CHARACTERS: [char; 24] = [
    'A', 'Q', 'Z', 'g', 'w', '0', '9', '-', '_', '+', '/', '=', '=', '\n', '\r', ' ', '\t', '.',
    '!', '"', '\\', '\u{7f}', 'é', '密',
];

/// Numbers that follow from a number.
struct Numbers(Random);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit.max(1)).unwrap_or(1);
        usize::try_from(self.0.number() % limit).unwrap_or_default()
    }

    fn character(&mut self) -> char {
        CHARACTERS[self.below(CHARACTERS.len())]
    }
}

/// Tokens that the service's own code wrote under [`OLD`].
pub(super) fn tokens() -> Result<Vec<String>> {
    let vectors = include_str!("../../../fixtures/fernet_vectors.json");
    let vectors: Value = serde_json::from_str(vectors)?;
    let key = vectors["keys"].as_object().context("keys")?;
    let (name, _) = key.iter().find(|(_, key)| *key == OLD).context("a key")?;
    let tokens = vectors["tokens"].as_array().context("tokens")?.iter();
    let ours = tokens.filter(|token| token["key"] == name.as_str());
    let texts = ours.filter_map(|token| token["token"].as_str());
    let texts: Vec<_> = texts.filter(|text| text.len() < 400).collect();
    anyhow::ensure!(texts.len() >= 3, "too few tokens");
    Ok(texts.into_iter().map(str::to_owned).collect())
}

/// The text of a number: one of the tokens, changed in one to three places. Every fourth
/// is changed before it is signed, for nothing else gets past the signature.
pub(super) fn mutation(tokens: &[String], number: u64) -> Result<String> {
    let mut numbers = Numbers(Random::of(number));
    let mut text: Vec<char> = tokens[numbers.below(tokens.len())].chars().collect();
    let changes = if number.is_multiple_of(4) {
        text = signed_anew(&text, &mut numbers)?.chars().collect();
        numbers.below(2)
    } else {
        1 + numbers.below(3)
    };
    for _ in 0..changes {
        change(&mut text, &mut numbers, tokens);
    }
    Ok(text.into_iter().collect())
}

/// The bytes of a token, changed and with the signature that they should have then.
fn signed_anew(text: &[char], numbers: &mut Numbers) -> Result<String> {
    const SIGNATURE_BYTES: usize = 32;
    let text: String = text.iter().collect();
    let mut bytes = URL_SAFE.decode(text)?;
    bytes.truncate(bytes.len().saturating_sub(SIGNATURE_BYTES));
    for _ in 0..=numbers.below(2) {
        change_bytes(&mut bytes, numbers);
    }
    let key = URL_SAFE.decode(OLD)?;
    let (signing_key, _) = key.split_at(16);
    let mut signature = Hmac::<Sha256>::new_from_slice(signing_key)?;
    signature.update(&bytes);
    bytes.extend(signature.finalize().into_bytes());
    Ok(URL_SAFE.encode(bytes))
}

/// The version, the time, the ciphertext's start, which the initialisation vector decides, its
/// end, which has the padding, or its length.
fn change_bytes(bytes: &mut Vec<u8>, numbers: &mut Numbers) {
    let any = u8::try_from(numbers.below(256)).unwrap_or_default();
    let end = bytes.len();
    let at = match numbers.below(7) {
        0 => 0,
        1 => 1 + numbers.below(8),
        2 => 9 + numbers.below(16),
        3 => end.saturating_sub(1 + numbers.below(32)),
        4 => return bytes.truncate(end.saturating_sub(1 + numbers.below(40))),
        5 => return bytes.truncate(end.saturating_sub(16 * (1 + numbers.below(3)))),
        _ => return bytes.extend(std::iter::repeat_n(any, 1 + numbers.below(16))),
    };
    if let Some(byte) = bytes.get_mut(at) {
        *byte = any;
    }
}

fn change(text: &mut Vec<char>, numbers: &mut Numbers, tokens: &[String]) {
    let at = numbers.below(text.len());
    match numbers.below(13) {
        0 => text.insert(at, numbers.character()),
        1 => text.push(numbers.character()),
        2 => text.insert(0, numbers.character()),
        3 => {
            if let Some(character) = text.get_mut(at) {
                *character = numbers.character();
            }
        }
        4 => drop(text.drain(at..(at + 1 + numbers.below(4)).min(text.len()))),
        5 => text.truncate(text.len().saturating_sub(numbers.below(6))),
        6 => text.extend(std::iter::repeat_n('=', numbers.below(5))),
        7 => {
            while text.last() == Some(&'=') {
                text.pop();
            }
        }
        8 => text.extend(tokens[numbers.below(tokens.len())].chars()),
        9 => {
            for character in text {
                *character = match *character {
                    '-' => '+',
                    '_' => '/',
                    other => other,
                };
            }
        }
        10 => change_last_bits(text),
        11 => {
            let lines = text.chunks(64).map(|line| line.iter().collect::<String>());
            *text = lines.collect::<Vec<_>>().join("\r\n").chars().collect();
        }
        _ => {
            let next = (at + 1).min(text.len().saturating_sub(1));
            if at < text.len() {
                text.swap(at, next);
            }
        }
    }
}

/// Those of the last character, some of which belong to no byte.
fn change_last_bits(text: &mut [char]) {
    let last = text.iter_mut().rev().find(|character| **character != '=');
    if let Some(character) = last
        && character.is_ascii_alphanumeric()
    {
        *character = match *character {
            'z' => 'y',
            'Z' => 'Y',
            '9' => '8',
            other => char::from_u32(u32::from(other) + 1).unwrap_or('A'),
        };
    }
}
