//! The number of a version of a secret.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use thiserror::Error;

/// The number of one version of a secret, from 1 on. The later a version was
/// created, the greater its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionNumber(NonZeroU64);

/// Why a text is not the number of a version.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("a version is a whole number from `1` on")]
pub struct VersionNumberError;

impl VersionNumber {
    /// The version with this number; none for 0.
    pub fn new(number: u64) -> Option<VersionNumber> {
        NonZeroU64::new(number).map(VersionNumber)
    }

    /// The number.
    pub fn get(self) -> u64 {
        self.0.get()
    }
}

impl From<NonZeroU64> for VersionNumber {
    fn from(number: NonZeroU64) -> VersionNumber {
        VersionNumber(number)
    }
}

impl From<VersionNumber> for NonZeroU64 {
    fn from(version: VersionNumber) -> NonZeroU64 {
        version.0
    }
}

/// The digits alone: a sign or white space is refused, and so are leading
/// zeros, for a version has one way to be written.
impl FromStr for VersionNumber {
    type Err = VersionNumberError;

    fn from_str(text: &str) -> Result<VersionNumber, VersionNumberError> {
        if !text.starts_with(|first: char| matches!(first, '1'..='9')) {
            return Err(VersionNumberError);
        }
        let number = text.parse().map_err(|_| VersionNumberError)?;
        VersionNumber::new(number).ok_or(VersionNumberError)
    }
}

impl fmt::Display for VersionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for number in [1, 2, 10, u64::MAX] {
            let version = VersionNumber::new(number).unwrap();
            assert_eq!(version.get(), number);
            assert_eq!(version.to_string().parse(), Ok(version));
        }
        assert!(VersionNumber::new(2) < VersionNumber::new(10));
    }

    #[test]
    fn is_the_number_that_it_was_made_of() {
        let number = NonZeroU64::new(7).unwrap();
        assert_eq!(NonZeroU64::from(VersionNumber::from(number)), number);
    }

    #[test]
    fn refuses_what_is_no_number_of_a_version() {
        assert_eq!(VersionNumber::new(0), None);
        for text in [
            "",
            "0",
            "01",
            "+1",
            "-1",
            " 1",
            "1 ",
            "1.0",
            "latest",
            "18446744073709551616",
        ] {
            assert_eq!(
                text.parse::<VersionNumber>(),
                Err(VersionNumberError),
                "{text}"
            );
        }
    }
}
