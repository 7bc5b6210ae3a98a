//! A value together with the number of its version.

use crate::VersionNumber;

/// A value and the version that it is of: read in one step, so that they belong
/// together.
#[derive(Debug, PartialEq, Eq)]
pub struct Versioned<T> {
    /// The value.
    pub value: T,
    /// The number of its version.
    pub version: VersionNumber,
}

impl<T> Versioned<T> {
    /// The same version, read as something else.
    pub fn map<U>(self, read: impl FnOnce(T) -> U) -> Versioned<U> {
        Versioned {
            value: read(self.value),
            version: self.version,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SecretValue;

    #[test]
    fn keeps_its_number_and_prints_no_value() {
        let version = VersionNumber::new(7).unwrap();
        let value = SecretValue::from(b"hunter2".as_slice());
        let versioned = Versioned { value, version };
        assert_eq!(
            format!("{versioned:?}"),
            "Versioned { value: SecretValue, version: VersionNumber(7) }"
        );
        let mapped = versioned.map(|value| value.is_empty());
        assert_eq!((mapped.value, mapped.version), (false, version));
    }
}
