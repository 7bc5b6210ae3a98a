//! A database server that can be hit before and after each change of its roles.
use async_trait::async_trait;
use platform::Error;
use platform::database_roles::{DatabaseRoles, Login, Missing, Prepared, Role, Sessions};
use secret::{DatabaseUrl, Password};

use super::{Faulty, faulty};
use crate::rotation::laws::Laws;
use crate::rotation::moments::Moments;
use crate::rotation::scene::Scene;

/// The roles behind what may be hit.
pub(in crate::rotation) fn wrapped_roles(
    roles: Box<dyn DatabaseRoles>,
    moments: &Moments,
    laws: &Laws,
) -> Box<dyn DatabaseRoles> {
    Box::new(faulty(roles, moments, laws))
}

impl Faulty<dyn DatabaseRoles> {
    async fn change<T>(
        &self,
        what: &str,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let noted = async {
            let done = work.await;
            if let Scene::Login(server) = &self.watch.laws.scene {
                server.changed();
            }
            done
        };
        self.watch.change(what, noted).await
    }
}

#[async_trait(?Send)]
impl DatabaseRoles for Faulty<dyn DatabaseRoles> {
    async fn log_in(&self, url: &DatabaseUrl, like: Option<&str>) -> Result<Login, Error> {
        self.watch.looks("log in")?;
        match &self.watch.laws.scene {
            Scene::Login(server) => server.log_in(url, like).await,
            _ => self.inner.log_in(url, like).await,
        }
    }

    async fn role(&self, as_: &DatabaseUrl, role: &str) -> Result<Option<Role>, Error> {
        self.watch.looks("role")?;
        self.inner.role(as_, role).await
    }

    async fn check_second(&self, in_use: &DatabaseUrl, role: &str) -> Result<Vec<Missing>, Error> {
        self.inner.check_second(in_use, role).await
    }

    async fn prepare_second(
        &self,
        in_use: &DatabaseUrl,
        candidate: &DatabaseUrl,
    ) -> Result<Prepared, Error> {
        let prepared = self.inner.prepare_second(in_use, candidate);
        self.change("prepare the second role", prepared).await
    }

    async fn set_password(&self, as_: &DatabaseUrl, password: &Password) -> Result<bool, Error> {
        let set = self.inner.set_password(as_, password);
        self.change("set a password", set).await
    }

    async fn sessions(&self, as_: &DatabaseUrl, role: &str) -> Result<Sessions, Error> {
        self.watch.looks("sessions")?;
        self.inner.sessions(as_, role).await
    }

    async fn end_sessions(&self, as_: &DatabaseUrl) -> Result<u32, Error> {
        let ended = self.inner.end_sessions(as_);
        self.change("end sessions", ended).await
    }

    async fn drop_second(&self, in_use: &DatabaseUrl, role: &str) -> Result<(), Error> {
        let dropped = self.inner.drop_second(in_use, role);
        self.change("drop the second role", dropped).await
    }
}
