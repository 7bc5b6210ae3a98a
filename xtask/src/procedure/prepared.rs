//! What each secret's rotation needs, made ready.

use std::sync::{Arc, Mutex};

use platform::database_roles::PostgresRoles;
use platform::google_cloud::SqlProxy;
use platform::{CertificateAuthorities, HttpOauthChecks, Issuer, OauthLimits, Platform, Proof};
use rotation::client_secret::{self, Client, ClientId};
use rotation::database_login::{self, Logins};
use rotation::{Material, Plan, Role, Secret};
use rotation::{
    database_url, dcr_encryption_key, gma_client_secret, red_hat_sso_client_secret,
    session_database_url,
};

use super::Options;
use crate::cli::{self, Format};
use crate::failure::Failure;
use crate::output::Progress;
use crate::report::Listing;
use crate::settings::{self, Surroundings};

/// What a rotation needs, and what differs between the secrets.
pub(super) struct Prepared {
    pub(super) plan: Plan,
    pub(super) platform: Platform,
    pub(super) material: Material,
    /// Kept as long as the database is needed.
    pub(super) proxy: Option<SqlProxy>,
}

/// What all of them are made ready from.
pub(super) struct Preparation<'a> {
    pub(super) options: Options,
    pub(super) settings: &'a settings::Procedure,
    pub(super) timeouts: &'a cli::Timeouts,
    pub(super) progress: &'a Arc<Mutex<Progress>>,
    pub(super) surroundings: &'a Surroundings<'a>,
}

impl Preparation<'_> {
    pub(super) async fn of(&self, secret: Secret) -> Result<Prepared, Failure> {
        match secret {
            rotation::RED_HAT_SSO_CLIENT_SECRET => {
                let client = Oauth {
                    issuer: self.settings.issuers().red_hat_sso.as_deref(),
                    setting: "red_hat_sso",
                    id: red_hat_sso_client_secret::CLIENT_ID,
                    proof: red_hat_sso_client_secret::PROOF,
                };
                self.of_client(secret, client, red_hat_sso_client_secret::plan)
            }
            rotation::GMA_CLIENT_SECRET => {
                let client = Oauth {
                    issuer: self.settings.issuers().gma.as_deref(),
                    setting: "gma",
                    id: gma_client_secret::CLIENT_ID,
                    proof: gma_client_secret::proof(),
                };
                self.of_client(secret, client, gma_client_secret::plan)
            }
            rotation::DATABASE_URL => {
                let neighbour = &database_url::NEIGHBOUR;
                self.of_login(secret, neighbour, database_url::plan).await
            }
            rotation::SESSION_DATABASE_URL => {
                let neighbour = &session_database_url::NEIGHBOUR;
                let plan = session_database_url::plan;
                self.of_login(secret, neighbour, plan).await
            }
            // Of the five, one is left.
            _ => self.of_key().await,
        }
    }

    fn of_client(
        &self,
        secret: Secret,
        oauth: Oauth<'_>,
        plan: fn(client_secret::Parameters) -> Plan,
    ) -> Result<Prepared, Failure> {
        let (options, settings) = (self.options, self.settings);
        let restart_by_hand = settings.cannot_restart(&secret);
        Ok(Prepared {
            plan: plan(client_secret::Parameters {
                emergency: options.emergency,
                containment: options.containment,
                restart_by_hand,
            }),
            platform: settings.platform(None)?,
            material: Material::ClientSecret(Box::new(oauth.client()?)),
            proxy: None,
        })
    }

    async fn of_login(
        &self,
        secret: Secret,
        neighbour: &Secret,
        plan: fn(database_login::Parameters) -> Plan,
    ) -> Result<Prepared, Failure> {
        let (options, settings) = (self.options, self.settings);
        let tls = settings.tls(self.surroundings)?;
        let platform = settings.platform(None)?;
        let name = settings.store_of(&secret).name;
        let proxy = settings.proxy_to(&platform, &name).await?;
        Ok(Prepared {
            plan: plan(database_login::Parameters {
                mode: options.mode,
                emergency: options.emergency,
                containment: options.containment,
                announce: settings.announce,
                restart_by_hand: settings.cannot_restart(&secret),
            }),
            platform,
            material: Material::Login(Box::new(Logins {
                roles: Box::new(PostgresRoles::new(tls)),
                socket_folder: proxy.as_ref().map(SqlProxy::socket_folder),
                mode: options.mode,
                neighbour: settings.store_of(neighbour),
            })),
            proxy,
        })
    }

    async fn of_key(&self) -> Result<Prepared, Failure> {
        let (options, settings) = (self.options, self.settings);
        let (database, platform) = settings.reach(self.timeouts, self.surroundings).await?;
        let plan = dcr_encryption_key::plan(dcr_encryption_key::Parameters {
            emergency: options.emergency,
            containment: options.containment,
            announce: settings.announce,
            back_up_by_hand: platform.backups.is_none(),
            restart_by_hand: !settings.can_restart(Role::Handler),
        });
        let material = Material::Key(Box::new(rotation::Database {
            url: database.url,
            tls: database.tls,
            timeouts: database.timeouts,
            excluded_columns: settings.excluded_columns.clone(),
            observer: row_observer(self.progress),
            interrupt: self.surroundings.interrupt.clone(),
        }));
        Ok(Prepared {
            plan,
            platform,
            material,
            proxy: database.proxy,
        })
    }
}

/// An OAuth client, as the settings and its rotation describe it.
struct Oauth<'a> {
    issuer: Option<&'a str>,
    setting: &'a str,
    id: ClientId,
    proof: Proof,
}

impl Oauth<'_> {
    fn client(self) -> Result<Client, Failure> {
        let issuer = self.issuer.unwrap_or(client_secret::ISSUER);
        let issuer = issuer.parse::<Issuer>().map_err(|error| {
            Failure::check(format!(
                "`{}` under `[issuers]` in the settings: {error}",
                self.setting
            ))
            .nothing_changed()
        })?;
        Ok(Client {
            checks: Box::new(HttpOauthChecks::new(
                CertificateAuthorities::Machine,
                OauthLimits::default(),
            )),
            issuer,
            id: self.id,
            proof: self.proof,
        })
    }
}

/// Draws rows as they are worked on, and shows the first cells that can't be read.
fn row_observer(progress: &Arc<Mutex<Progress>>) -> rotation::RowObserver {
    let progress = Arc::clone(progress);
    let mut unreadable = Listing::of_first(Format::Human);
    Box::new(move |event| {
        // Only a panic while drawing could have poisoned it.
        if let Ok(mut progress) = progress.lock() {
            unreadable.observe(&event, &mut progress);
        }
    })
}
