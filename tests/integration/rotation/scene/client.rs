//! An issuer in this process, which knows the secrets of one client.
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use async_trait::async_trait;
use platform::{Error, OauthChecks, OauthClient, Verdict};
use rotation::Secret;
use secrecy::ExposeSecret as _;
use secret::SecretValue;

/// What the services read as the client's id.
pub(in crate::rotation) const CLIENT_ID: &str = "lightspeed";

/// Whoever issues the client's secrets.
#[derive(Clone)]
pub(in crate::rotation) struct Issuer {
    pub(in crate::rotation) secret: Secret,
    valid: Rc<RefCell<BTreeSet<String>>>,
    is_away: Rc<Cell<bool>>,
}

impl Issuer {
    /// An issuer to which these are valid, side by side.
    pub(in crate::rotation) fn of(secret: Secret, valid: &[&str]) -> Issuer {
        let valid = valid.iter().map(|value| (*value).to_owned());
        Issuer {
            secret,
            valid: Rc::new(RefCell::new(valid.collect())),
            is_away: Rc::default(),
        }
    }

    /// A value is valid no more.
    pub(in crate::rotation) fn revoke(&self, value: &str) {
        self.valid.borrow_mut().remove(value);
    }

    /// Whether it answers at all.
    pub(in crate::rotation) fn set_away(&self, is_away: bool) {
        self.is_away.set(is_away);
    }

    pub(in crate::rotation) fn accepts(&self, value: &str) -> bool {
        self.valid.borrow().contains(value)
    }
}

#[async_trait(?Send)]
impl OauthChecks for Issuer {
    #[expect(clippy::disallowed_methods, reason = "an issuer knows its secrets")]
    async fn check(&self, client: &OauthClient, secret: &SecretValue) -> Result<Verdict, Error> {
        assert_eq!(client.id, CLIENT_ID);
        if self.is_away.get() {
            return Err(Error::File {
                action: "reach",
                path: "the issuer".into(),
                source: std::io::ErrorKind::TimedOut.into(),
            });
        }
        let text = std::str::from_utf8(secret.expose_secret()).expect("a text");
        Ok(match self.accepts(text) {
            true => Verdict::Accepted,
            false => Verdict::Refused,
        })
    }
}
