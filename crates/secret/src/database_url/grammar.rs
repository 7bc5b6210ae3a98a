//! SQLAlchemy's grammar for URLs: where one part ends and the next begins.
//!
//! It is the regular expression of `_parse_url` in `sqlalchemy/engine/url.py`:
//!
//! ```text
//! name://[username[:password]@][host][:port][/database][?query]
//! username  [^:/]*     password  [^@]*     host  \[[^/?]+\] or [^/:?]+
//! port      [^/?]*     database  [^?]*     query .*
//! ```

use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use super::{DatabaseUrlError, UrlPart};

/// What stands in place of a password.
const MASK: &str = "***";

/// The parts of a URL as they are written, still percent-encoded.
pub(super) struct Parts<'a> {
    /// Dialect and driver, such as `postgresql+asyncpg`.
    pub(super) scheme: &'a str,
    pub(super) user: Option<&'a str>,
    pub(super) password: Option<&'a str>,
    /// Host and port: all from the `@` to the next `/` or `?`.
    pub(super) authority: &'a str,
    pub(super) database: Option<&'a str>,
    pub(super) query: Option<&'a str>,
}

/// A parameter of the query, decoded. Only those with a value occur, for
/// Python's `parse_qsl` drops the others.
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) value: Zeroizing<String>,
}

impl<'a> Parts<'a> {
    /// Splits `text`, which has no white space around it.
    pub(super) fn of(text: &'a str) -> Result<Parts<'a>, DatabaseUrlError> {
        if text.is_empty() {
            return Err(DatabaseUrlError::Empty);
        }
        let is_scheme = |text: &str| {
            !text.is_empty()
                && text
                    .chars()
                    .all(|c| c.is_alphanumeric() || c == '_' || c == '+')
        };
        let (scheme, rest) = text
            .split_once("://")
            .filter(|(scheme, _)| is_scheme(scheme))
            .ok_or(DatabaseUrlError::NotAUrl)?;
        if text.contains(char::is_control) {
            return Err(DatabaseUrlError::ControlCharacter);
        }
        let (user, password, rest) = split_user(rest);
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query)),
            None => (rest, None),
        };
        let (authority, database) = match rest.split_once('/') {
            Some((authority, database)) => (authority, Some(database)),
            None => (rest, None),
        };
        Ok(Parts {
            scheme,
            user,
            password,
            authority,
            database,
            query,
        })
    }

    /// The scheme without the driver.
    pub(super) fn dialect(&self) -> &'a str {
        self.scheme
            .split_once('+')
            .map_or(self.scheme, |(dialect, _)| dialect)
    }

    /// The parameters of the query, in order, as `parse_qsl` reads them.
    pub(super) fn parameters(&self) -> Result<Vec<Parameter>, DatabaseUrlError> {
        segments(self.query)
            .filter_map(|segment| segment.split_once('='))
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| {
                let mut name = decode_parameter(name)?;
                let value = decode_parameter(value)?;
                Ok(Parameter {
                    name: std::mem::take(&mut *name),
                    value,
                })
            })
            .collect()
    }

    /// Whether a `@` stands after the one that ends user and password. Where
    /// there is a password, it is likely a part of it that was not encoded.
    pub(super) fn has_stray_at(&self) -> bool {
        let has_at = |part: Option<&str>| part.is_some_and(|part| part.contains('@'));
        has_at(Some(self.authority))
            || has_at(self.database)
            || (self.password.is_some() && has_at(self.query))
    }

    /// Whether what looks like a parameter's name may be a piece of a password
    /// that was not encoded, after a raw `&` or `?`.
    pub(super) fn query_may_hold_pieces_of_a_password(&self) -> bool {
        self.query.is_some_and(|query| query.contains('@'))
            || segments(self.query).any(is_secret_parameter)
    }

    /// How many bytes the URL has.
    pub(super) fn length(&self) -> usize {
        let separators = "://:@/?".len();
        let optional = [self.user, self.password, self.database, self.query];
        let optional = optional.into_iter().flatten().map(str::len).sum::<usize>();
        self.scheme.len() + self.authority.len() + optional + separators
    }

    /// The URL as it was written, passwords apart.
    pub(super) fn masked(&self) -> String {
        let mut masked = format!("{}://", self.scheme);
        if let Some(user) = self.user {
            masked.push_str(user);
            if self.password.is_some() {
                masked.push(':');
                masked.push_str(MASK);
            }
            masked.push('@');
        }
        masked.push_str(self.authority);
        if let Some(database) = self.database {
            masked.push('/');
            masked.push_str(database);
        }
        if self.query.is_some() {
            masked.push('?');
            masked.push_str(
                &segments(self.query)
                    .map(mask_segment)
                    .collect::<Vec<_>>()
                    .join("&"),
            );
        }
        masked
    }
}

