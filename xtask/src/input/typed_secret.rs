//! What somebody typed where a name was asked for, and what may be a secret in its place.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use secret::FernetKey;

use crate::output::plain;

/// How long a value of no known form is at least: shorter ones are names.
const LONG: usize = 16;

/// Whether it may be a secret: a key, a URL with its password, or one long word, as issuers
/// make them. A path has folders that are there, or an ending.
pub(super) fn may_be_secret(typed: &[u8]) -> bool {
    let folder = Path::new(OsStr::from_bytes(typed)).parent();
    let is_in_folder = folder.is_some_and(|folder| folder != Path::new("") && folder.is_dir());
    let is_word = !typed.contains(&b'.') && !is_in_folder;
    (is_word && typed.len() >= LONG) || is_key_or_url(typed)
}

fn is_key_or_url(typed: &[u8]) -> bool {
    FernetKey::looks_like_key(typed) || typed.windows(3).any(|window| window == b"://")
}

/// The path in words that can be shown.
pub(crate) fn shown_path(path: &Path) -> String {
    match is_key_or_url(path.as_os_str().as_encoded_bytes()) {
        true => "a file whose name is not shown, since it may be a secret".to_owned(),
        false => format!("`{}`", plain(&path.to_string_lossy())),
    }
}

/// The run's name in words that can be shown: the name of a secret, and a date.
pub(crate) fn shown_run(name: &str) -> String {
    let is_count = |rest: &str| rest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'-'));
    let mut secrets = rotation::SECRETS.iter();
    let is_name = secrets.any(|secret| name.strip_prefix(secret.name).is_some_and(is_count));
    match is_name || !may_be_secret(name.as_bytes()) {
        true => format!("`{}`", plain(name)),
        false => {
            "of the name that was typed, which is not shown, since it may be a secret".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_is_typed_for_a_name_is_not_shown() {
        for value in [
            "kZ8vQ2mX7pL4tR9wB3nC6yD1fG5hJ0sA",
            "3f2b8c1e-77aa-4c1d-9d0e-5b6a7c8d9e0f",
            "G4NsWJLWT2RtLw0mP5Zc1yq8Q3nXo7aVb9dEfUhKgI4=",
            "postgresql://service:hunter2@db/orders",
            "q7/Zk+0lX2vQ9mB4nR8tW1==",
        ] {
            assert!(may_be_secret(value.as_bytes()), "{value}");
            assert!(!shown_run(value).contains(value), "{value}");
        }
        for name in [
            "database-url=kZ8vQ2mX7pL4",
            "gma-client-secret:kZ8vQ2mX7pL4",
        ] {
            assert!(!shown_run(name).contains("kZ8vQ2mX7pL4"), "{name}");
        }
        let url = "postgresql://service:hunter2@db/orders";
        assert!(!shown_path(Path::new(url)).contains("hunter2"));
    }

    #[test]
    fn names_are_shown() {
        for name in [
            "new.key",
            "secrets/new.key",
            "value",
            "/tmp/of-the-gma-client",
        ] {
            assert!(!may_be_secret(name.as_bytes()), "{name}");
        }
        let settings = Path::new("settings-of-production");
        assert_eq!(shown_path(settings), "`settings-of-production`");
        assert_eq!(shown_run("old"), "`old`");
        let run = "gma-client-secret-20261130-213000";
        assert_eq!(shown_run(run), format!("`{run}`"));
    }
}
