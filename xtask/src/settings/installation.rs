//! What is to be examined, as the settings describe it.

use platform::{Binding, Examination, Installation, Rotated};
use rotation::{
    Secret, database_url, dcr_encryption_key, gma_client_secret, red_hat_sso_client_secret,
    session_database_url,
};
use secret::DatabaseUrl;

use super::{PlatformName, Procedure};

impl Procedure {
    /// Examines the platform; for a database, where backups of it matter.
    pub(crate) async fn examine(&self, database: Option<&DatabaseUrl>) -> Examination {
        let installation = self.installation();
        match self.platform {
            PlatformName::None | PlatformName::Local => {
                platform::local::examine(self.local_settings(database), &installation).await
            }
            PlatformName::GoogleCloud => {
                platform::google_cloud::examine(self.google_cloud.settings(), &installation).await
            }
        }
    }

    /// What a client secret is tested with, and the URL that may have the same login.
    fn also_reads(&self, secret: &Secret) -> Vec<String> {
        let read = match *secret {
            rotation::RED_HAT_SSO_CLIENT_SECRET => red_hat_sso_client_secret::CLIENT_ID.store_name,
            rotation::GMA_CLIENT_SECRET => gma_client_secret::CLIENT_ID.store_name,
            rotation::DATABASE_URL => return vec![self.store_of(&database_url::NEIGHBOUR).name],
            rotation::SESSION_DATABASE_URL => {
                return vec![self.store_of(&session_database_url::NEIGHBOUR).name];
            }
            _ => return Vec::new(),
        };
        vec![read.to_owned()]
    }

    fn installation(&self) -> Installation {
        let rotated = |secret: &Secret| {
            let store = self.store_of(secret);
            let consumers = self.consumers_of(secret);
            Rotated {
                name: secret.name.to_owned(),
                binding: Binding {
                    variable: store.variable,
                    secret: store.name,
                },
                services: consumers.into_iter().map(|one| one.service).collect(),
                also_reads: self.also_reads(secret),
                needs_backup: *secret == dcr_encryption_key::SECRET,
            }
        };
        Installation {
            rotations: rotation::SECRETS.iter().map(rotated).collect(),
            backup_max_age: self.backup_max_age,
        }
    }
}
