//! The roles of a Postgres server, version 13 or later.

use async_trait::async_trait;
use connection::Tls;
use secret::{DatabaseUrl, Password};

use super::error::RolesError;
use super::login::{Attempt, log_in, try_log_in};
use super::{Accepted, DatabaseRoles, Login, Missing, Prepared, Role, Sessions};
use super::{drop, privileges, second, sessions, settings};
use crate::error::Error;

/// The roles of a Postgres server.
pub struct PostgresRoles {
    tls: Tls,
}

impl PostgresRoles {
    /// The roles of the servers that URLs lead to, with TLS as the service has it.
    pub fn new(tls: Tls) -> PostgresRoles {
        PostgresRoles { tls }
    }

    async fn look(&self, url: &DatabaseUrl, like: Option<&str>) -> Result<Login, RolesError> {
        let session = match try_log_in(url, self.tls).await? {
            Attempt::In(session) => session,
            Attempt::Refused(message) => return Ok(Login::Refused(message)),
        };
        let operation = "tell its version";
        let query = "SELECT current_setting('server_version_num')::integer / 10000";
        let rows = session.query(operation, query, &[]).await?;
        let server_major: i32 = match rows.first() {
            Some(row) => session.column(operation, row, 0)?,
            None => 0,
        };
        let mut missing = Vec::new();
        if let Some(like) = like {
            let own = session.user();
            missing.extend(privileges::missing(&session, like, own).await?);
            missing.extend(settings::missing(&session, like, own).await?);
        }
        Ok(Login::Accepted(Accepted {
            server_major: server_major.unsigned_abs(),
            missing,
        }))
    }
}

#[async_trait(?Send)]
impl DatabaseRoles for PostgresRoles {
    async fn log_in(&self, url: &DatabaseUrl, like: Option<&str>) -> Result<Login, Error> {
        Ok(self.look(url, like).await?)
    }

    async fn role(&self, as_: &DatabaseUrl, role: &str) -> Result<Option<Role>, Error> {
        let session = log_in(as_, self.tls).await?;
        Ok(second::find(&session, role).await?)
    }

    async fn check_second(&self, in_use: &DatabaseUrl, role: &str) -> Result<Vec<Missing>, Error> {
        Ok(second::check(in_use, role, self.tls).await?)
    }

    async fn prepare_second(
        &self,
        in_use: &DatabaseUrl,
        candidate: &DatabaseUrl,
    ) -> Result<Prepared, Error> {
        Ok(second::prepare(in_use, candidate, self.tls).await?)
    }

    async fn set_password(&self, as_: &DatabaseUrl, password: &Password) -> Result<bool, Error> {
        Ok(second::set_password(as_, password, self.tls).await?)
    }

    async fn sessions(&self, as_: &DatabaseUrl, role: &str) -> Result<Sessions, Error> {
        Ok(sessions::count(as_, role, self.tls).await?)
    }

    async fn end_sessions(&self, as_: &DatabaseUrl) -> Result<u32, Error> {
        Ok(sessions::end_own(as_, self.tls).await?)
    }

    async fn drop_second(&self, in_use: &DatabaseUrl, role: &str) -> Result<(), Error> {
        Ok(drop::drop_second(in_use, role, self.tls).await?)
    }
}
