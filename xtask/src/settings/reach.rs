//! The database and the platform, each of which may be known by the other alone.

use std::path::Path;

use platform::google_cloud::SqlProxy;
use secret::{DatabaseTarget, DatabaseUrl, Host};

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
            _ => {
                let database = database::resolve(timeouts, surroundings)?;
                self.refuse_other_database(&database.url, surroundings)
                    .await?;
                database
            }
        };
        let platform = self.platform(Some(&database.url))?;
        Ok((database, platform))
    }

    /// Refuses a database of this process's environment that isn't the service's: its tokens would
    /// be put under the new key, and the service would go over to that without its own.
    async fn refuse_other_database(
        &self,
        url: &DatabaseUrl,
        surroundings: &Surroundings<'_>,
    ) -> Result<(), Failure> {
        let own = match self.platform {
            PlatformName::None => return Ok(()),
            PlatformName::Local => self.url_of_env_file(),
            PlatformName::GoogleCloud => {
                let secret = self.store_of(&rotation::DATABASE_URL).name;
                google_cloud::stored_url(&self.platform(None)?, &secret).await
            }
        };
        match own {
            Ok(own) if is_other(url, &own) => Err(Failure::check(format!(
                "this shell's DATABASE_URL names `{url}`, and the service has `{own}`"
            ))
            .nothing_changed()
            .hint("`unset DATABASE_URL`, or name the service's own database in it")),
            Ok(own) => {
                if server(url) != server(&own) {
                    surroundings.printer.warning(&format!(
                        "this shell's DATABASE_URL names `{url}`, and the service has `{own}`: see that \
                         they are one database"
                    ));
                }
                Ok(())
            }
            Err(failure) => {
                let why = failure.message;
                surroundings.printer.warning(&format!(
                    "that this shell's DATABASE_URL, `{url}`, is the service's own can't be seen: {why}"
                ));
                Ok(())
            }
        }
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

/// Where a server is, as it is called from one place.
fn server(url: &DatabaseUrl) -> Option<(&Host, u16)> {
    match url.target() {
        DatabaseTarget::Sqlite(_) => None,
        DatabaseTarget::Postgres(target) => Some((&target.host, target.port)),
    }
}

/// Whether two URLs lead to different databases. A server has another name from elsewhere: in a
/// container, behind a proxy. A database has one name.
fn is_other(one: &DatabaseUrl, other: &DatabaseUrl) -> bool {
    match (one.target(), other.target()) {
        (DatabaseTarget::Sqlite(one), DatabaseTarget::Sqlite(other)) => {
            let real = |path: &Path| {
                path.canonicalize()
                    .or_else(|_| std::path::absolute(path))
                    .ok()
            };
            real(&one.path) != real(&other.path)
        }
        (DatabaseTarget::Postgres(one), DatabaseTarget::Postgres(other)) => {
            one.database != other.database
        }
        (DatabaseTarget::Sqlite(_), DatabaseTarget::Postgres(_))
        | (DatabaseTarget::Postgres(_), DatabaseTarget::Sqlite(_)) => true,
    }
}
