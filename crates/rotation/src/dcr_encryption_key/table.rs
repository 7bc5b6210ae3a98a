//! The table, and the keys that its tokens are under.

use secret::{FernetKey, SecretValue, VersionNumber};

use super::database::Database;
use crate::context::Context;
use crate::error::Error;
use crate::material::Material;

impl Context {
    /// The database with the encrypted rows.
    ///
    /// # Errors
    ///
    /// In a rotation of another secret: a plan that was put together wrongly.
    pub(super) fn table(&mut self) -> Result<&mut Database, Error> {
        match &mut self.material {
            Material::Key(database) => Ok(database),
            Material::ClientSecret(_) | Material::Login(_) => Err(Error::WrongPlan),
        }
    }

    /// The key of an enabled version.
    pub(super) async fn key(&self, version: VersionNumber) -> Result<FernetKey, Error> {
        let value = self.value(version).await?;
        self.parse_key(&value, &format!("version {version}"))
    }

    /// `place` is where the value came from.
    pub(super) fn parse_key(&self, value: &SecretValue, place: &str) -> Result<FernetKey, Error> {
        self.found(value, place).key()
    }
}
