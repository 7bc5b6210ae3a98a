//! The database and the platform, each of which may be known by the other alone.

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
                let tls = database::tls(&database::require_ssl(surroundings))?;
                return Ok((database::with_url(url, tls, timeouts)?, platform));
            }
            PlatformName::Local if !is_set => self.database_of_env_file(timeouts, surroundings)?,
            _ => database::resolve(timeouts, surroundings)?,
        };
        let platform = self.platform(Some(&database.url))?;
        Ok((database, platform))
    }
}
