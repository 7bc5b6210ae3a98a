//! The database and the platform, each of which may be known by the other alone.

use platform::google_cloud::SqlProxy;

use super::{Database, PlatformName, Procedure, Surroundings, database, google_cloud};
use crate::cli;
use crate::failure::Failure;

impl Procedure {
    /// The database of this process's environment, else the one that the service
    /// reads: of the `.env` file, or of the store. And the platform.
    ///
    /// # Errors
    ///
    /// When one of them can't be used.
    pub(crate) async fn reach(
        &self,
        timeouts: &cli::Timeouts,
        surroundings: &Surroundings<'_>,
    ) -> Result<(Database, platform::Platform), Failure> {
        let is_set = surroundings.variable("DATABASE_URL").is_some();
        let timeouts = &cli::Timeouts {
            lock_timeout: timeouts.lock_timeout.or(self.file.lock_timeout),
            statement_timeout: timeouts.statement_timeout.or(self.file.statement_timeout),
        };
        let database = match self.platform {
            PlatformName::GoogleCloud if !is_set => {
                let platform = self.platform(None)?;
                let secret = self.store_of(&rotation::DATABASE_URL).name;
                let url = google_cloud::stored_url(&platform, &secret).await?;
                let proxy = self.google_cloud.proxy(&url).await?;
                let url = match &proxy {
                    Some(proxy) => url.through_socket_in(&proxy.socket_folder()),
                    None => url,
                };
                let tls = database::tls(&database::require_ssl(surroundings))?;
                let database = Database {
                    proxy,
                    ..database::with_url(url, tls, timeouts)?
                };
                return Ok((database, platform));
            }
            PlatformName::Local if !is_set => self.database_of_env_file(timeouts, surroundings)?,
            _ => database::resolve(timeouts, surroundings)?,
        };
        let platform = self.platform(Some(&database.url))?;
        Ok((database, platform))
    }

    /// The proxy that the URL which a secret holds needs, if it needs one.
    ///
    /// # Errors
    ///
    /// When the URL can't be read, or the proxy opens no socket.
    pub(crate) async fn proxy_to(
        &self,
        platform: &platform::Platform,
        secret: &str,
    ) -> Result<Option<SqlProxy>, Failure> {
        if self.platform != PlatformName::GoogleCloud {
            return Ok(None);
        }
        let url = google_cloud::stored_url(platform, secret).await?;
        self.google_cloud.proxy(&url).await
    }
}
