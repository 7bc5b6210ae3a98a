//! What sort of value a secret holds, and what depends on it beside the services.

use secret::{FernetKey, Fingerprint, SecretValue, VersionNumber};

use crate::client_secret::Client;
use crate::database_login::{Logins, refuse_if_accepted, url_of};
use crate::dcr_encryption_key::Database;
use crate::error::Error;

/// What a rotation works on beside the store and the services.
pub enum Material {
    /// A Fernet key, and the database with the tokens that are under it.
    Key(Box<Database>),
    /// What an OAuth client proves itself with, and the client.
    ClientSecret(Box<Client>),
    /// A database URL with a login, and the roles of the server.
    Login(Box<Logins>),
}

/// A value, and where it was found: for whoever has to be told that it is no good.
#[derive(Clone, Copy)]
pub(crate) struct Found<'a> {
    pub(crate) value: &'a SecretValue,
    /// What the store calls the secret.
    pub(crate) secret: &'a str,
    pub(crate) place: &'a str,
}

impl Material {
    /// Refuses a value that can't be one of these.
    pub(crate) fn check_form(&self, found: Found<'_>) -> Result<(), Error> {
        match self {
            Material::Key(_) => found.key().map(|_| ()),
            Material::ClientSecret(_) => found.refuse_empty(),
            Material::Login(logins) => url_of(logins, found).map(|_| ()),
        }
    }

    /// Names a value without revealing it. Only what is random all through has a
    /// fingerprint: a password could be guessed from one.
    pub(crate) fn fingerprint(&self, value: &SecretValue) -> Option<Fingerprint> {
        match self {
            Material::Key(_) => Some(value.fernet_key().ok()?.key.fingerprint()),
            Material::ClientSecret(_) | Material::Login(_) => None,
        }
    }

    /// Whether anything beside the services may need a value.
    pub(crate) fn is_needed_beside_services(&self) -> bool {
        match self {
            Material::Key(_) | Material::Login(_) => true,
            Material::ClientSecret(_) => false,
        }
    }

    /// Whether there is anything to be moved from one value to another.
    pub(crate) fn is_moved_over(&self) -> bool {
        match self {
            Material::Key(_) => true,
            Material::ClientSecret(_) | Material::Login(_) => false,
        }
    }

    /// Refuses while something beside the services needs this version's value.
    pub(crate) async fn refuse_if_needed(
        &mut self,
        found: Found<'_>,
        version: VersionNumber,
    ) -> Result<(), Error> {
        match self {
            Material::Key(database) => database.refuse_if_under(&found.key()?, version).await,
            Material::ClientSecret(_) => Ok(()),
            Material::Login(logins) => refuse_if_accepted(logins, found, version).await,
        }
    }

    /// Moves what needs one value over to another.
    pub(crate) async fn move_over(&mut self, from: Found<'_>, to: Found<'_>) -> Result<(), Error> {
        match self {
            Material::Key(database) => database.move_over(&from.key()?, &to.key()?).await,
            Material::ClientSecret(_) | Material::Login(_) => Ok(()),
        }
    }
}

impl Found<'_> {
    fn refuse_empty(self) -> Result<(), Error> {
        if self.value.is_empty() {
            return Err(Error::Empty {
                secret: self.secret.to_owned(),
                place: self.place.to_owned(),
            });
        }
        Ok(())
    }

    /// The value as a Fernet key.
    pub(crate) fn key(self) -> Result<FernetKey, Error> {
        let parsed = self.value.fernet_key().map_err(|source| Error::NotAKey {
            secret: self.secret.to_owned(),
            place: self.place.to_owned(),
            source,
        })?;
        Ok(parsed.key)
    }
}