/// Splits user and password off, as backtracking through the expression does:
/// the user ends at the first `:` if a `@` follows anywhere, otherwise at the
/// last `@` before the first `:` or `/`. So a password goes on to the next `@`,
/// over any `/`, `?`, `#` or `:`.
fn split_user(text: &str) -> (Option<&str>, Option<&str>, &str) {
    let user_end = text.find([':', '/']).unwrap_or(text.len());
    let (user, rest) = text.split_at(user_end);
    if let Some((password, rest)) = rest.strip_prefix(':').and_then(|rest| rest.split_once('@')) {
        return (Some(user), Some(password), rest);
    }
    match user.rfind('@') {
        Some(at) => {
            let (user, rest) = text.split_at(at);
            (Some(user), None, rest.strip_prefix('@').unwrap_or(rest))
        }
        None => (None, None, text),
    }
}

/// `percent`'s bytes as text, as Python's `unquote` gives it: `%` without two
/// hexadecimal digits after it stands for itself.
pub(super) fn decode(part: UrlPart, percent: &str) -> Result<Zeroizing<String>, DatabaseUrlError> {
    // As large as the text: a buffer that grew would leave a copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(percent.len()));
    bytes.extend(percent_decode_str(percent));
    // Python would go on with a replacement character, and a wrong password.
    let text = str::from_utf8(&bytes).map_err(|_| DatabaseUrlError::NotUtf8 { part })?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// Refuses what would break a line where it is printed.
pub(super) fn refuse_control_characters(text: &str) -> Result<(), DatabaseUrlError> {
    if text.contains(char::is_control) {
        Err(DatabaseUrlError::ControlCharacter)
    } else {
        Ok(())
    }
}

/// Whether decoding would change `text`.
pub(super) fn is_percent_encoded(text: &str) -> bool {
    let is_encoded = |bytes: &[u8]| matches!(bytes, [b'%', a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit());
    text.as_bytes().windows(3).any(is_encoded)
}

pub(super) fn segments(query: Option<&str>) -> impl Iterator<Item = &str> {
    query.into_iter().flat_map(|query| query.split('&'))
}

pub(super) fn decode_parameter(text: &str) -> Result<Zeroizing<String>, DatabaseUrlError> {
    let spaced = Zeroizing::new(text.replace('+', " "));
    let decoded = decode(UrlPart::Parameter, &spaced)?;
    Ok(decoded)
}

/// Masks the value of a parameter that may be secret, and a segment without a
/// `=`, which is no parameter at all: after a raw `&` in a password, it is the
/// password's other half.
fn mask_segment(segment: &str) -> String {
    match segment.split_once('=') {
        Some((name, _)) if is_secret_parameter(segment) => format!("{name}={MASK}"),
        None if !segment.is_empty() => MASK.to_owned(),
        _ => segment.to_owned(),
    }
}

/// Whether a segment's name, however it is encoded, sounds like a secret's.
fn is_secret_parameter(segment: &str) -> bool {
    const SIGNS: [&str; 6] = ["pass", "pwd", "secret", "key", "token", "cred"];
    segment.split_once('=').is_some_and(|(name, _)| {
        let name = percent_decode_str(name)
            .decode_utf8_lossy()
            .to_ascii_lowercase();
        SIGNS.iter().any(|sign| name.contains(sign))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_user_and_password_off_as_the_expression_does() {
        for (text, expected) in [
            ("u:pw@h/db", (Some("u"), Some("pw"), "h/db")),
            ("u@h:1/db", (Some("u"), None, "h:1/db")),
            ("u@v@h/db", (Some("u@v"), None, "h/db")),
            ("u:p/w?#:@h/db", (Some("u"), Some("p/w?#:"), "h/db")),
            ("u:p@w@h/db", (Some("u"), Some("p"), "w@h/db")),
            (":pw@/db", (Some(""), Some("pw"), "/db")),
            ("u:@h", (Some("u"), Some(""), "h")),
            ("h:1/db", (None, None, "h:1/db")),
            ("/db?host=/a:b", (None, None, "/db?host=/a:b")),
            ("/a@b:c@d", (None, None, "/a@b:c@d")),
            ("", (None, None, "")),
        ] {
            assert_eq!(split_user(text), expected, "{text}");
        }
    }

    #[test]
    fn splits_the_rest() {
        let parts = Parts::of("postgresql+asyncpg://u:pw@h:1/d/b?a=/b?c").unwrap();
        assert_eq!(
            (parts.scheme, parts.dialect()),
            ("postgresql+asyncpg", "postgresql")
        );
        assert_eq!((parts.authority, parts.database), ("h:1", Some("d/b")));
        assert_eq!(parts.query, Some("a=/b?c"));
        let parts = Parts::of("postgresql://h?a=/b").unwrap();
        assert_eq!(
            (parts.authority, parts.database, parts.query),
            ("h", None, Some("a=/b"))
        );
    }

    #[test]
    fn a_scheme_is_of_letters_digits_and_two_signs() {
        assert_eq!(Parts::of("a_1+b://").unwrap().scheme, "a_1+b");
        for text in ["://h", "a-b://h", "a.b://h", "a b://h", "a:b://h"] {
            assert!(
                matches!(Parts::of(text), Err(DatabaseUrlError::NotAUrl)),
                "{text}"
            );
        }
    }

    #[test]
    fn no_url_is_longer_than_it_says() {
        for text in [
            "postgresql://host.example.com",
            "postgresql+asyncpg://user:pw@h:1/database?a=b&c=d",
            "x://u:@h/?",
            "sqlite:////var/lib/agent/agent.db",
        ] {
            assert!(Parts::of(text).unwrap().length() >= text.len(), "{text}");
        }
    }

    #[test]
    fn masks_every_value_that_sounds_secret() {
        for (url, masked) in [
            (
                "x://u:pw@h:1/db?host=/a:b&x=y",
                "x://u:***@h:1/db?host=/a:b&x=y",
            ),
            ("x://u%40:p%40@/db", "x://u%40:***@/db"),
            ("x://u:@h", "x://u:***@h"),
            ("x://u@h/?", "x://u@h/?"),
            ("x:///db?password=a&sslPassword=b&sslkey=c", {
                "x:///db?password=***&sslPassword=***&sslkey=***"
            }),
            (
                "x:///db?p%61ssword=a&b&&c=&d=e",
                "x:///db?p%61ssword=***&***&&c=&d=e",
            ),
        ] {
            assert_eq!(Parts::of(url).unwrap().masked(), masked);
        }
    }

    #[test]
    fn only_what_decoding_would_change_is_encoded() {
        assert!(is_percent_encoded("a%2fb"));
        for text in ["", "%", "100%", "%2", "%zz", "a%2g"] {
            assert!(!is_percent_encoded(text), "{text}");
        }
    }
}
