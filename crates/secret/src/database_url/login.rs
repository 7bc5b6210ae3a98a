//! User and password of a database URL: taken out, and others put in.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::ExposeSecret;
use thiserror::Error;
use zeroize::Zeroizing;

use super::grammar::{Parts, decode_parameter, segments};
use super::{DatabaseTarget, DatabaseUrl, DatabaseUrlError, PostgresTarget};
use crate::Password;

/// What is percent-encoded in a user and a password: all but RFC 3986's unreserved
/// characters, so that every reader of URLs reads the same.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Why a database URL has no login that could be rotated.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum LoginError {
    /// SQLite knows no users.
    #[error("the database URL leads to an SQLite file, which has no login to rotate")]
    NoServer,
    /// A user without a password, or with an empty one.
    #[error("the database URL has no password for the user `{user}`")]
    NoPassword {
        /// The user.
        user: String,
    },
    /// The URL can't hold this user.
    #[error("the database URL can't be written with another user")]
    User(#[source] DatabaseUrlError),
}

impl LoginError {
    /// What to do about it, where that isn't plain from the message.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            LoginError::NoServer => None,
            LoginError::NoPassword { .. } => {
                Some("a login without a password isn't in the secret: there is nothing to rotate")
            }
            LoginError::User(error) => error.hint(),
        }
    }
}

impl DatabaseUrl {
    /// The role that the URL logs in as, decoded.
    ///
    /// # Errors
    /// [`LoginError::NoServer`].
    pub fn user(&self) -> Result<&str, LoginError> {
        Ok(&self.postgres()?.user)
    }

    /// The role's password, decoded.
    ///
    /// # Errors
    /// [`LoginError::NoServer`], [`LoginError::NoPassword`].
    #[expect(clippy::disallowed_methods, reason = "the password is as secret")]
    pub fn password(&self) -> Result<Password, LoginError> {
        let target = self.postgres()?;
        let password = target.password.as_ref();
        password
            .and_then(|password| Password::from_text(password.expose_secret()))
            .ok_or_else(|| LoginError::NoPassword {
                user: target.user.clone(),
            })
    }

    /// The same URL for another login. All else stays as it was written, byte for
    /// byte: the driver, the host or its lack, the parameters and their order. A user
    /// or password that stood in a parameter, where it counts more than in front, is
    /// replaced there.
    ///
    /// # Errors
    /// [`LoginError::NoServer`]; [`LoginError::NoPassword`] where there is none to
    /// replace; [`LoginError::User`] for a user that no URL can hold, such as an empty
    /// one.
    #[expect(
        clippy::disallowed_methods,
        reason = "the new URL is as secret as the old one"
    )]
    pub fn with_login(&self, user: &str, password: &Password) -> Result<DatabaseUrl, LoginError> {
        self.password()?;
        if user.is_empty() {
            // As a parameter it would be none, and the user in front would count.
            return Err(LoginError::User(DatabaseUrlError::MissingUser));
        }
        let parts = Parts::of(self.expose_secret()).map_err(LoginError::User)?;
        let written = write(&parts, user, password.expose_secret());
        let url = DatabaseUrl::parse(&written).map_err(LoginError::User)?;
        Ok(match &self.postgres()?.socket_folder {
            Some(folder) => url.through_socket_in(folder),
            None => url,
        })
    }

    /// The same URL for a role that is not in use while this URL is: with the
    /// password that is [derived](Password::derive_for_idle) from this URL's.
    ///
    /// # Errors
    /// Those of [`with_login`](DatabaseUrl::with_login).
    pub fn for_idle(&self, role: &str) -> Result<DatabaseUrl, LoginError> {
        self.with_login(role, &self.password()?.derive_for_idle(role))
    }

    fn postgres(&self) -> Result<&PostgresTarget, LoginError> {
        match self.target() {
            DatabaseTarget::Postgres(target) => Ok(target),
            DatabaseTarget::Sqlite(_) => Err(LoginError::NoServer),
        }
    }
}

/// The URL as it was written, the login apart.
fn write(parts: &Parts<'_>, user: &str, password: &str) -> Zeroizing<String> {
    let login = Login {
        user: encode(user),
        password: encode(password),
    };
    // As large as it gets: a buffer that grew would leave copies behind.
    let login_length = login.user.len() + login.password.len();
    let mut url = Zeroizing::new(String::with_capacity(parts.length() + 2 * login_length));
    url.push_str(parts.scheme);
    url.push_str("://");
    login.write_in_front(parts, &mut url);
    url.push_str(parts.authority);
    if let Some(database) = parts.database {
        url.push('/');
        url.push_str(database);
    }
    for (index, segment) in segments(parts.query).enumerate() {
        url.push(if index == 0 { '?' } else { '&' });
        login.write_segment(segment, &mut url);
    }
    url
}

/// A login, percent-encoded.
struct Login {
    user: Zeroizing<String>,
    password: Zeroizing<String>,
}

impl Login {
    /// What stands before the host. A part that a parameter overrides stays as it is.
    fn write_in_front(&self, parts: &Parts<'_>, url: &mut String) {
        let Some(user) = parts.user else {
            return;
        };
        let is_overridden = |name| segments(parts.query).any(|segment| is_set(segment, name));
        url.push_str(if is_overridden("user") {
            user
        } else {
            &self.user
        });
        if let Some(password) = parts.password {
            url.push(':');
            url.push_str(if is_overridden("password") {
                password
            } else {
                &self.password
            });
        }
        url.push('@');
    }

    fn write_segment(&self, segment: &str, url: &mut String) {
        let value = if is_set(segment, "user") {
            &self.user
        } else if is_set(segment, "password") {
            &self.password
        } else {
            return url.push_str(segment);
        };
        let name = segment.split('=').next().unwrap_or_default();
        url.push_str(name);
        url.push('=');
        url.push_str(value);
    }
}

/// `text` in percent-encoding, in a buffer that never grows.
fn encode(text: &str) -> Zeroizing<String> {
    let mut encoded = Zeroizing::new(String::with_capacity(3 * text.len()));
    encoded.extend(utf8_percent_encode(text, ENCODED));
    encoded
}

/// Whether a segment of the query sets the parameter `name`, as `parse_qsl` reads it.
fn is_set(segment: &str, name: &str) -> bool {
    segment.split_once('=').is_some_and(|(written, value)| {
        !value.is_empty() && decode_parameter(written).is_ok_and(|decoded| *decoded == name)
    })
}

#[cfg(test)]
mod tests;
