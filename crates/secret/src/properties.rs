//! What holds whatever the input is: for the fuzz targets of `tests/fuzz`, and for the
//! tests that give the same properties the inputs that fuzzing found.
#![expect(
    clippy::disallowed_methods,
    reason = "a property looks at made-up values"
)]

mod database_url;
mod key;
#[cfg(test)]
#[path = "../../../tests/fuzz/replay.rs"]
mod replay;

pub use self::database_url::database_url;
pub use self::key::key;

/// The longest run of base64 in what this crate says of its own. Longer is a piece of
/// the input.
const LONGEST_WORD: usize = 20;

/// What is printed holds no piece of a key, of a token or of another long secret.
fn tells_no_secret(printed: &str) {
    let longest = printed
        .split(|character: char| !character.is_ascii_alphanumeric() && !"+/-_".contains(character))
        .map(str::len)
        .max();
    assert!(
        longest.is_none_or(|longest| longest <= LONGEST_WORD),
        "what is printed holds a piece of the input"
    );
}

#[cfg(test)]
mod tests {
    use super::replay;

    #[test]
    fn the_properties_of_keys_hold_for_the_corpus() {
        replay::replay("key", super::key);
    }

    #[test]
    fn the_properties_of_database_urls_hold_for_the_corpus() {
        replay::replay("database_url", super::database_url);
    }
}
