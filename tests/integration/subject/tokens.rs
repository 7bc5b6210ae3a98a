//! Keys of the tests, and tokens read by other code than the one under test.
use anyhow::{Context as _, Result};
use fernet::Fernet;
use secret::FernetKey;

/// The keys of `fixtures/expected.json`.
pub(crate) const OLD: &str = "EREREREREREREREREREREUtLS0tLS0tLS0tLS0tLS0s=";
pub(crate) const NEW: &str = "IiIiIiIiIiIiIiIiIiIiInh4eHh4eHh4eHh4eHh4eHg=";
pub(crate) const OLDER: &str = "MzMzMzMzMzMzMzMzMzMzM2lpaWlpaWlpaWlpaWlpaWk=";
pub(crate) const FOREIGN: &str = "RERERERERERERERERERERB4eHh4eHh4eHh4eHh4eHh4=";

/// What is in a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) plaintext: Vec<u8>,
    pub(crate) issued_at: u64,
}

impl Opened {
    pub(crate) fn new(plaintext: impl Into<Vec<u8>>, issued_at: u64) -> Opened {
        Opened {
            plaintext: plaintext.into(),
            issued_at,
        }
    }
}

/// A key as the code under test takes it.
pub(crate) fn key(text: &str) -> Result<FernetKey> {
    Ok(FernetKey::parse(text.as_bytes())?.key)
}

/// A token as the service would write it at that time.
pub(crate) fn token(plaintext: impl AsRef<[u8]>, issued_at: u64, key: &str) -> Result<String> {
    let cipher = Fernet::new(key).context("a key of the tests")?;
    Ok(cipher.encrypt_at_time(plaintext.as_ref(), issued_at))
}

/// Opens a canonical token, if the key is the one that it is under.
pub(crate) fn open(token: &str, key: &str) -> Option<Opened> {
    let issued_at = issue_time(token)?;
    // A token from the future is refused unless it is then.
    let now = issued_at.saturating_sub(60);
    let plaintext = Fernet::new(key)?.decrypt_at_time(token, None, now).ok()?;
    Some(Opened {
        plaintext,
        issued_at,
    })
}

/// Whether it is what Python's `urlsafe_b64encode` writes: that alphabet, whole
/// groups of four, and padding only where the last group needs it. That the bits
/// beyond the last byte are zero is what [`open`] checks, for `fernet` demands it.
pub(crate) fn is_canonical(token: &str) -> bool {
    let data = token.trim_end_matches('=');
    token.len().is_multiple_of(4)
        && token.len() - data.len() <= 2
        && data.bytes().all(|byte| sextet(byte).is_some())
}

/// Eight bytes after the version, in the first twelve characters.
fn issue_time(token: &str) -> Option<u64> {
    let start = token.as_bytes().first_chunk::<12>()?;
    let mut bits = 0_u128;
    for byte in start {
        bits = bits << 6 | u128::from(sextet(*byte)?);
    }
    let (version, time) = (bits >> 64, bits & u128::from(u64::MAX));
    (version == 0x80).then(|| u64::try_from(time).ok())?
}

/// The value of a character of the URL-safe alphabet.
fn sextet(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'-' => 62,
        b'_' => 63,
        _ => return None,
    })
}
