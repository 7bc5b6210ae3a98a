//! The address of an issuer.

use std::fmt;
use std::str::FromStr;

use url::Url;

use super::error::OauthError;
use crate::error::Error;

/// The address of an issuer, such as `https://sso.redhat.com/auth/realms/redhat-external`:
/// with `https` and a host, without a user, a query or a fragment.
#[derive(Clone, PartialEq, Eq)]
pub struct Issuer {
    url: Url,
}

impl Issuer {
    /// Its host name, to be named in messages.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The address of something below it.
    pub(super) fn endpoint(&self, segments: &[&str]) -> Url {
        let mut url = self.url.clone();
        // There is no address with `https` that has no path.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }
}

/// Reads an address. One slash at its end makes no difference.
impl FromStr for Issuer {
    type Err = Error;

    fn from_str(text: &str) -> Result<Issuer, Error> {
        let refused = |what| Error::from(OauthError::Issuer { what });
        let Ok(url) = Url::parse(text) else {
            return Err(refused("it is no URL"));
        };
        if url.scheme() != "https" {
            return Err(refused("it does not begin with `https://`"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused("it names a user"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refused("it goes on after its path"));
        }
        Ok(Issuer { url })
    }
}

/// The address.
impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.as_str())
    }
}

/// The same as [`Display`](fmt::Display).
impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_below_the_path() {
        for (issuer, endpoint) in [
            (
                "https://sso.test/auth/realms/r",
                "https://sso.test/auth/realms/r/token",
            ),
            (
                "https://sso.test/auth/realms/r/",
                "https://sso.test/auth/realms/r/token",
            ),
            ("https://sso.test", "https://sso.test/token"),
            ("https://[::1]:8443/", "https://[::1]:8443/token"),
        ] {
            let issuer: Issuer = issuer.parse().unwrap();
            assert_eq!(issuer.endpoint(&["token"]).as_str(), endpoint);
        }
        let issuer: Issuer = "https://SSO.test:8443/r".parse().unwrap();
        assert_eq!(issuer.host(), "sso.test");
    }

    #[test]
    fn what_a_secret_may_not_be_sent_to_is_refused_unquoted() {
        for (text, what) in [
            ("", "no URL"),
            ("hunter2", "no URL"),
            ("https://", "no URL"),
            ("hunter2.test:443", "does not begin"),
            ("http://hunter2.test", "does not begin"),
            ("http://localhost/hunter2", "does not begin"),
            ("file:///hunter2", "does not begin"),
            ("https://hunter2@sso.test", "names a user"),
            ("https://:hunter2@sso.test", "names a user"),
            ("https://sso.test/?hunter2", "goes on"),
            ("https://sso.test/#hunter2", "goes on"),
        ] {
            let refused = text.parse::<Issuer>().unwrap_err();
            let printed = format!("{refused} {refused:?} {:?}", refused.hint());
            assert!(printed.contains(what), "{printed}");
            assert!(!printed.contains("hunter2"), "{printed}");
        }
    }
}
